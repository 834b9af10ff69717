//! The law of this half: it serves any API, so it names none.

use std::{fs, path::Path};

#[test]
fn the_sdk_does_not_name_the_api() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sdk");
    let files = [sdk.join("wasi"), sdk].into_iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let paths: Vec<_> = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    assert!(paths.len() > 20, "only {} files were found", paths.len());
    for path in paths.iter().filter(|path| !path.ends_with("law.rs")) {
        let text = fs::read_to_string(path).unwrap().to_lowercase();
        let mut words = text.split(|character: char| !character.is_alphanumeric());
        assert!(
            !words.any(|word| matches!(word, "orb" | "withorb" | "orbs")),
            "{} names Orb",
            path.display()
        );
    }
}
