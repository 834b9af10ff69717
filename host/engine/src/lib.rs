//! Runs source connectors, which are WebAssembly components, in a sandbox.
//!
//! A connector reads one API and returns records as JSON. It reaches the network through this crate
//! alone, and there only the hosts that it is allowed. It has no file system, no environment and no
//! sockets, it sees no secret of its config, and it may use no more memory and time than its limits
//! say.
//!
//! The [concepts] explain the parts. This program reads a stream from where an earlier read ended:
//!
//! ```no_run
//! use elt_host::types::{JsonObject, SyncMode};
//! use elt_host::{Cache, Config, Engine, Limits, Result};
//!
//! # async fn read(state: Option<JsonObject>) -> Result<()> {
//! // One engine for the whole program. It keeps compiled code, so the next start is fast.
//! let limits = Limits { memory: 128 << 20, ..Limits::default() };
//! let engine = Engine::builder().cache(Cache::of_user()).limits(limits).build()?;
//!
//! // The config is validated, its secrets are sealed, and the hosts that it needs are allowed.
//! let connector = engine.load("orb.wasm").await?;
//! let config = Config::parse(r#"{"api_key": "key", "start_date": "2024-01-01T00:00:00Z"}"#)?;
//! let session = connector.configure(config).open().await?;
//!
//! let mut reader = session.read("invoices", SyncMode::Incremental, state.as_ref()).await?;
//! while let Some(batch) = reader.next_batch().await? {
//!     for record in &batch.records {
//!         println!("{}", record.as_str());
//!     }
//!     if let Some(checkpoint) = batch.checkpoint {
//!         // Once the records are stored, the next read can go on from here.
//!         println!("{}", checkpoint.as_str());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `examples/embed.rs` is a whole program. The command `host` is built on this crate and on
//! `elt-airbyte`, which speaks the Airbyte protocol.

#![doc(test(attr(deny(warnings), allow(dead_code))))]

mod account;
mod address_space;
mod bindings;
mod cache;
mod call;
mod compiler;
mod component;
pub mod concepts;
mod config;
mod connector;
mod container;
mod deadline;
pub mod declaration;
mod disclosure;
mod engine;
mod error;
pub mod events;
mod exceeded;
pub mod excerpt;
mod frozen;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
pub mod input_file;
mod instance;
mod instances;
mod json_object;
pub mod limits;
mod native_code;
mod needles;
mod obstacle;
pub mod policy;
#[cfg_attr(not(unix), path = "private_directory/unsupported.rs")]
mod private_directory;
mod record;
pub mod redaction;
mod reporter;
mod resident;
mod schema;
mod seal;
mod secrets;
mod session;
mod size;
mod stderr;
mod store;
pub mod types;
mod validation;

pub use self::cache::Cache;
pub use self::component::ComponentInfo;
pub use self::config::{Config, SealedConfig};
pub use self::connector::Connector;
pub use self::disclosure::Disclosure;
pub use self::engine::{Engine, EngineBuilder};
pub use self::error::{Error, FailureType, Remedy, Result};
pub use self::events::Events;
pub use self::limits::Limits;
pub use self::native_code::NativeCode;
pub use self::policy::Policy;
pub use self::session::{Reader, Session, SessionBuilder};
