#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| elt_host::fuzzing::config(input));
