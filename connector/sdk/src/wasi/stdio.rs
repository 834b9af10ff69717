//! Stands in for what std takes from the C library: the environment, and output.
//!
//! std asks for `RUST_BACKTRACE` and prints the message of a panic. Through the C library, that
//! brings ten interfaces of `wasi:cli` into every component, standard input and terminals among
//! them, and 12 kB. The linker takes these functions instead, so a connector imports none of it.
//! A panic's message goes to the log.

#![allow(unsafe_code, reason = "functions that C and std call by name")]

use std::ffi::{c_char, c_int, c_void};
use std::{ptr, slice};

use crate::bindings::elt::connector::log::{Level, log};

/// One part of what `writev` writes, as C lays it out.
#[repr(C)]
#[derive(Debug)]
struct Part {
    start: *const u8,
    length: usize,
}

/// There is no environment.
#[unsafe(no_mangle)]
extern "C" fn getenv(_: *const c_char) -> *const c_char {
    ptr::null()
}

/// Writes to the log as an error, whatever the file: nothing but a panic writes.
///
/// # Safety
///
/// `start` points to `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(_: c_int, start: *const c_void, length: usize) -> isize {
    if length == 0 {
        // C allows a null pointer then, and a slice does not.
        return 0;
    }
    // SAFETY: the caller says so.
    let bytes = unsafe { slice::from_raw_parts(start.cast::<u8>(), length) };
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    if !text.is_empty() {
        log(Level::Error, text);
    }
    length.cast_signed()
}

/// Writes parts one after the other.
///
/// # Safety
///
/// `parts` points to `count` parts, each of which points to its bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(file: c_int, parts: *const Part, count: c_int) -> isize {
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else { return 0 };
    // SAFETY: the caller says so.
    let parts = unsafe { slice::from_raw_parts(parts, count) };
    // SAFETY: as above.
    parts.iter().map(|part| unsafe { write(file, part.start.cast(), part.length) }).sum()
}
