//! The components of `tests/guests`, one constant each.

#![deny(dead_code, reason = "a guest that no test uses has no place here")]

use std::{fmt, path::Path};

/// A component of `tests/guests`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest(&'static str);

impl Guest {
    /// The component.
    pub(crate) fn path(self) -> &'static Path {
        Path::new(self.0)
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().file_stem().unwrap().display().fmt(formatter)
    }
}

macro_rules! guest {
    ($name:ident, $path:literal) => {
        pub(crate) const $name: Guest = Guest($path);
    };
}

components::for_each_guest!(guest);

/// All of them. This uses the paths alone, so that each constant still needs a test.
pub(crate) fn all() -> Vec<Guest> {
    let mut all = Vec::new();
    macro_rules! push {
        ($name:ident, $path:literal) => {
            all.push(Guest($path));
        };
    }
    components::for_each_guest!(push);
    all
}
