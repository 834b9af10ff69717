//! Runs source connectors, which are WebAssembly components, and speaks the Airbyte protocol for them.
//!
//! A connector knows one API and nothing of Airbyte; this crate knows Airbyte and nothing of any API. What they say to
//! each other is the WIT package `elt:connector`. A connector reaches the network through this crate alone, and there
//! only the hosts that it was granted; it has no file system, no environment and no sockets.
//!
//! The binary `host` is a thin user of this library. What it does for `read` is this:
//!
//! ```no_run
//! use std::path::Path;
//! use host::{AllowedHosts, Cache, Config, ConfiguredCatalog, Connector, Emitter, Level, Limits, Outbox, States, Sync};
//!
//! # async fn read() -> Result<(), Box<dyn std::error::Error>> {
//! // One thread writes, so that a slow reader of the output holds nothing else up.
//! let (outbox, inbox) = Outbox::new(Level::Info);
//! let writer = std::thread::spawn(|| Emitter::new(std::io::stdout()).drain(inbox));
//!
//! let connector = Connector::load(Path::new("orb.wasm"), Limits::default(), &Cache::of_user())?.log_to(outbox.clone());
//! // The connector is given tokens in the place of secrets.
//! let specification = connector.spec().await?;
//! let config = Config::load(Path::new("config.json"))?;
//! config.validate(&specification)?;
//! let config = config.seal(&specification)?;
//! let allowed = AllowedHosts::requested(&specification, &config)?;
//! let source = connector.source(config, allowed);
//!
//! let catalog = ConfiguredCatalog::load(Path::new("catalog.json"))?;
//! let streams = catalog.resolve(&source.discover().await?)?;
//! let report = Sync::new(source, streams, States::default()).run(&outbox, std::future::pending()).await;
//!
//! drop((connector, outbox));
//! writer.join().expect("the writer does not panic")?;
//! assert!(report.is_ok_and(|report| report.error().is_none()));
//! # Ok(())
//! # }
//! ```

mod address_space;
mod bindings;
mod breach;
mod bundle;
mod cache;
mod call;
mod catalog;
mod compiler;
mod config;
mod connector;
mod contract;
mod ctx;
mod deadline;
mod document;
mod emitter;
mod error;
mod executable;
mod file;
mod http;
mod identity;
mod limits;
mod lock;
mod message;
mod obstacle;
mod outbox;
mod output;
mod progress;
mod protocol;
mod record;
mod redaction;
mod replacement;
mod report;
mod saver;
mod seal;
mod secrets;
mod source;
mod state;
mod state_file;
mod stderr;
mod streams;
mod sync;
mod validation;
mod watch;

pub use self::bundle::{Bundle, Manifest, Program};
pub use self::cache::Cache;
pub use self::catalog::{ConfiguredCatalog, ConfiguredStream};
pub use self::config::{Config, SealedConfig};
pub use self::connector::Connector;
pub use self::contract::{Batch, Level, Specification, Stream, SyncMode};
pub use self::document::{Document, NotAnObject};
pub use self::emitter::{Emitter, Observer};
pub use self::error::{Error, FailureType, Result};
pub use self::executable::Executable;
pub use self::http::{AllowedHosts, HostPattern, Network, Proxy};
pub use self::identity::Identity;
pub use self::limits::{Limits, Size};
pub use self::message::{Message, StreamDescriptor, StreamStatus};
pub use self::outbox::{Closed, Inbox, Outbox};
pub use self::output::OutputFile;
pub use self::record::Record;
pub use self::redaction::Redaction;
pub use self::report::{Failure, Report};
pub use self::saver::{Saver, Unsaved};
pub use self::source::{Reader, Source};
pub use self::state::States;
pub use self::state_file::StateFile;
pub use self::streams::{Batches, Streams};
pub use self::sync::Sync;
