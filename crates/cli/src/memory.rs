//! Memory of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Bytes of memory that are free, where the system says so in a file: of the machine, or of the control group (a container, a job
/// of a cluster) or under the limit of this process (`ulimit -v`) where these have fewer.
pub(crate) fn available() -> Option<u64> {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let process = of_process(&text("/proc/self/limits"), &text("/proc/self/status"));
    let groups = text("/proc/self/cgroup");
    let all = of_machine(&text("/proc/meminfo")).into_iter().chain(process);
    all.chain(groups.lines().filter_map(of_group)).min()
}

/// What the limit of the address space leaves, where there is one.
fn of_process(limits: &str, status: &str) -> Option<u64> {
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit = limit.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(limit.saturating_sub(kilobytes(status, "VmSize:")?))
}

/// A number of a file of lines such as "VmSize:   12 kB", in bytes.
fn kilobytes(lines: &str, name: &str) -> Option<u64> {
    let line = lines.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn of_machine(info: &str) -> Option<u64> {
    kilobytes(info, "MemAvailable:")
}

/// What the limits of a control group and of those above it leave, given its line in /proc/self/cgroup.
fn of_group(line: &str) -> Option<u64> {
    let (root, path, [limit, used]) = group(line)?;
    let number =
        |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let left = |folder: &Path| Some(number(folder, limit)?.saturating_sub(number(folder, used)?));
    let folder = root.join(path);
    // In a container, the group's own path may not be there, and the root is the container's.
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(&root));
    folders.filter_map(left).min()
}

/// The root of the groups, the path of one below it, and the files with its limit and its use: of version 2, or of memory in
/// version 1.
fn group(line: &str) -> Option<(PathBuf, &str, [&'static str; 2])> {
    let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
    let path = path.trim_start_matches('/');
    match controllers {
        "" => Some(("/sys/fs/cgroup".into(), path, ["memory.max", "memory.current"])),
        "memory" => {
            Some(("/sys/fs/cgroup/memory".into(), path, ["memory.limit_in_bytes", "memory.usage_in_bytes"]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_system_are_read() {
        assert_eq!(of_machine("MemTotal:  9 kB\nMemAvailable:   12 kB\n"), Some(12 << 10));
        assert_eq!(of_machine("MemTotal:  9 kB\n"), None);
        let limits = |soft: &str| {
            format!("Max open files 1 1 files\nMax address space   {soft}   unlimited   bytes\n")
        };
        assert_eq!(of_process(&limits("5000"), "VmPeak: 9 kB\nVmSize:\t    3 kB\n"), Some(5000 - 3072));
        assert_eq!(of_process(&limits("2000"), "VmSize: 3 kB\n"), Some(0));
        assert_eq!(of_process(&limits("unlimited"), "VmSize: 3 kB\n"), None);
        let place = |line| group(line).map(|(root, path, _)| root.join(path));
        assert_eq!(place("0::/slurm/job_7/step_0"), Some("/sys/fs/cgroup/slurm/job_7/step_0".into()));
        assert_eq!(place("9:memory:/job"), Some("/sys/fs/cgroup/memory/job".into()));
        assert_eq!(place("3:cpu,cpuacct:/job"), None);
        assert_eq!(place(""), None);
    }
}
