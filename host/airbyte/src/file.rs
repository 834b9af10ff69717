//! Reads the files that a run is given as text.

use std::path::Path;

use elt_host::types::JsonObject;
use elt_host::{Config, Error, Result, input_file};

/// Reads the file at `path`, which errors call `what`.
///
/// # Errors
///
/// A config error if it cannot be read or is not UTF-8.
pub(crate) fn load(what: &str, path: &Path) -> Result<String> {
    let text = input_file::read_to_string(path)
        .map_err(|error| Error::config(format!("{what} {} cannot be read: {error}", path.display())))?;
    // Editors on Windows put a byte order mark in front, which JSON does not allow.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Reads a config from the file at `path`.
///
/// # Errors
///
/// A config error if it cannot be read or is not one JSON object.
pub fn load_config(path: &Path) -> Result<Config> {
    let what = "the config file";
    let text = load(what, path)?;
    JsonObject::parse(&text)
        .map(Config::from)
        .map_err(|problem| Error::config(format!("{what} {} {problem}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = load_config(Path::new("/nonexistent/config.json")).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("the config file /nonexistent/config.json cannot be read: No such file")
        );
    }
}
