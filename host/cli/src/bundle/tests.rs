use super::*;

/// A program of this host and these parts.
fn program(host: &[u8], parts: [&[u8]; PARTS]) -> Vec<u8> {
    let mut bytes = Vec::new();
    described(parts).write(executable(host), &mut bytes).expect("it can be written");
    bytes
}

fn described(parts: [&[u8]; PARTS]) -> Program {
    let manifest = Manifest { name: "source".into(), version: "1".into(), sha256: String::new() };
    Program { manifest, added: pack(parts) }
}

fn executable(bytes: &[u8]) -> Executable {
    let mut file = tempfile::tempfile().expect("it can be made");
    file.write_all(bytes).expect("it can be written");
    Executable { path: "it".into(), file }
}

fn opened(bytes: &[u8]) -> Result<Contents> {
    Bundle::find(executable(bytes))?.open()
}

#[test]
fn what_was_put_in_comes_out() {
    let manifest = br#"{"name":"source-x","version":"2","sha256":"ab"}"#;
    let bytes = program(b"host", [manifest, b"code", b"component"]);
    let bundle = Bundle::find(executable(&bytes)).unwrap();
    assert_eq!(bundle.manifest().unwrap().name, "source-x");
    let Contents { code, component, .. } = bundle.open().unwrap();
    assert_eq!((code.as_slice(), component.as_slice()), (&b"code"[..], &b"component"[..]));
    assert!(opened(&program(b"", [b"", b"", b""])).is_ok());
}

#[test]
fn a_bundle_made_by_a_bundle_has_the_host_once() {
    let first = program(b"host", [b"{}", b"old", b"old component"]);
    let parts: [&[u8]; PARTS] = [b"{}", b"new", b"new component"];
    assert_eq!(program(&first, parts), program(b"host", parts));
    let mut damaged = Vec::new();
    let cut = &mut first.clone();
    cut[4 + MAGIC.len()] ^= 1;
    // What follows the host is left behind, whatever became of it.
    described(parts).write(executable(cut), &mut damaged).unwrap();
    assert_eq!(damaged, program(b"host", parts));
}

#[test]
fn other_files_are_none() {
    for bytes in [&b""[..], b"short", &[0; 1000], &MAGIC] {
        let error = Bundle::find(executable(bytes)).unwrap_err();
        assert!(error.message().contains("has no connector in it"), "{} bytes: {error}", bytes.len());
    }
}

#[test]
fn every_changed_bit_is_found() {
    let bytes = program(b"host", [b"{}", b"code", b"component"]);
    // A bundle is known by its end alone.
    for bit in 4 * 8..(bytes.len() - MAGIC.len()) * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Err(error) = opened(&changed) else { panic!("bit {bit}") };
        assert!(error.message().contains("is damaged"), "bit {bit}: {error}");
    }
}

#[test]
fn nothing_is_said_by_a_manifest_that_changed() {
    let manifest = br#"{"name":"source-x","version":"2","sha256":"ab"}"#;
    let bytes = program(b"host", [manifest, b"code", b"component"]);
    let at = bytes.windows(3).position(|window| window == br#""2""#).unwrap();
    let mut changed = bytes.clone();
    changed[at + 1] = b'3';
    for bytes in [&changed, &[&bytes[..bytes.len() - TRAILER - 1], &bytes[bytes.len() - TRAILER..]].concat()]
    {
        let bundle = Bundle::find(executable(bytes)).unwrap();
        assert!(bundle.manifest().is_none());
        assert!(bundle.open().is_err());
    }
    assert_eq!(Bundle::find(executable(&bytes)).unwrap().manifest().unwrap().version, "2");
}

#[test]
fn names_of_connectors_become_names_of_files() {
    let names = [
        ("orb", "source-orb"),
        ("source-orb", "source-orb"),
        ("Orb (beta)", "source-orb-beta"),
        ("../../etc/passwd", "source-etc-passwd"),
        ("\u{1b}[2J", "source-2j"),
        ("", "source"),
        ("source", "source"),
        ("source-", "source"),
        ("日本", "source"),
    ];
    for (connector, name) in names {
        assert_eq!(file_name(connector), name, "{connector}");
    }
}
