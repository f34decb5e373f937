//! Memory of this machine.

use std::fs;

/// Bytes of memory that are free, where the system says so in a file: of the machine, or of the container where that has fewer.
pub(crate) fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|info| of_machine(&info));
    machine.into_iter().chain(of_container()).min()
}

fn of_machine(info: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn of_container() -> Option<u64> {
    let number =
        |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_system_are_read() {
        assert_eq!(of_machine("MemTotal:  9 kB\nMemAvailable:   12 kB\n"), Some(12 << 10));
        assert_eq!(of_machine("MemTotal:  9 kB\n"), None);
    }
}
