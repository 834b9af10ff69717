//! Builds source connectors for HTTP APIs.
//!
//! A source is a table of streams ([`stream::Stream`]), an API ([`api::Api`]) and a parsed config,
//! joined by the trait [`source::Source`]. [`export_source!`] turns it into a component. This crate
//! does the rest: windows and parents, pages, retries, pace, state and checkpoints. It knows no
//! particular API.
//!
//! To follow a record through the code, read the modules in this order:
//!
//! 1. [`connector`] opens a read: [`state`] and [`cursor`] say where it begins.
//! 2. [`partition`] cuts the stream into [slices](mod@slice) and chooses the next page to request.
//! 3. [`request`] and [`api`] turn that into an HTTP request.
//! 4. [`fetch`] sends it at the [`pace`] that the server allows; [`retry`] decides about retries.
//! 5. [`page`] and [`record`] hold the decoded response.
//! 6. [`reader`] returns the records, and keeps as many requests [in flight](in_flight) as memory
//!    allows.
//!
//! A connector may use these conveniences, or do the same by hand: [`properties`] and [`secret`]
//! read the config, [`list`] decodes a list, [`server::Verdict::by_status`] classifies a response.
//!
//! Everything outside of the connector is behind four traits, so that all of this is tested
//! natively and without a network: [`http::Transport`], [`clock::Clock`], [`log::Log`] and
//! [`progress::Progress`]. `wasi` implements them for the component, and `testing` (a feature) for
//! tests.

pub mod api;
pub mod clock;
pub mod connector;
pub mod cursor;
pub mod error;
pub mod executor;
pub mod fetch;
#[cfg(test)]
mod fixtures;
pub mod http;
pub mod in_flight;
pub mod instant;
pub mod list;
pub mod log;
pub mod notes;
pub mod pace;
pub mod page;
pub mod page_sizes;
pub mod partition;
pub mod platform;
pub mod prelude;
pub mod problem;
pub mod progress;
pub mod properties;
pub mod ranges;
pub mod reader;
pub mod record;
pub mod refusal;
pub mod request;
pub mod retry;
pub mod rows;
pub mod schema;
pub mod secret;
pub mod server;
pub mod slice;
pub mod source;
pub mod state;
pub mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(target_family = "wasm")]
pub mod wasi;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod export;

/// Makes the crate a component that exports a [`source::Source`]. Does nothing on targets other
/// than WebAssembly.
#[macro_export]
macro_rules! export_source {
    ($source:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::export::Component<$source>;
    $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}
