//! Sizes in bytes, written the way people write them: `64MiB`.

use std::fmt;
use std::str::FromStr;

use bytesize::ByteSize;

/// A number of bytes that displays as `64MiB` and parses from `64MiB`, `64MB` or `67108864`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ByteSize::b(self.0 as u64).display().iec().to_string();
        f.write_str(&text.replace(".0", "").replace(' ', ""))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = text.parse::<ByteSize>()?.as_u64();
        usize::try_from(bytes).map(Self).map_err(|_| "it is more than this machine can address".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        const KIB: usize = 1024;
        for (bytes, text) in [(64 * KIB * KIB, "64MiB"), (128 * KIB, "128KiB"), (1536, "1.5KiB"), (7, "7B")] {
            assert_eq!(Size(bytes).to_string(), text);
            assert_eq!(text.parse(), Ok(Size(bytes)));
        }
        assert_eq!("1000".parse(), Ok(Size(1000)));
        assert!("much".parse::<Size>().is_err());
    }
}
