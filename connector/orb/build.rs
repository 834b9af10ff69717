//! Packs the schemas for `src/orb/schemas.rs`. As text they would be a sixth of orb.wasm, packed they are 13 kB.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=schemas");
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut fields = Vec::new();
    for directory in ["", "shared/"] {
        let entries = fs::read_dir(schemas.join(directory)).expect("schemas/ is there");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("its entries can be read").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".json"))
            .collect();
        names.sort();
        for name in names {
            let text = fs::read_to_string(schemas.join(directory).join(&name)).expect("a schema can be read");
            // A line break in JSON can only stand between tokens.
            let text: String = text.lines().map(str::trim).collect();
            fields.push(format!("\"{directory}{name}\":{text}"));
        }
    }
    let object = format!("{{{}}}", fields.join(","));
    let packed = lz4_flex::compress_prepend_size(object.as_bytes());
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("schemas.lz4"), packed).expect("OUT_DIR can be written to");
}
