//! Tries properties of code that reads bytes of strangers, on kept inputs and mutations of them.
//!
//! A property is a function that panics if it does not hold. The inputs of each are in
//! `tests/fuzz/corpus`, where libFuzzer finds them too. The mutations are the same in every run.

mod mutation;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use self::mutation::Mutations;

/// Mutations to try of each corpus. The environment variable `FUZZ_ROUNDS` says another number.
const ROUNDS: usize = 3_000;

/// Tries `property` on the inputs in the folder `target` of the corpus, and on mutations of them.
///
/// # Panics
///
/// With the input for which the property does not hold, or if there are no inputs.
pub fn check(target: &str, property: impl Fn(&[u8])) {
    let inputs = kept(target);
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let mutations = Mutations::of(&inputs).take(rounds.unwrap_or(ROUNDS));
    for input in inputs.iter().cloned().chain(mutations) {
        if catch_unwind(AssertUnwindSafe(|| property(&input))).is_err() {
            let path = std::env::temp_dir().join(format!("fuzz-{target}"));
            let kept = match fs::write(&path, &input) {
                Ok(()) => path.display().to_string(),
                Err(error) => error.to_string(),
            };
            panic!("{target} fails for \"{}\" ({kept})", input.escape_ascii());
        }
    }
}

/// The inputs in the folder `target`, in order of their names.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths.sort();
    let read = |path| fs::read(path).expect("an input can be read");
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_does_not_hold_is_found_with_its_input() {
        let found = catch_unwind(|| check("json", |input| assert!(!input.contains(&b'{'))));
        let message = found.unwrap_err().downcast::<String>().unwrap();
        assert!(message.starts_with("json fails for \"") && message.contains('{'), "{message}");
    }

    #[test]
    fn mutations_differ_from_each_other_and_are_the_same_each_time() {
        let inputs = kept("json");
        let [one, other] = [(); 2].map(|()| Mutations::of(&inputs).take(100).collect::<Vec<_>>());
        assert_eq!(one, other);
        let different: std::collections::BTreeSet<_> = one.iter().chain(&inputs).collect();
        assert!(different.len() > 90 + inputs.len(), "{}", different.len());
    }
}
