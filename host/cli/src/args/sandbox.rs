//! The flags of the sandbox: cache, network and limits.

use std::path::PathBuf;

use clap::Args;

use super::limits::LimitFlags;
use super::network::NetworkFlags;

/// The flags of a sandbox.
#[derive(Args, Debug)]
pub(crate) struct Sandbox {
    /// Where to keep compiled code between runs [default: elt-host in the user's cache directory]
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile anew, and keep nothing
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,

    #[command(flatten)]
    pub(crate) network: NetworkFlags,

    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}
