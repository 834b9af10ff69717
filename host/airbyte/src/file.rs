//! The files that a run is given, read as text.

use std::path::Path;

use elt_host::{Error, Result};

/// Reads the file at `path`, of which an error speaks as `what`.
///
/// # Errors
///
/// A config error if it cannot be read or is not UTF-8.
pub(crate) fn load(what: &str, path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::config(format!("{what} {} cannot be read: {error}", path.display())))?;
    // Editors of one operating system put a byte order mark in front, which JSON does not know.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
