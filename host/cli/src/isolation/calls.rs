//! The system calls that an isolated process cannot make. None of them is one that the host makes.

use std::collections::BTreeMap;

use libc::{
    CLONE_THREAD, ENOSYS, EPERM, SYS_accept, SYS_accept4, SYS_acct, SYS_add_key, SYS_bpf, SYS_chroot,
    SYS_clone, SYS_clone3, SYS_delete_module, SYS_execve, SYS_execveat, SYS_fchmodat, SYS_fchownat,
    SYS_finit_module, SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, SYS_init_module, SYS_io_uring_setup,
    SYS_ioctl, SYS_kcmp, SYS_kexec_file_load, SYS_kexec_load, SYS_keyctl, SYS_listen, SYS_lremovexattr,
    SYS_lsetxattr, SYS_mount, SYS_mount_setattr, SYS_move_mount, SYS_mq_open, SYS_msgget,
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_open_tree, SYS_perf_event_open, SYS_personality,
    SYS_pidfd_getfd, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_pivot_root, SYS_prlimit64,
    SYS_process_madvise, SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace, SYS_quotactl, SYS_reboot,
    SYS_removexattr, SYS_request_key, SYS_semget, SYS_setns, SYS_setxattr, SYS_shmat, SYS_shmget,
    SYS_swapoff, SYS_swapon, SYS_umount2, SYS_unshare, SYS_userfaultfd, SYS_utimensat,
};
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};

use super::sockets;

/// Other programs, other processes, the kernel's own parts, connections from elsewhere, and what
/// files have besides their content: Landlock looks at that only.
const FORBIDDEN: &[i64] = &[
    SYS_accept,
    SYS_accept4,
    SYS_acct,
    SYS_add_key,
    SYS_bpf,
    SYS_chroot,
    SYS_delete_module,
    SYS_execve,
    SYS_execveat,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_finit_module,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fsopen,
    SYS_fspick,
    SYS_init_module,
    SYS_io_uring_setup,
    SYS_kcmp,
    SYS_kexec_file_load,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_listen,
    SYS_lremovexattr,
    SYS_lsetxattr,
    SYS_mount,
    SYS_mount_setattr,
    SYS_move_mount,
    SYS_mq_open,
    SYS_msgget,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_perf_event_open,
    SYS_personality,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_pivot_root,
    SYS_process_madvise,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_ptrace,
    SYS_quotactl,
    SYS_reboot,
    SYS_removexattr,
    SYS_request_key,
    SYS_semget,
    SYS_setns,
    SYS_setxattr,
    SYS_shmat,
    SYS_shmget,
    SYS_swapoff,
    SYS_swapon,
    SYS_umount2,
    SYS_unshare,
    SYS_userfaultfd,
    SYS_utimensat,
    // Elsewhere, each is a form of another call.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fchmodat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];
/// What the second set of calls of `x86_64`, x32, adds to the numbers of those it shares, and the
/// numbers of its own. Few kernels have it, and no program that is compiled for `x86_64` calls it.
#[cfg(target_arch = "x86_64")]
const X32: (i64, std::ops::RangeInclusive<i64>) = (0x4000_0000, 512..=547);
/// `TIOCSTI` and `TIOCLINUX`, which type into a terminal, and so into the shell that started this
/// process (Linux, `asm-generic/ioctls.h`).
const TYPING: [u64; 2] = [0x5412, 0x541c];
/// Forbids them to this thread and those that it starts.
///
/// # Errors
///
/// Those of the kernel.
pub(super) fn forbid() -> Result<(), Error> {
    let condition = |argument, operator, value: i32| {
        SeccompCondition::new(argument, Dword, operator, u64::from(value.cast_unsigned()))
    };
    let process = vec![condition(0, MaskedEq(u64::from(CLONE_THREAD.cast_unsigned())), 0)?];
    let mut rules: BTreeMap<_, _> = FORBIDDEN.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    {
        let (bit, own) = X32;
        let shared =
            FORBIDDEN.iter().copied().chain([SYS_clone, SYS_clone3, SYS_ioctl]).chain(sockets::CALLS);
        rules.extend(shared.chain(own).map(|call| (call | bit, Vec::new())));
    }
    let typing: Result<Vec<_>, _> = TYPING
        .iter()
        .map(|request| SeccompRule::new(vec![SeccompCondition::new(1, Dword, Eq, *request)?]))
        .collect();
    rules.insert(SYS_ioctl, typing?);
    // Of other processes, not of this one.
    rules.insert(SYS_prlimit64, vec![SeccompRule::new(vec![condition(0, Ne, 0)?])?]);
    rules.extend(sockets::forbidden()?);
    rules.insert(SYS_clone, vec![SeccompRule::new(process)?]);
    apply(rules, EPERM)?;
    // Its arguments cannot be looked at. Without it, threads are started by the older call.
    apply(BTreeMap::from([(SYS_clone3, Vec::new())]), ENOSYS)
}

/// Lets these calls fail with `error`, and all others pass.
fn apply(rules: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> Result<(), Error> {
    let error = SeccompAction::Errno(error.cast_unsigned());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, error, std::env::consts::ARCH.try_into()?)?;
    apply_filter(&BpfProgram::try_from(filter)?)
}
