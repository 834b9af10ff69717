//! Wants files, which its imports say before it runs.

use guests::{
    ConfiguredStream, Error, Specification, Stream,
    exports::elt::connector::source::{Guest, GuestReader, Reader},
    specification, things,
};

struct Files;

guests::export!(Files);

impl Guest for Files {
    type Reader = Nothing;

    fn spec() -> Specification {
        Specification {
            name: std::fs::read_to_string("/etc/hostname").unwrap_or_default(),
            ..specification()
        }
    }

    fn check(_: String) -> Result<(), Error> {
        Ok(())
    }

    fn discover(_: String) -> Result<Vec<Stream>, Error> {
        Ok(vec![things()])
    }

    fn read(_: String, _: ConfiguredStream, _: Option<String>) -> Result<Reader, Error> {
        Ok(Reader::new(Nothing))
    }
}

struct Nothing;

impl GuestReader for Nothing {
    fn next_batch(&self) -> Result<Option<guests::Batch>, Error> {
        Ok(None)
    }
}
