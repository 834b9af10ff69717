//! Isolates the process on Linux.
//!
//! Landlock says which files the process can open, seccomp which calls it can make. Neither can be
//! undone. Both hold for this thread and those that it starts, so it must be the only one.

use std::path::{Path, PathBuf};

use elt_host::Result;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};

use super::Files;
use super::calls::forbid;

/// What the libraries read: names and their servers, certificates, plugins of name services.
const READ: [&str; 26] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/var/lib/ca-certificates",
    "/proc/self",
    "/sys/fs/cgroup",
    "/dev/null",
    "/dev/urandom",
];
/// The oldest Landlock, which is in Linux 5.13.
const OLDEST: ABI = ABI::V1;
/// The newest that is made use of where it is there: truncation, special files, TCP, signals.
const NEWEST: ABI = ABI::V6;

/// Leaves this process these files, the network and what its libraries read.
///
/// # Errors
///
/// A config error if the kernel cannot do that, or if there are other threads already.
pub(super) fn isolate(files: &Files) -> Result<()> {
    match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
        Ok(1) => {}
        Ok(_) => return Err(super::refused("there are threads already")),
        Err(_) => return Err(super::refused("/proc does not show this process")),
    }
    confine(files)
}

fn confine(files: &Files) -> Result<()> {
    restrict(files).map_err(|error| super::refused(&error.to_string()))?;
    forbid().map_err(|error| super::refused(&error.to_string()))
}

fn restrict(files: &Files) -> Result<(), RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write: BitFlags<_> =
        read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let fill = write | AccessFs::MakeDir;
    let folders = files.written.iter().flat_map(|path| folders(path));
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(OLDEST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?
        // What is not there is left out.
        .add_rules(path_beneath_rules(READ, read))?
        .add_rules(path_beneath_rules(&files.read, read))?
        .add_rules(path_beneath_rules(folders, write))?
        .add_rules(path_beneath_rules(&files.filled, fill))?
        .restrict_self()
        .map(|_| ())
}

/// The folder that a path names, and the one that its links lead to.
fn folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    [Some(folder(path)), path.canonicalize().ok().map(|path| folder(&path))].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind::PermissionDenied;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    use std::thread;

    use libc::{AF_INET, SOCK_STREAM};

    use super::super::sockets::tests::{bind, socket};
    use super::*;

    /// Whether this kernel's Landlock knows TCP, as from Linux 6.7 on.
    fn knows_tcp() -> bool {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        ruleset.handle_access(AccessNet::BindTcp).is_ok()
    }

    #[test]
    fn only_the_files_that_are_named_can_be_opened_and_no_program_be_started() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("out")).unwrap();
        fs::create_dir(at("filled")).unwrap();
        fs::create_dir(at("cache")).unwrap();
        fs::write(at("cache/code"), "code").unwrap();
        fs::write(at("config"), "config").unwrap();
        fs::write(at("other"), "other").unwrap();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let files = Files {
            read: vec![at("config"), at("cache")],
            written: vec![at("out/state"), at("missing/x")],
            filled: vec![at("filled")],
        };
        let [config, other, out, filled, cache] = ["config", "other", "out", "filled", "cache"].map(at);
        // It holds for this thread and those that it starts, and for no other test.
        let confined = thread::spawn(move || {
            if let Err(error) = confine(&files) {
                assert!(error.message().contains("--isolate") && error.hint().is_some(), "{error}");
                return;
            }
            let denied = |result: std::io::Result<()>| {
                assert_eq!(result.map_err(|error| error.kind()), Err(PermissionDenied));
            };
            assert_eq!(fs::read_to_string(&config).unwrap(), "config");
            fs::write(out.join("new"), "state").unwrap();
            fs::rename(out.join("new"), out.join("state")).unwrap();
            fs::create_dir(filled.join("stream")).unwrap();
            fs::write(filled.join("stream/.part"), "part").unwrap();
            fs::rename(filled.join("stream/.part"), filled.join("stream/part")).unwrap();
            fs::File::open(filled.join("stream")).unwrap().sync_all().unwrap();
            assert_eq!(fs::read_to_string(cache.join("code")).unwrap(), "code");
            TcpStream::connect(address).unwrap();

            let read = other.clone();
            denied(thread::spawn(move || fs::read(read).map(drop)).join().unwrap());
            denied(fs::write(&config, "changed"));
            denied(fs::remove_file(&other));
            denied(fs::read_dir("/").map(drop));
            denied(fs::read("/etc/passwd").map(drop));
            denied(fs::create_dir(out.join("folder")));
            denied(fs::create_dir(cache.join("folder")));
            denied(fs::write(cache.join("new"), "code"));
            denied(fs::write(cache.join("code"), "other"));
            denied(fs::remove_file(cache.join("code")));
            denied(std::os::unix::fs::symlink(&other, out.join("link")));
            denied(fs::set_permissions(&config, fs::Permissions::from_mode(0o777)));
            denied(Command::new("/bin/sh").arg("-c").arg(":").status().map(drop));
            // Landlock does that where musl may bind.
            if cfg!(not(target_env = "musl")) || knows_tcp() {
                denied(bind(&socket(AF_INET, SOCK_STREAM, 0).unwrap()));
            }
        });
        confined.join().unwrap();
        assert_eq!(fs::read_to_string(at("config")).unwrap(), "config");
        assert!(at("other").exists());
        assert!(Command::new("/bin/sh").arg("-c").arg(":").status().is_ok_and(|status| status.success()));
    }
}
