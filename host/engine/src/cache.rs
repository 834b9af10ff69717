//! Keeps compiled code in a directory, from one run to the next.
//!
//! Compiling a connector takes some hundred milliseconds, loading it from here a few. What is found
//! here is run as native code, so nobody else may be able to write to the directory or to replace
//! it. An entry is a file: the code, and a SHA-256 that finds what a damaged disk changed in it. It
//! cannot find malice, which the permissions of the directory keep out.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::error::{Error, Result};
use crate::native_code::NativeCode;
use crate::private_directory::PrivateDirectory;

/// The directory below the user's caches.
const NAME: &str = "elt-host";
/// What the names of entries end with. Nothing else in the directory is ever touched.
const SUFFIX: &str = ".elt-code";
/// Entries that are kept at most. The oldest are removed first. A user has a handful of connectors,
/// our tests have dozens.
const ENTRIES: usize = 128;
/// Bytes of all entries together that are kept at most. The code of a connector has about one MB.
const BYTES: u64 = 512 * 1024 * 1024;
/// Bytes of a SHA-256.
const HASH: usize = 32;

/// Where compiled code is kept, if anywhere. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cache(Option<Arc<PrivateDirectory>>);

/// Identifies an entry: the component, and all that matters of how it was compiled.
pub(crate) struct Key([u8; HASH]);

impl Key {
    /// The key of `component` as `engine` compiles it.
    pub(crate) fn new(engine: &Engine, component: &[u8]) -> Self {
        // The version of wasmtime, the settings and the features of the processor.
        let mut compiler = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut compiler);
        let hash = Sha256::new().chain_update(compiler.finish().to_le_bytes()).chain_update(component);
        Self(hash.finalize().into())
    }

    /// What the code of an entry is sealed with, so that no entry passes for another.
    fn seal(&self, code: &[u8]) -> [u8; HASH] {
        Sha256::new().chain_update(self.0).chain_update(code).finalize().into()
    }

    fn file_name(&self) -> String {
        digits(&self.0) + SUFFIX
    }
}

impl Cache {
    /// Nothing is kept.
    pub fn none() -> Self {
        Self::default()
    }

    /// In the user's own directory for caches (`$XDG_CACHE_HOME`, else `$HOME/.cache`). If that
    /// cannot be used, nothing is kept: a cache is never needed.
    pub fn of_user() -> Self {
        Self::user_directory().and_then(|directory| Self::at(&directory).ok()).unwrap_or_default()
    }

    /// Where [`of_user`](Self::of_user) keeps code, if the environment says where that is. It need
    /// not exist.
    pub fn user_directory() -> Option<PathBuf> {
        user_caches().map(|caches| caches.join(NAME))
    }

    /// In `directory`, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be made, or if others can write to it or to a folder above it.
    pub fn at(directory: &Path) -> Result<Self> {
        let opened = PrivateDirectory::open(directory).map_err(|reason| {
            Error::config(format!("the cache directory {} cannot be used: {reason}", directory.display()))
        })?;
        Ok(Self(Some(Arc::new(opened))))
    }

    /// What was kept under this key, if it is unchanged.
    #[expect(unsafe_code, reason = "only this cache knows that it wrote the code")]
    pub(crate) fn get(&self, key: &Key) -> Option<NativeCode> {
        let mut bytes = self.0.as_ref()?.read(&key.file_name(), BYTES)?;
        let seal = bytes.split_off(bytes.len().checked_sub(HASH)?);
        if key.seal(&bytes)[..] != seal {
            return None;
        }
        // SAFETY: the hash says that these are the bytes which `put` wrote, and nobody but this
        // user and root could write others with their hash (`PrivateDirectory`).
        Some(unsafe { NativeCode::from_bytes(bytes) })
    }

    /// Keeps code. If it cannot be kept, it is compiled again next time.
    pub(crate) fn put(&self, key: &Key, code: &NativeCode) {
        if let Some(directory) = &self.0
            && write(directory, key, code).is_ok()
        {
            let _ = clean(directory, ENTRIES, BYTES);
        }
    }
}

/// Writes an entry atomically.
fn write(directory: &PrivateDirectory, key: &Key, code: &NativeCode) -> io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // With the suffix, so that what a killed process leaves behind is cleaned up too.
    let temporary = digits(&random) + SUFFIX;
    directory.write(&key.file_name(), &temporary, [code.bytes(), &key.seal(code.bytes())])
}

/// Removes the oldest entries until at most `entries` with at most `bytes` are left. The newest
/// always stays.
fn clean(directory: &PrivateDirectory, entries: usize, bytes: u64) -> io::Result<()> {
    let mut found = directory.files(SUFFIX)?;
    found.sort_unstable();
    let mut sum = 0;
    for (index, file) in found.iter().rev().enumerate() {
        sum += file.size;
        if index > 0 && (index >= entries || sum > bytes) {
            directory.remove(&file.name)?;
        }
    }
    Ok(())
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn user_caches() -> Option<PathBuf> {
    let path =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use super::*;

    /// A cache, the key of a component in it, and the file of its entry.
    fn entry(directory: &Path, component: &[u8]) -> (Cache, Key, PathBuf) {
        let key = Key::new(&Engine::default(), component);
        let path = directory.join(key.file_name());
        (Cache::at(directory).expect("it can be used"), key, path)
    }

    #[test]
    fn what_is_kept_is_found_by_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, key, path) = entry(folder.path(), b"one");
        let (_, other, elsewhere) = entry(folder.path(), b"other");
        assert!(cache.get(&key).is_none());
        cache.put(&key, &NativeCode::compiled(b"code".to_vec()));
        assert_eq!(cache.get(&key).unwrap().bytes(), b"code");
        assert!(cache.get(&other).is_none());
        fs::rename(path, elsewhere).unwrap();
        assert!(cache.get(&other).is_none(), "it was kept for another component");
    }

    #[test]
    fn an_entry_of_which_a_bit_changed_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, key, path) = entry(folder.path(), b"one");
        cache.put(&key, &NativeCode::compiled(b"code".to_vec()));
        let whole = fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, changed).unwrap();
            assert!(cache.get(&key).is_none(), "bit {bit}");
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(cache.get(&key).is_none(), "{length} bytes");
        }
        cache.put(&key, &NativeCode::compiled(b"code".to_vec()));
        assert!(cache.get(&key).is_some());
    }

    #[test]
    fn the_oldest_entries_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, age: u64| {
            let path = folder.path().join(name);
            fs::write(&path, "0123456789").unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age);
            File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        };
        let left = || {
            let mut names: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        for (name, age) in
            [("a.elt-code", 0), ("b.elt-code", 1), ("c.elt-code", 2), ("d.elt-code", 3), ("theirs", 4)]
        {
            made(name, age);
        }
        let directory = PrivateDirectory::open(folder.path()).unwrap();
        clean(&directory, 3, 1000).unwrap();
        assert_eq!(left(), ["a.elt-code", "b.elt-code", "c.elt-code", "theirs"]);
        clean(&directory, 3, 29).unwrap();
        assert_eq!(left(), ["a.elt-code", "b.elt-code", "theirs"]);
        clean(&directory, 3, 5).unwrap();
        assert_eq!(left(), ["a.elt-code", "theirs"]);
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::at(folder.path()).unwrap_err();
        assert!(error.message().ends_with("other users can write to it"), "{error}");
    }
}
