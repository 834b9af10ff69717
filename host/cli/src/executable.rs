//! Finds the file that this process was started from.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};

use elt_host::{Error, Result};

/// The path at which Linux shows the file, whatever became of its name.
const OWN: &str = "/proc/self/exe";
/// Where programs are searched for if `PATH` is not set, as in the C library.
const PATH: &str = "/bin:/usr/bin";

/// A program's file.
#[derive(Debug)]
pub(crate) struct Executable {
    /// Where it was found.
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

impl Executable {
    /// The file of this process: the one that the kernel shows or, without `/proc`, the one that
    /// the first argument names, as shells and most programs set it.
    ///
    /// # Errors
    ///
    /// A system error that says what was tried.
    pub(crate) fn own() -> Result<Self> {
        let shown = if cfg!(target_os = "linux") { Ok(PathBuf::from(OWN)) } else { env::current_exe() };
        let candidates: Vec<_> =
            shown.into_iter().chain(env::args_os().next().and_then(|name| named(&name))).collect();
        let mut tried = Vec::new();
        for path in candidates {
            match File::open(&path) {
                Ok(file) => return Ok(Self { path, file }),
                Err(error) => tried.push(format!("{}: {error}", path.display())),
            }
        }
        if tried.len() < 2 {
            tried.push("its first argument is not the path of a file".to_owned());
        }
        Err(Error::system(format!("this program cannot find its own file ({})", tried.join("; ")))
            .with_hint("mount /proc, or start it by its path; its file must be readable"))
    }
}

/// The file that a command's name refers to.
fn named(name: &OsStr) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 || name.as_encoded_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from(PATH));
    env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_finds_its_own_file() {
        let own = Executable::own().unwrap();
        let length = own.file.metadata().unwrap().len();
        assert_eq!(length, std::fs::metadata(env::current_exe().unwrap()).unwrap().len());
    }

    #[test]
    fn a_name_with_a_slash_is_a_path_and_others_are_looked_for() {
        assert_eq!(named(OsStr::new("./a")), Some("./a".into()));
        assert_eq!(named(OsStr::new("b/a")), Some("b/a".into()));
        assert_eq!(named(OsStr::new("no such program")), None);
    }
}
