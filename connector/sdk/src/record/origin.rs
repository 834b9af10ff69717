//! Tells whether an object has changed since it was emitted.

use json_text::Json;

/// The object that records were made of. A row with [`Object`](crate::stream::Object) keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The object's identifier.
    pub id: String,
    /// The digest of an object that is open, as [`Open`](crate::stream::Open) says.
    pub open: Option<Digest>,
    /// Whether the server sent only that the object was deleted.
    pub is_deleted: bool,
}

/// A digest of 64 bits (FNV-1a). It does not resist forgery: who could forge it can as well not
/// change the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// Computes the digest of a text.
    pub fn of(text: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    /// Parses 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |digits: u64, byte: u8| Some((digits << 4) + u64::from(char::from(byte).to_digit(16)?));
        let digits = (text.len() == 16).then(|| text.bytes().try_fold(0, digit))?;
        digits.map(Self)
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The names of the fields that tell what became of an object.
#[derive(Debug, Clone, Copy)]
pub struct Traits {
    /// The field that identifies the object.
    pub id: &'static str,
    /// The field that says whether the object is open, and its values while it is.
    pub open: Option<(&'static str, &'static [&'static str])>,
}

/// The values of those fields.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found<'a> {
    pub(crate) id: Option<Json<'a>>,
    pub(crate) status: Option<Json<'a>>,
    pub(crate) is_deleted: bool,
}

impl<'a> Found<'a> {
    /// Looks at a field of the object.
    pub(crate) fn look_at(&mut self, traits: &Traits, name: Json<'_>, value: Json<'a>) {
        if name.is(traits.id) {
            self.id = Some(value);
        } else if name.is("deleted") {
            self.is_deleted = value.get() == "true";
        } else if traits.open.is_some_and(|(field, _)| name.is(field)) {
            self.status = Some(value);
        }
    }

    /// Returns the object, whose text is `text`. `None` if it has no identifier.
    pub(crate) fn origin(&self, traits: &Traits, text: &str) -> Option<Origin> {
        let is_open = traits.open.is_some_and(|(_, values)| {
            self.status.is_some_and(|status| values.iter().any(|value| status.is(value)))
        });
        Some(Origin {
            id: self.id?.text()?.into_owned(),
            open: is_open.then(|| Digest::of(text)),
            is_deleted: self.is_deleted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_fnv_and_survives() {
        assert_eq!(Digest::of("").to_string(), "cbf29ce484222325");
        assert_eq!(Digest::of("foobar").to_string(), "85944171f73967e8");
        let digest = Digest::of("x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        for nonsense in ["", "85944171f73967e", "+5944171f73967e8", "g5944171f73967e8"] {
            assert_eq!(Digest::parse(nonsense), None, "{nonsense}");
        }
    }
}
