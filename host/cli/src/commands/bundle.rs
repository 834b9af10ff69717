//! `bundle`: writes a program that is this host and a component in one file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use elt_airbyte::FileId;
use elt_host::{Engine, Error};

use crate::advice::with_flag;
use crate::args::Bundling;
use crate::bundle::Program;
use crate::executable::Executable;
use crate::terminal::visible;

/// Writes the program, and says so on stderr.
///
/// # Errors
///
/// Those of loading the component, and of reading and writing programs.
pub(crate) async fn bundle(wanted: &Bundling) -> anyhow::Result<()> {
    let executable = Executable::own()?;
    let engine = Engine::builder().limits(wanted.limits()).build()?;
    let program = Program::load(&engine, &wanted.component).await.map_err(with_flag)?;
    let manifest = program.manifest();
    let output = wanted.output.clone().unwrap_or_else(|| PathBuf::from(&manifest.name));
    for (kept, what) in [(&wanted.component, "the component"), (&executable.path, "this program")] {
        if same(kept, &output) {
            return Err(Error::config(format!("{} is {what} itself", output.display()))
                .with_hint("name another file with --output")
                .into());
        }
    }
    let size = write(&program, executable, &output).map_err(|error| {
        Error::config(format!("the program {} cannot be written: {error}", output.display()))
    })?;
    let text = format!(
        "wrote {}: {size} bytes, {} {}, component sha256 {}",
        output.display(),
        manifest.name,
        manifest.version,
        manifest.sha256
    );
    // If there is no stderr, nobody can read this.
    let _ = io::stderr().write_all((visible(&text) + "\n").as_bytes());
    Ok(())
}

/// Writes the file atomically, and returns its size.
fn write(program: &Program, executable: Executable, output: &Path) -> io::Result<u64> {
    if output.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask removes permissions.
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    let mut file = builder.prefix(".bundle-").tempfile_in(directory)?;
    program.write(executable, file.as_file_mut())?;
    file.as_file().sync_all()?;
    let size = file.as_file().metadata()?.len();
    file.persist(output)?;
    Ok(size)
}

/// Whether both are the same file.
fn same(one: &Path, other: &Path) -> bool {
    matches!((FileId::of(one), FileId::of(other)), (Ok(one), Ok(other)) if one == other)
}
