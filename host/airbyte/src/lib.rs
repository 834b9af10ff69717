//! Speaks the Airbyte protocol for connectors that [`elt_host`] runs.
//!
//! A [`SyncRun`] reads the configured streams of a [`Source`] and sends [`Message`]s through a
//! [`channel`](channel()). A [`Writer`] moves them into a [`Sink`], of which [`AirbyteLines`] is
//! one. Nothing reaches a sink whose secrets are not masked: it accepts [`Redacted`] messages
//! alone.
//!
//! ```no_run
//! use elt_airbyte::{Advice, AirbyteLines, ConfiguredCatalog, States, channel};
//! use elt_airbyte::{Source, SyncRun, Writer};
//! use elt_host::events::Level;
//! use elt_host::{Config, Engine};
//!
//! # async fn read() -> Result<(), Box<dyn std::error::Error>> {
//! // One thread writes, so that a slow reader of the output holds nothing else up.
//! let (sender, receiver) = channel(Level::Info, Advice::default());
//! let lines = AirbyteLines::new(std::io::stdout());
//! let writer = std::thread::spawn(|| Writer::new(receiver, lines).drain());
//!
//! let connector = Engine::new()?.load("orb.wasm").await?;
//! let config = Config::parse(&std::fs::read_to_string("config.json")?)?;
//! let source = Source::open(connector.configure(config), &sender).await?;
//!
//! let catalog = ConfiguredCatalog::parse(&std::fs::read_to_string("catalog.json")?)?;
//! let streams = catalog.resolve(&source.discover().await?)?;
//! let sync = SyncRun::new(source, streams, States::default());
//! let report = sync.run(&sender, std::future::pending()).await;
//!
//! drop(sender);
//! writer.join().expect("the writer does not panic")?;
//! assert!(report.is_ok_and(|report| report.error().is_none()));
//! # Ok(())
//! # }
//! ```

mod advice;
mod atomic_file;
mod catalog;
mod channel;
mod checkpoints;
mod events;
mod file;
mod file_id;
#[cfg(test)]
mod fixtures;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod lines;
mod links;
mod lock;
mod message;
mod object;
mod output_file;
mod redacted;
mod report;
mod sink;
mod source;
mod state_file;
mod state_sizes;
mod state_writer;
mod states;
mod sync;

pub use self::advice::Advice;
pub use self::catalog::{ConfiguredCatalog, ConfiguredStream};
pub use self::channel::{OutputClosed, Receiver, Sender, channel};
pub use self::file::load_config;
pub use self::file_id::FileId;
pub use self::lines::AirbyteLines;
pub use self::message::{Message, StreamDescriptor, StreamStatus};
pub use self::output_file::OutputFile;
pub use self::redacted::Redacted;
pub use self::report::{Failure, Report};
pub use self::sink::{Observer, Sink, Writer};
pub use self::source::{BatchSource, Source, SourceReader, StreamSource, reporting_to};
pub use self::state_file::StateFile;
pub use self::state_writer::{StateWriter, UnsavedStates};
pub use self::states::States;
pub use self::sync::SyncRun;
