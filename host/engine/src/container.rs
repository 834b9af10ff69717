//! The memory that a container gives this process, so that an error comes before the kernel's
//! killer.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The limits of the two versions of cgroups, within the folder of a group.
const FILES: [&str; 2] = ["memory.max", "memory.limit_in_bytes"];
/// Where groups are, and the one whose line names no controller or that of memory.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"];

/// What is always allowed. What connectors hold is counted rather too high, and one that is small
/// must not be stopped in a small container.
const LEAST: usize = 256 << 20;

/// Three quarters of the memory of the container, which leaves room for the rest of the process,
/// but 256 MiB at least. At most `most`, which counts alone where there is no container.
pub(crate) fn memory_limit(most: usize) -> usize {
    static LIMIT: OnceLock<Option<usize>> = OnceLock::new();
    let limit = LIMIT.get_or_init(|| {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        folders(&groups).iter().filter_map(|folder| limit_of(folder)).min()
    });
    limit.map_or(most, |limit| round(limit / 4 * 3).max(LEAST).min(most))
}

/// Less, so that a person sees the same number as the program: `768MiB`, `1.5GiB`.
fn round(bytes: usize) -> usize {
    let step = if bytes < 1 << 30 { 1 << 20 } else { 1 << 29 };
    bytes / step * step
}

/// The folders of the groups that this process may be in, and of all around them.
fn folders(groups: &str) -> Vec<PathBuf> {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).chain(["/"]);
    let within = |path: &str| {
        let inner = Path::new(path.trim_start_matches('/')).to_owned();
        ROOTS.map(|root| Path::new(root).join(&inner))
    };
    let groups: Vec<_> = paths.flat_map(within).collect();
    groups.iter().flat_map(|group| group.ancestors()).map(Path::to_owned).collect()
}

/// The limit of the group in this folder. Without one, the first version says a number beyond any
/// machine's memory.
fn limit_of(folder: &Path) -> Option<usize> {
    FILES.iter().find_map(|file| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_and_those_around_it_are_asked() {
        let folders = folders("0::/user.slice/a.service\n");
        for folder in ["/sys/fs/cgroup/user.slice/a.service", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"] {
            assert!(folders.contains(&PathBuf::from(folder)), "{folders:?}");
        }
    }

    #[test]
    fn a_limit_is_a_number() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(limit_of(folder.path()), None);
        fs::write(folder.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(limit_of(folder.path()), None);
        fs::write(folder.path().join("memory.max"), "1073741824\n").unwrap();
        assert_eq!(limit_of(folder.path()), Some(1 << 30));
    }

    #[test]
    fn a_part_of_a_limit_is_a_number_for_people() {
        for (bytes, text) in [(805_306_400, "768MiB"), (1_700_000_000, "1.5GiB"), (3 << 30, "3GiB")] {
            assert_eq!(crate::size::Size(round(bytes)).to_string(), text);
        }
    }

    #[test]
    fn no_container_gives_more_than_asked_for() {
        assert!(memory_limit(1) <= 1);
    }
}
