//! The outbound door: the only way a connector reaches the network.
//!
//! A request of the guest comes in (`hooks`) and takes the steps of `door`: it is read whole (`body`), judged
//! (`policy`) and sent over a pooled connection (`dial`). Its response goes back in parts, under a cap (`body`), and
//! what fails in words that a guest understands (`failure`). Nothing is retried, redirected or proxied here: the
//! connector knows its API, and a second request would have to be judged again.

mod body;
mod dial;
mod door;
mod failure;
mod hooks;
mod policy;

pub(crate) use self::dial::Dialer;
pub(crate) use self::door::Door;
pub(crate) use self::hooks::Hooks;
pub use self::policy::{AllowedHosts, Origin};
