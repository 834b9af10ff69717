//! Bundles that were changed, cut off, or moved to another processor.

use super::*;

#[test]
fn a_changed_byte_anywhere_in_what_was_added_is_found() {
    let copy = Copy::new();
    let [added, manifest, code, component, lengths, hash, magic, end] = copy.places;
    let mut places = vec![added, manifest, manifest + 12, code, component - 1, component, lengths - 1];
    places.extend([(code + component) / 2, (component + lengths) / 2]);
    places.extend((lengths..hash).step_by(4));
    places.extend([lengths + 7, lengths + 15, hash - 1, hash, magic - 1, magic, end - 1]);
    for place in places {
        for bits in [0x01, 0x80] {
            copy.flip(place, bits);
            copy.assert_damaged(&format!("{bits:#x} at {} of {}", place - added, end - added));
            copy.flip(place, bits);
        }
    }
    assert_eq!(copy.spec().code, Some(0), "the copy is intact again");
}

#[test]
fn lengths_that_only_add_up_are_not_believed() {
    let copy = Copy::new();
    let lengths = copy.places[4];
    // Make the code overlap the end of the manifest.
    copy.change(lengths, 16, |lengths| {
        let (manifest, code) = lengths.split_at_mut(8);
        manifest[0] -= 1;
        let longer = u64::from_le_bytes((&*code).try_into().unwrap()) + 1;
        code.copy_from_slice(&longer.to_le_bytes());
    });
    copy.assert_damaged("lengths");
    copy.change(lengths, 24, |lengths| lengths.fill(0xff));
    copy.assert_damaged("lengths without bounds");
}

#[test]
fn a_bundle_whose_end_is_missing_says_so() {
    let copy = Copy::new();
    let [added, manifest, code, component, lengths, hash, magic, end] = copy.places;
    let mut sizes = vec![end - 1, magic, hash, lengths, component + 1, code, manifest, added + 1];
    sizes.sort_unstable();
    for size in sizes.into_iter().rev() {
        File::options().write(true).open(&copy.path).unwrap().set_len(size).unwrap();
        copy.assert_damaged(&format!("{} of {} added bytes", size - added, end - added));
    }
}

#[test]
fn a_damaged_bundle_still_helps() {
    let copy = Copy::new();
    copy.flip(copy.places[2], 0xff);
    for (flag, code) in [("--help", 0), ("--version", 0), ("nonsense", 2)] {
        let mut command = Command::new(&copy.path);
        command.arg(flag);
        assert_eq!(execute(command).status.code(), Some(code), "{flag}");
    }
}

#[test]
fn a_damaged_bundle_does_not_say_what_it_is() {
    let copy = Copy::new();
    let version = || {
        let mut command = Command::new(&copy.path);
        command.arg("--version");
        String::from_utf8(execute(command).stdout).unwrap()
    };
    let intact = version();
    assert!(intact.contains("component sha256 ") && !intact.contains("damaged"), "{intact}");
    let [_, manifest, code, ..] = copy.places;
    for place in manifest..code {
        copy.flip(place, 1);
        assert!(version().contains("(damaged)"), "byte {}", place - manifest);
        copy.flip(place, 1);
    }
    assert_eq!(version(), intact);
}

#[test]
fn native_code_that_does_not_fit_is_compiled_anew() {
    let copy = Copy::new();
    let [added, _, code, component, _, hash, ..] = copy.places;
    copy.change(added, usize::try_from(hash + HASH - added).unwrap(), |bytes| {
        let (hashed, kept) = bytes.split_at_mut(usize::try_from(hash - added).unwrap());
        let code =
            &mut hashed[usize::try_from(code - added).unwrap()..usize::try_from(component - added).unwrap()];
        // wasmtime's own version, which it compares, prefixed by its length.
        let version = b"\0\x0248";
        let at = code.windows(version.len()).position(|window| window == version).unwrap();
        code[at + 3] = b'7';
        kept.copy_from_slice(&Sha256::digest(&*hashed));
    });
    let output = copy.spec();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.messages.iter().any(|message| message.spec.is_some()));
    let logs = output.logs();
    assert_eq!((logs.len(), logs[0].level.as_str()), (1, "INFO"));
    assert!(logs[0].message.contains("does not fit this machine"), "{}", logs[0].message);
}
