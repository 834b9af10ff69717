//! Checks that a read does not write to a file that it needs for something else.
//!
//! Files are replaced, so one that is named twice would silently lose what it had. Paths and links
//! do not matter, only which file they lead to.

use std::path::{Path, PathBuf};

use elt_airbyte::{FileId, StateFile};
use elt_host::{Error, Result};

use crate::args::{Action, ComponentSource, ReadFiles, Run};
use crate::executable::Executable;
use crate::stdout;

/// A file of a command line.
struct Role {
    /// What names it.
    name: &'static str,
    path: PathBuf,
    /// Which file it is.
    id: FileId,
    is_written: bool,
}

/// Checks the files of a read against each other.
///
/// # Errors
///
/// A config error that names both uses of a file.
pub(crate) fn check(run: &Run) -> Result<()> {
    let Action::Read(files) = &run.source.action else { return Ok(()) };
    let roles = roles(run, files);
    for (index, one) in roles.iter().enumerate() {
        let other =
            roles[..index].iter().find(|other| other.id == one.id && (other.is_written || one.is_written));
        if let Some(other) = other {
            return Err(Error::config(format!(
                "{} and {} are the same file, {}",
                other.name,
                one.name,
                one.path.display()
            ))
            .with_hint("it would be overwritten; name another file"));
        }
    }
    Ok(())
}

/// Checks stdout against the files of a read. If they are the same, nothing may be written to
/// stdout, not even that.
///
/// # Errors
///
/// A config error that names the other use of the file.
pub(crate) fn check_stdout(run: &Run) -> Result<()> {
    let Action::Read(files) = &run.source.action else { return Ok(()) };
    let Some(stdout) = stdout::file_id() else { return Ok(()) };
    match roles(run, files).iter().find(|role| role.id == stdout) {
        Some(role) => {
            Err(Error::config(format!("stdout and {} are the same file, {}", role.name, role.path.display()))
                .with_hint("redirect stdout to another file"))
        }
        None => Ok(()),
    }
}

/// The files of a read that are there or can be made.
fn roles(run: &Run, files: &ReadFiles) -> Vec<Role> {
    let mut roles = Vec::new();
    let mut add = |name, path: Option<&Path>, is_written| {
        // A file that cannot be examined cannot be used either; its use reports the error.
        if let Some(path) = path
            && let Ok(id) = FileId::of(path)
        {
            roles.push(Role { name, path: path.to_owned(), id, is_written });
        }
    };
    let destination = &files.destination;
    let program = Executable::own().ok();
    let component = match &run.component {
        ComponentSource::File(path) => Some(path.as_path()),
        ComponentSource::Bundle(_) => None,
    };
    let lock = destination.saved_to().and_then(|state| StateFile::lock_of(state).ok());
    add("this program", program.as_ref().map(|program| program.path.as_path()), false);
    add("the component", component, false);
    add("--config", Some(&files.config.path), false);
    add("--catalog", files.choice.catalog.as_deref(), false);
    for path in &run.source.sandbox.network.ca_cert {
        add("--ca-cert", Some(path), false);
    }
    add("--state", destination.state.as_deref(), destination.save_state);
    add("the lock of --state", lock.as_deref(), true);
    add("--output", destination.output(), true);
    roles
}
