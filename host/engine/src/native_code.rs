//! Native code of a component, which can be kept and loaded again.

use wasmtime::Engine;
use wasmtime::component::Component;

/// What the compiler made of a component. It can be kept as [bytes](Self::bytes) and loaded by a
/// later process.
#[derive(Debug)]
pub struct NativeCode(Vec<u8>);

impl NativeCode {
    /// Takes what the compiler returned.
    pub(crate) fn compiled(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Takes back code that was kept.
    ///
    /// # Safety
    ///
    /// `bytes` must be exactly what [`bytes`](Self::bytes) returned, in this process or an earlier
    /// one. Loading the code runs it, so anybody who can choose the bytes can do whatever this
    /// process can. A hash beside them finds damage; only the permissions of the file keep others
    /// from writing both.
    #[expect(unsafe_code, reason = "the promise that the caller makes cannot be checked")]
    pub unsafe fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The code, to be kept.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes the code ready to run.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the code is that of another version or needs what this processor does not
    /// have.
    #[expect(unsafe_code, reason = "there is no safe way to load what was compiled before")]
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes are what the compiler returned: `compiled` takes them from it, and
        // callers of `from_bytes` promise it. wasmtime checks that they fit this version, these
        // settings and this processor.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
