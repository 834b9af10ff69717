//! End-to-end tests: the real host, the real component and real sockets.
//!
//! Each module covers one promise. `support` locates artifacts, runs commands, and parses messages
//! as a client does.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod bad_input;
mod bundle;
mod changes;
mod check;
#[cfg(unix)]
mod collision;
mod contract;
mod discover;
mod documents;
mod edge_http;
mod enrichment;
mod every_stream;
mod faults;
#[cfg(unix)]
mod files;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod in_place;
mod incremental;
mod inspect;
#[cfg(target_os = "linux")]
mod isolation;
mod metadata;
mod migration;
mod output;
#[cfg(target_os = "linux")]
mod pipes;
mod protocol;
mod read;
mod resume;
mod sandbox;
mod save_state;
#[cfg(target_os = "linux")]
mod shared_folder;
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
