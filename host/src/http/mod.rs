//! The outbound door: the only way a connector reaches the network.
//!
//! A request of the guest comes in (`hooks`) and takes the steps of `door`. It is read whole
//! (`body`), and its destination brought into one form (`target`, `origin`), which is judged:
//! whether the host was granted (`policy`, `pattern`) and what is known of its address (`address`).
//! What is denied is told to the person who watches (`denial`). Then the host decides about the
//! headers (`head`), puts secrets in, and sends it over a pooled connection (`dial`) by way of what
//! the operator set (`network`, `proxy`, `exempt`), after the addresses of the host have been
//! looked up and judged (`resolve`). The response goes back in parts, decompressed (`coding`) and
//! under a cap (`body`), and what fails in words that a guest understands (`failure`,
//! `certificate`).
//!
//! Nothing is retried or redirected here: the connector knows its API, and a second request would have to be judged
//! again.

mod address;
mod body;
mod certificate;
mod coding;
mod denial;
mod dial;
mod door;
mod exempt;
mod failure;
mod head;
mod hooks;
mod network;
mod origin;
mod pattern;
mod policy;
mod proxy;
mod resolve;
mod target;
#[cfg(test)]
mod testing;

pub(crate) use self::dial::Dialer;
pub(crate) use self::door::Door;
pub(crate) use self::hooks::Hooks;
pub use self::network::Network;
pub use self::pattern::HostPattern;
pub use self::policy::AllowedHosts;
pub use self::proxy::Proxy;
