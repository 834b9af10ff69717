//! The command line of a bundle, which is a connector in one file with its host, and that of making
//! one.
//!
//! A bundle has the commands of `host run COMPONENT`, and `inspect`. They are parsed into the same
//! [`Cli`], so that nothing else needs to know.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint};
use elt_host::limits::Limits;

use super::action::{Action, SourceArgs};
use super::limits::{CompileLimits, LimitFlags};
use super::network::NetworkFlags;
use super::sandbox::Isolation;
use super::{Cli, Command, EXAMPLES, Inspect, Run, Sandbox, View};
use crate::bundle::{Bundle, Manifest};
use crate::terminal::visible;

/// Where a connector is.
#[derive(Clone, Debug)]
pub(crate) enum ComponentSource {
    /// In a file of its own: a component.
    File(PathBuf),
    /// In this program.
    Bundle(Bundle),
}

impl From<OsString> for ComponentSource {
    fn from(path: OsString) -> Self {
        Self::File(path.into())
    }
}

/// The arguments of `host bundle`.
#[derive(Args, Debug)]
pub(crate) struct Bundling {
    /// The connector: a component, such as orb.wasm
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) component: PathBuf,

    /// The program to write [default: source- and the name of the connector, here]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    limits: CompileLimits,
}

impl Bundling {
    /// The limits under which the component is compiled and asked for its name.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.0.clone()
    }
}

/// The command line of a bundle.
#[derive(Debug, Parser)]
struct BundleCli {
    /// Show debug messages too, as `LOG_LEVEL=debug` does
    #[arg(long, global = true)]
    debug: bool,

    #[command(flatten)]
    isolation: Isolation,

    #[command(flatten)]
    network: NetworkFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(subcommand)]
    command: BundleCommand,
}

#[derive(Debug, Subcommand)]
enum BundleCommand {
    #[command(flatten)]
    Action(Action),
    /// Show what the connector is, what it wants and what it is given, without letting it reach
    /// anything
    Inspect(View),
}

impl Cli {
    /// Parses the arguments of this process as those of a bundle.
    ///
    /// # Errors
    ///
    /// What to show instead, which may be help.
    pub(crate) fn of_bundle(bundle: Bundle) -> Result<Self, clap::Error> {
        let mut command = command(bundle.manifest());
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        let parsed = BundleCli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        let component = ComponentSource::Bundle(bundle);
        let BundleCli { debug, isolation, network, limits, command } = parsed;
        // What was compiled ahead needs no cache.
        let sandbox = Sandbox { cache_dir: None, no_cache: true, isolation, network, limits };
        let command = match command {
            BundleCommand::Action(action) => {
                Command::Run(Run { component, source: SourceArgs { sandbox, action } })
            }
            BundleCommand::Inspect(view) => Command::Inspect(Inspect { component, sandbox, view }),
        };
        Ok(Self { debug, command })
    }
}

/// The help of `--proxy`, which is another where the environment is the operator's own.
const PROXY: &str = "\
Go through this proxy, through those that the environment names, or none [default: env]

`env` is HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case.";

/// The command line of a bundle with this manifest.
fn command(manifest: Option<Manifest>) -> clap::Command {
    let host = env!("CARGO_PKG_VERSION");
    let (name, version, long_version) = match manifest {
        Some(manifest) => {
            let [name, version, sha256] =
                [manifest.name, manifest.version, manifest.sha256].map(|text| visible(&text));
            let long = format!("{version}\nhost {host}\ncomponent sha256 {sha256}");
            (name, version, long)
        }
        None => ("source".to_owned(), "(damaged)".to_owned(), format!("(damaged)\nhost {host}")),
    };
    let about = format!(
        "Runs the source connector {name}, which speaks the Airbyte protocol.\n\n\
         The connector is in this file, as a WebAssembly component. It can send HTTP requests to the hosts that it asks for, and \
         nothing else: no files, no environment, no sockets."
    );
    let examples = EXAMPLES
        .replace("host run orb.wasm", &name)
        .replace("host inspect orb.wasm", &format!("{name} inspect"));
    BundleCli::command()
        .mut_arg("proxy", |flag| {
            flag.help(
                "Go through this proxy, through those that the environment names, or none [default: env]",
            )
            .long_help(PROXY)
        })
        // clap keeps names as long as the process lives.
        .name(&*name.leak())
        .version(&*version.leak())
        .long_version(&*long_version.leak())
        .about(about.split('\n').next().unwrap_or_default().to_owned())
        .long_about(about)
        .after_help(examples.clone())
        .after_long_help(examples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        let manifest = Manifest { name: "source-x".into(), version: "1.2.3".into(), sha256: "0".into() };
        let mut command = command(Some(manifest));
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        assert!(help.contains("source-x read --config config.json"), "{help}");
        assert!(!help.contains("orb.wasm") && !help.contains("cache"), "{help}");
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("or none [default: env]"), "{help}");
        assert!(!words.contains("`host bundle` wrote"), "{help}");
        assert_eq!(command.render_version(), "source-x 1.2.3\n");
    }

    #[test]
    fn what_a_manifest_says_does_not_act_on_a_terminal() {
        let version = "1\u{202e}2\u{9b}3\n";
        let manifest = Manifest { name: "source-x".into(), version: version.into(), sha256: "0".into() };
        assert_eq!(command(Some(manifest)).render_version(), "source-x 1\\u202e2\\u009b3\\u000a\n");
    }
}
