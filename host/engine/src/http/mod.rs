//! Outbound HTTP: the only way a connector reaches the network.
//!
//! A request of the guest (`guest`, `holdings`, `hooks`) takes the steps of `outbound`. Its body is
//! read whole (`body`), and its destination is brought into one form (`target`, `origin`). Then it
//! is decided whether the host is allowed (`allowed_hosts`, `pattern`) and whether its address is
//! (`address`); what is not is reported (`denial`). The host completes the headers (`head`), puts
//! secrets in, and sends the request over a pooled connection (`hosts`, `clients`, `connections`)
//! by the way that the operator set (`network`, `proxy`, `exempt`), after it has resolved the name
//! and checked the addresses (`resolve`, `lookups`). The response goes back in parts, decompressed
//! (`coding`, `pace`) and limited (`body`). Failures become error codes that a guest understands
//! (`failure`, `certificate`).
//!
//! Nothing is retried or redirected here. The connector knows its API, and a second request would
//! have to be checked again.

mod address;
mod allowed_hosts;
mod body;
mod certificate;
mod clients;
mod coding;
mod connections;
mod denial;
mod exempt;
mod failure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod guest;
mod head;
mod holdings;
mod hooks;
mod hosts;
mod lease;
mod lookups;
mod network;
mod origin;
mod outbound;
mod pace;
mod pattern;
mod proxy;
mod resolve;
mod target;
#[cfg(test)]
mod testing;

pub use self::allowed_hosts::{AllowedHosts, GrantedBy};
pub(crate) use self::clients::HttpClients;
pub use self::denial::Denial;
pub(crate) use self::guest::{GuestHttp, add_to_linker};
pub(crate) use self::holdings::Holdings;
pub(crate) use self::hooks::Hooks;
pub use self::network::Network;
pub use self::origin::Origin;
pub(crate) use self::outbound::OutboundHttp;
pub use self::pattern::HostPattern;
pub use self::proxy::Proxy;
pub use crate::obstacle::Obstacle;
pub use crate::secrets::SecretProblem;
