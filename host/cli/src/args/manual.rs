//! Writes manual pages and shell completions.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;

/// The arguments of `host man`.
#[derive(Args, Debug)]
pub(crate) struct Manual {
    /// Write a page for each command into this folder instead; it is created if necessary
    #[arg(long = "dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
}

impl Manual {
    /// Writes the page of the command itself.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub(crate) fn page(out: &mut impl Write) -> io::Result<()> {
        Man::new(Cli::command()).render(out)
    }

    /// Writes a page for each command into a folder.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub(crate) fn pages(folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        clap_mangen::generate_to(Cli::command(), folder)
    }
}

/// Writes completions for `shell`.
pub(crate) fn completions(shell: Shell, out: &mut impl Write) {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        Manual::pages(&folder.path().join("man1")).unwrap();
        for name in ["host.1", "host-run.1", "host-run-read.1", "host-bundle.1"] {
            let page = std::fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
            assert!(page.contains(".TH host"), "{name}: {page}");
        }
    }

    #[test]
    fn every_shell_is_offered_the_flags() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let mut text = Vec::new();
            completions(shell, &mut text);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("save-state") && text.contains("host"), "{shell}");
        }
    }
}
