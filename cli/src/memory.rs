//! Memory: of this machine, and in words.

/// Bytes per MiB.
pub(crate) const MIB: u64 = 1 << 20;

/// Bytes that this machine has free, where the system tells.
pub(crate) fn free() -> Option<u64> {
	let read = |path: &str| std::fs::read_to_string(path).ok();
	let machine = read("/proc/meminfo").and_then(|text| available(&text));
	let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
	// The first file may say `max`: no limit.
	let group = number("/sys/fs/cgroup/memory.max")
		.zip(number("/sys/fs/cgroup/memory.current"))
		.map(|(most, taken)| most.saturating_sub(taken));
	machine.into_iter().chain(group).min()
}

/// `MemAvailable` of `/proc/meminfo`, bytes.
fn available(text: &str) -> Option<u64> {
	let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
	line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// So many MiB in words: GiB from 10 GiB on.
pub(crate) fn words(mib: u64) -> String {
	match mib {
		..10_240 => format!("{mib} MiB"),
		_ => format!("{} GiB", mib / 1024),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn memory_is_read_and_said() {
		assert_eq!(available("MemTotal: 8 kB\nMemAvailable:    4194304 kB\n"), Some(4 << 30));
		assert_eq!(available("MemTotal: 1 kB"), None);
		assert_eq!((words(512), words(20_480)), ("512 MiB".into(), "20 GiB".into()));
	}
}
