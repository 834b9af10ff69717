//! Bundles: a connector and its host in one executable file.
//!
//! ```text
//! the executable of the host | MAGIC | manifest | code | component | lengths | SHA-256 | MAGIC
//!                            |<--------------- hashed ------------------->|
//! ```
//!
//! A bundle is recognised by its last bytes, so the host alone reads no more than these. The hash
//! finds damage by a disk or a copy. It is no protection against an attacker: anybody who can write
//! to the file can change the host in it, too.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use elt_host::{Connector, Engine, Error, NativeCode, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::executable::Executable;

/// Marks the beginning and the end of what is added to the host. Its last byte is the version of
/// this format.
const MAGIC: [u8; 16] = *b"elt-host bundle\x01";
/// Bytes of a length: a number of 64 bits in little-endian order.
const LENGTH: usize = 8;
/// Manifest, code and component.
const PARTS: usize = 3;
/// Bytes of a SHA-256.
const HASH: usize = 32;
/// Bytes of all that follows the parts.
const TRAILER: usize = PARTS * LENGTH + HASH + MAGIC.len();

/// What a bundle says about itself without being run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Manifest {
    /// The name of the program: `source-` and the name of the connector.
    pub(crate) name: String,
    /// Version of the connector.
    pub(crate) version: String,
    /// SHA-256 of the component, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// A program with a component in it, which has not been read yet. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bundle(Result<Arc<Packed>>);

#[derive(Debug)]
struct Packed {
    path: PathBuf,
    file: File,
    /// Bytes of the host.
    host: u64,
    /// Bytes of each part.
    parts: [usize; PARTS],
    hash: [u8; HASH],
    /// What was read and verified, until it is loaded.
    verified: Mutex<Option<Contents>>,
}

/// The parts of a bundle.
#[derive(Debug)]
struct Contents {
    manifest: Vec<u8>,
    code: Vec<u8>,
    component: Vec<u8>,
}

impl Bundle {
    /// Looks for a bundle in `executable`. A damaged bundle is found too; loading it fails.
    ///
    /// # Errors
    ///
    /// A system error if the file cannot be read, or does not end as a bundle does. A bundle that
    /// lost its end cannot be distinguished from the host alone, so the error speaks of both.
    pub(crate) fn find(executable: Executable) -> Result<Self> {
        let path = executable.path.clone();
        let found = Self::look(executable).map_err(|error| unreadable(&path, &error))?;
        found.ok_or_else(|| {
            Error::system(format!(
                "the program {} has no connector in it, or its end is missing",
                shown(&path).display()
            ))
            .with_hint(
                "a component is run by `host run`; if this was a bundle, copy or download it anew, or make it again with \
                 `host bundle`",
            )
        })
    }

    /// A bundle that cannot be opened.
    pub(crate) fn broken(error: Error) -> Self {
        Self(Err(error))
    }

    fn look(Executable { path, mut file }: Executable) -> io::Result<Option<Self>> {
        let size = file.seek(SeekFrom::End(0))?;
        let Some(end) = size.checked_sub(TRAILER as u64) else { return Ok(None) };
        file.seek(SeekFrom::Start(end))?;
        let mut trailer = [0; TRAILER];
        file.read_exact(&mut trailer)?;
        let (lengths, rest) = trailer.split_at(PARTS * LENGTH);
        let (hash, magic) = rest.split_at(HASH);
        if magic != MAGIC {
            return Ok(None);
        }
        let mut parts = [0; PARTS];
        for (part, length) in parts.iter_mut().zip(lengths.chunks_exact(LENGTH)) {
            // A length that no memory could hold is invalid.
            let length = length.try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
            *part = usize::try_from(length).unwrap_or(usize::MAX);
        }
        let added = parts.iter().try_fold(MAGIC.len() as u64, |sum, part| sum.checked_add(*part as u64));
        let Some(host) = added.and_then(|added| end.checked_sub(added)) else {
            return Ok(Some(Self(Err(damaged(&path, "its parts are said to be longer than the file")))));
        };
        let mut kept = [0; HASH];
        kept.copy_from_slice(hash);
        let verified = Mutex::default();
        Ok(Some(Self(Ok(Arc::new(Packed { path, file, host, parts, hash: kept, verified })))))
    }

    /// Its manifest. `None` if the bundle is damaged.
    pub(crate) fn manifest(&self) -> Option<Manifest> {
        let contents = self.open().ok()?;
        let manifest = serde_json::from_slice(&contents.manifest).ok();
        // Every command asks for this first, and most then load the rest. It is read once.
        let packed = self.0.as_ref().ok()?;
        *packed.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(contents);
        manifest
    }

    /// Loads the connector: its native code, or else its component, which takes longer. Then the
    /// second value says why.
    ///
    /// # Errors
    ///
    /// A system error if the program is damaged, otherwise as [`Engine::load_bytes`].
    #[expect(unsafe_code, reason = "only this program knows that it wrote the code")]
    pub(crate) async fn load(&self, engine: &Engine) -> Result<(Connector, Option<String>)> {
        let Contents { code, component, .. } = self.open()?;
        // SAFETY: the hash says that these are the bytes which `Program::load` compiled. Whoever
        // can write others with their hash to this program's own file can also change the program.
        let code = unsafe { NativeCode::from_bytes(code) };
        match engine.load_precompiled(component.clone(), &code) {
            Ok(connector) => Ok((connector, None)),
            Err(unfit) => {
                let connector = engine.load_bytes(component).await?;
                let why = unfit.internal_message().unwrap_or_default();
                Ok((
                    connector,
                    Some(format!("{unfit}, so the component of this program was compiled: {why}")),
                ))
            }
        }
    }

    /// Its parts, once their hash is verified.
    fn open(&self) -> Result<Contents> {
        let packed = self.0.as_ref().map_err(Clone::clone)?;
        let verified = packed.verified.lock().unwrap_or_else(PoisonError::into_inner).take();
        verified.map_or_else(|| packed.verify(), Ok)
    }
}

impl Packed {
    fn verify(&self) -> Result<Contents> {
        let [manifest, code, _] = self.parts;
        let length = MAGIC.len() + self.parts.iter().sum::<usize>() + PARTS * LENGTH;
        let mut bytes = self.read(self.host, length).map_err(|error| unreadable(&self.path, &error))?;
        if Sha256::digest(&bytes)[..] != self.hash {
            return Err(damaged(&self.path, "its SHA-256 is not the one that was written"));
        }
        bytes.truncate(length - PARTS * LENGTH);
        let component = bytes.split_off(MAGIC.len() + manifest + code);
        let code = bytes.split_off(MAGIC.len() + manifest);
        let manifest = bytes.split_off(MAGIC.len());
        Ok(Contents { manifest, code, component })
    }

    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}

/// A connector that was compiled ahead, ready to be written as a program.
#[derive(Debug)]
pub(crate) struct Program {
    manifest: Manifest,
    /// Everything that follows the host.
    added: Vec<u8>,
}

impl Program {
    /// Reads the component at `path`, compiles it for every processor of this architecture, and
    /// asks it for its name.
    ///
    /// # Errors
    ///
    /// As [`Engine::load`], and as [`Connector::spec`].
    pub(crate) async fn load(engine: &Engine, path: &Path) -> Result<Self> {
        let component = engine.read(path)?;
        let code = engine.precompile(&component, &path.display().to_string()).await?;
        let connector = engine.load_precompiled(component.clone(), &code)?;
        let specification = connector.spec().await?;
        let manifest = Manifest {
            name: file_name(&specification.name),
            version: specification.version.chars().filter(|character| !character.is_control()).collect(),
            sha256: connector.component().sha256(),
        };
        let text = serde_json::to_vec(&manifest)
            .map_err(|error| Error::system("the manifest cannot be written").with_internal(error))?;
        Ok(Self { added: pack([&text, code.bytes(), &component]), manifest })
    }

    /// Its manifest.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes the program: the host in `executable`, which may be a bundle itself, and the
    /// connector.
    ///
    /// # Errors
    ///
    /// Those of reading and writing.
    pub(crate) fn write(&self, executable: Executable, out: &mut impl Write) -> io::Result<()> {
        let mut file = executable.file.try_clone()?;
        let length = match Bundle::look(executable)?.map(|bundle| bundle.0) {
            None => u64::MAX,
            Some(Ok(packed)) => packed.host,
            Some(Err(error)) => return Err(io::Error::other(error)),
        };
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file.take(length), out)?;
        out.write_all(&self.added)
    }
}

/// What follows the host.
fn pack(parts: [&[u8]; PARTS]) -> Vec<u8> {
    let mut added = MAGIC.to_vec();
    added.extend(parts.concat());
    for part in parts {
        added.extend((part.len() as u64).to_le_bytes());
    }
    let hash = Sha256::digest(&added);
    added.extend(hash);
    added.extend(MAGIC);
    added
}

/// A name that is fit for a file and a command line.
fn file_name(connector: &str) -> String {
    let mut name = String::new();
    for character in connector.to_lowercase().chars() {
        let fit = if character.is_ascii_alphanumeric() { character } else { '-' };
        if fit != '-' || !name.ends_with('-') {
            name.push(fit);
        }
    }
    let name = name.trim_matches('-');
    match name.strip_prefix("source-").unwrap_or(name) {
        "" | "source" => "source".to_owned(),
        name => format!("source-{name}"),
    }
}

/// The path of a program as a person knows it, instead of the kernel's own name for it.
fn shown(path: &Path) -> PathBuf {
    if path.starts_with("/proc") { fs::read_link(path).ok() } else { None }.unwrap_or_else(|| path.to_owned())
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::system(format!("the program {} cannot be read: {error}", shown(path).display()))
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::system(format!("the program {} is damaged: {why}", shown(path).display()))
        .with_hint("copy or download it anew, or make it again with `host bundle`")
}

#[cfg(test)]
mod tests;
