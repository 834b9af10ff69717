//! Gives up, for the whole process, what a command does not need: `--isolate`.
//!
//! The sandbox keeps a component in as long as wasmtime has no defect that matters. Behind it, the
//! kernel keeps the process itself in.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod sockets;

use std::path::PathBuf;

use elt_host::{Cache, Error, Result};

use crate::args::{Action, Command, ComponentSource, Run, Sandbox, SourceArgs};

/// The files of a command line.
#[derive(Debug, Default)]
struct Files {
    /// Those that are read, and folders.
    read: Vec<PathBuf>,
    /// Those that are replaced, which takes their folders.
    written: Vec<PathBuf>,
    /// Folders that are filled with files and folders.
    filled: Vec<PathBuf>,
}

/// Isolates the process if the command line asks for it.
///
/// # Errors
///
/// A config error if the operating system cannot do that.
pub(crate) fn begin(command: &Command) -> Result<()> {
    let Some(files) = Files::of(command) else { return Ok(()) };
    for folder in &files.filled {
        // It has to be there. If it cannot be made, its use reports the error.
        let _ = std::fs::create_dir_all(folder);
    }
    isolate(&files)
}

impl Files {
    /// The files of a command line that asks to be isolated.
    fn of(command: &Command) -> Option<Self> {
        let (component, sandbox, action) = match command {
            Command::Run(Run { component, source: SourceArgs { sandbox, action } }) => {
                (component, sandbox, Some(action))
            }
            Command::Inspect(inspect) => (&inspect.component, &inspect.sandbox, None),
            _ => return None,
        };
        if !sandbox.isolation.isolate {
            return None;
        }
        let mut files = Files { read: of_sandbox(sandbox), ..Files::default() };
        // A bundle reads its component from its own file, and no output may replace the program.
        files.read.extend(std::env::current_exe());
        if let ComponentSource::File(path) = component {
            files.read.push(path.clone());
        }
        if let Command::Inspect(inspect) = command {
            files.read.extend(inspect.view.config.clone());
        }
        match action {
            Some(Action::Check { config } | Action::Discover { config, .. }) => {
                files.read.push(config.path.clone());
            }
            Some(Action::Read(wanted)) => {
                let destination = &wanted.destination;
                files.read.push(wanted.config.path.clone());
                files.read.extend(wanted.choice.catalog.clone());
                files.read.extend(destination.state.clone());
                let written = [destination.saved_to(), destination.output()];
                files.written.extend(written.into_iter().flatten().map(PathBuf::from));
                if let Some(folder) = &wanted.folder.output_dir {
                    files.filled.push(folder.clone());
                }
            }
            Some(Action::Verify(wanted)) => {
                files.read.extend([wanted.config.path.clone(), wanted.against.clone()]);
                files.read.extend(wanted.catalog.clone());
                // Records go to files there, and to no folders.
                files.written.push(std::env::temp_dir().join("records"));
            }
            Some(Action::Spec) | None => {}
        }
        Some(files)
    }
}

/// What the flags and the environment name. Compiled code is read and not written: what broke out
/// could leave code there for the next run.
fn of_sandbox(sandbox: &Sandbox) -> Vec<PathBuf> {
    let cache = match &sandbox.cache_dir {
        _ if sandbox.no_cache => None,
        Some(directory) => Some(directory.clone()),
        None => Cache::user_directory(),
    };
    let variables = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
    let named = variables.iter().filter_map(std::env::var_os);
    let certificates: Vec<_> =
        named.flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>()).collect();
    sandbox.network.ca_cert.iter().cloned().chain(certificates).chain(cache).collect()
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn isolate(files: &Files) -> Result<()> {
    linux::isolate(files)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn isolate(_: &Files) -> Result<()> {
    Err(refused("this system has nothing for it"))
}

fn refused(reason: &str) -> Error {
    Error::config(format!("the process cannot be isolated (--isolate): {reason}"))
        .with_hint("it takes Linux 5.13 or newer, on x86_64 or aarch64, with Landlock and seccomp")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    fn files(arguments: &[&str]) -> Files {
        let isolated = ["host", "run", "orb.wasm", "--isolate", "--cache-dir", "cache"];
        let cli = Cli::try_parse_from(isolated.iter().chain(arguments)).expect("a command line");
        Files::of(&cli.command).expect("isolated")
    }

    #[test]
    fn a_command_makes_folders_in_its_output_folder_alone_and_writes_to_no_cache() {
        let (cache, temporary) = (Path::new("cache"), std::env::temp_dir());
        let read = ["read", "--config", "c.json", "--output-dir", "out"];
        let verify = ["verify", "--config", "c.json", "--against", "out"];
        let folders = |files: &Files| -> Vec<_> {
            files.written.iter().map(|path| path.parent().unwrap().to_owned()).collect()
        };
        for (arguments, filled, written) in [
            (&["spec"][..], vec![], vec![]),
            (&read, vec![PathBuf::from("out")], vec![]),
            (&verify, vec![], vec![temporary]),
        ] {
            let files = files(arguments);
            assert_eq!((&files.filled, folders(&files)), (&filled, written), "{arguments:?}");
            assert!(files.read.iter().any(|path| path == cache), "{arguments:?}");
        }
    }
}
