//! The whole: the real host, the real component, a real socket.
//!
//! Each module is one promise. `support` has what they share: where the artifacts are, how a
//! command is run, and the messages as a reader of the protocol sees them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod bundle;
mod check;
mod discover;
mod documents;
mod enrichment;
mod faults;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod in_place;
mod incremental;
mod inspect;
mod metadata;
mod migration;
mod output;
mod protocol;
mod read;
mod resume;
mod sandbox;
mod save_state;
mod sizes;
mod spec;
mod states;
#[cfg(target_os = "linux")]
mod stdout;
#[cfg(unix)]
mod stop;
mod support;
mod template;
mod terminal;
mod usage;
