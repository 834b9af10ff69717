#![doc = include_str!("../docs/concepts.md")]
#![expect(unused_imports, reason = "the page links to them")]

use crate::{Connector, Engine, Error, Events, FailureType, Limits, Policy, Reader, Remedy, Session};
