//! Compiled code, kept from one run to the next: a directory comes in, what wasmtime keeps its cache in goes out.
//!
//! Compiling a connector takes some hundred milliseconds, loading it from here some single ones. wasmtime keys what it
//! keeps by the bytes of the component, its own version and all settings that matter. What it finds there it runs as
//! native code, so the directory must be one that nobody else can write to.

use std::path::{Path, PathBuf};

use wasmtime::CacheConfig;

use crate::error::{Error, Result};

/// The directory below the user's caches.
const NAME: &str = "elt-host";

/// Where compiled code is kept, if anywhere. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cache(Option<wasmtime::Cache>);

impl Cache {
    /// Nothing is kept.
    pub fn none() -> Self {
        Self::default()
    }

    /// In the user's own directory for caches (`$XDG_CACHE_HOME`, else `$HOME/.cache`), or nowhere if there is none that
    /// can be used: a cache is never needed.
    pub fn of_user() -> Self {
        user_caches().and_then(|caches| Self::at(&caches.join(NAME)).ok()).unwrap_or_default()
    }

    /// In `directory`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be made, or if others can write to it.
    pub fn at(directory: &Path) -> Result<Self> {
        let problem = |reason: String| {
            Error::config(format!("the cache directory {} cannot be used: {reason}", directory.display()))
        };
        let directory = std::path::absolute(directory).map_err(|error| problem(error.to_string()))?;
        make_private(&directory).map_err(problem)?;
        let mut config = CacheConfig::new();
        config.with_directory(directory);
        let cache = wasmtime::Cache::new(config).map_err(|error| problem(format!("{error:#}")))?;
        Ok(Self(Some(cache)))
    }

    pub(crate) fn into_inner(self) -> Option<wasmtime::Cache> {
        self.0
    }
}

fn user_caches() -> Option<PathBuf> {
    let path =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))
}

/// Makes a directory that only its owner can use, or checks that one is.
#[cfg(unix)]
fn make_private(directory: &Path) -> std::result::Result<(), String> {
    use std::fs::{DirBuilder, symlink_metadata};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| error.to_string())?;
    let metadata = symlink_metadata(directory).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is not a directory".to_owned());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".to_owned());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("other users can write to it".to_owned());
    }
    Ok(())
}

/// Who may write to a directory is not known here, so none is used.
#[cfg(not(unix))]
fn make_private(_: &Path) -> std::result::Result<(), String> {
    Err("this system is not supported".to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn a_directory_is_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("a/b");
        assert!(Cache::at(&directory).unwrap().0.is_some());
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::at(folder.path()).unwrap_err();
        assert!(error.message().ends_with("other users can write to it"), "{error}");
    }

    #[test]
    fn a_file_or_a_link_is_not_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(Cache::at(&link).unwrap_err().message().contains("not a directory"));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Cache::at(&file).is_err());
    }
}
