//! The schemas, as `build.rs` packs them.

/// All files of `schemas/` as one JSON object, each under its name there.
pub fn unpack() -> String {
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/schemas.lz4"));
    // What was packed can be unpacked, which a test has seen; without a schema, `discover` would say which.
    let text = lz4_flex::decompress_size_prepended(packed).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::streams::STREAMS;
    use json_text::Fields;

    #[test]
    fn every_file_is_there_as_it_is_and_used() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let files = ["", "shared"].into_iter().flat_map(|below| fs::read_dir(directory.join(below)).unwrap());
        let text = unpack();
        let schemas = Fields::decode(&text).unwrap();
        assert_eq!(
            schemas.iter().count(),
            files.filter(|file| file.as_ref().unwrap().path().is_file()).count()
        );
        for (name, schema) in schemas.iter() {
            let name = name.text().unwrap();
            let file = fs::read_to_string(directory.join(&*name)).unwrap();
            let value: serde_json::Value = serde_json::from_str(&file).unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(schema.get()).unwrap(), value, "{name}");
            let is_shared = text.contains(&format!("\"$ref\": \"{name}\""));
            assert!(is_shared || STREAMS.iter().any(|row| row.stream.schema == name), "{name}");
        }
    }
}
