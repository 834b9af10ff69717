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
    pub(crate) isolation: Isolation,

    #[command(flatten)]
    pub(crate) network: NetworkFlags,

    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}

/// What the process itself gives up.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Isolation {
    /// Also let the operating system confine this process: Linux 5.13 or newer
    ///
    /// A component that breaks out of the sandbox then finds a process which can read only the
    /// files of the command line and those of its libraries, can write only to the folders of
    /// --output, --output-dir and --save-state, and can start no program. Names are resolved by the
    /// servers in resolv.conf. What is compiled is not kept for the next run.
    #[arg(long, global = true)]
    pub(crate) isolate: bool,
}
