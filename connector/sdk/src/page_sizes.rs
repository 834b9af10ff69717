//! The page sizes that a server answers, where they are smaller than in the row.

/// The page size of each list, by the name of its stream.
#[derive(Debug, Default)]
pub struct PageSizes(Vec<(&'static str, u32)>);

impl PageSizes {
    /// Returns the page size of a list, if it is smaller than in the row.
    pub fn of(&self, list: &str) -> Option<u32> {
        self.0.iter().find(|(name, _)| *name == list).map(|(_, limit)| *limit)
    }

    /// Halves the page size of a list, because pages of `asked` are too large. Returns the new
    /// size, or `None` if it is that small already: if several requests in flight were too large,
    /// the first has set it.
    pub fn halve(&mut self, list: &'static str, asked: u32) -> Option<u32> {
        let known = self.of(list).unwrap_or(asked);
        let limit = asked / 2;
        if limit >= known {
            return None;
        }
        self.0.retain(|(name, _)| *name != list);
        self.0.push((list, limit));
        Some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_flight_that_are_too_large_halve_the_size_once() {
        let mut sizes = PageSizes::default();
        assert_eq!(sizes.of("plans"), None);
        assert_eq!(
            [100, 100, 50, 50, 100].map(|asked| sizes.halve("plans", asked)),
            [Some(50), None, Some(25), None, None]
        );
        assert_eq!((sizes.of("plans"), sizes.of("coupons")), (Some(25), None));
    }
}
