//! What is true of reading any HTTP API as a source; nothing in here knows which API it is.
//!
//! In: the facts of a stream ([`stream::Stream`]), an [`api::Api`] that speaks to the server, and the outside world
//! behind four seams ([`http::Transport`], [`clock::Clock`], [`log::Log`], [`progress::Progress`]). Out: batches of
//! records with the checkpoints that make them safe ([`reader::Reader`]).
//!
//! The data moves through the files in this order: [`state`] and [`cursor`] say where to begin, [`mod@slice`] (with
//! [`window`] or [`parent`]) what to ask next, [`api`] how, [`fetch`] gets the answer in spite of [`retry`]able
//! failures, [`page`] is what was answered, [`reader`] hands it on, and asks for as many at once as there is [`room`] for.
//! All JSON on this way is text, which the crate [`json_text`] takes apart.

pub mod api;
pub mod clock;
pub mod cursor;
pub mod error;
pub mod executor;
pub mod fetch;
#[cfg(test)]
mod fixtures;
pub mod http;
pub mod instant;
pub mod log;
pub mod pace;
pub mod page;
pub mod parent;
pub mod platform;
pub mod progress;
pub mod reader;
pub mod record;
pub mod refusal;
pub mod retry;
pub mod room;
pub mod schema;
pub mod slice;
pub mod source;
pub mod state;
pub mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(target_family = "wasm")]
pub mod wasi;
pub mod window;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod export;

/// Makes the crate a component of the contract, with this [`source::Source`]. Does nothing on other targets.
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
