//! How the C library's allocator gives memory back.

/// Makes the allocator give large blocks back to the system as soon as they are freed, for commands
/// that gather rows. Threads hand batches of records to the one that writes, so otherwise their
/// blocks leave gaps that nothing fits into: a third of the peak. Costs some processor
/// time, since such blocks come empty from the system. Does nothing but with glibc.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::give_back();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    /// Bytes of a block that is mapped by itself. By default this grows with what is freed, up to
    /// 32 MiB.
    const LARGE: libc::c_int = 64 * 1024;

    #[expect(unsafe_code, reason = "there is no other way to tell the allocator")]
    pub(super) fn give_back() {
        // SAFETY: it sets a number, under the allocator's lock. A failure changes nothing.
        let _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    }
}
