//! Memory: of this machine, and in words.

/// Bytes per MiB.
pub(crate) const MIB: u64 = 1 << 20;

/// Memory that a worker offers which was not told to offer more, MiB.
const USUAL_MIB: u32 = 2048;

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

/// What is to be said of the memory that a worker needs.
pub(crate) fn warnings(needed: u32, free: Option<u64>) -> Vec<String> {
	let mut warnings = Vec::new();
	if needed > USUAL_MIB {
		let usual = words(USUAL_MIB.into());
		let needed = words(needed.into());
		warnings.push(format!(
			"a worker needs {needed} of memory, and offers {usual} unless told otherwise: perhaps nobody bids"
		));
	}
	let free = free.map(|bytes| bytes / MIB).filter(|free| u64::from(needed) > *free);
	if let Some(free) = free {
		let (needed, free) = (words(needed.into()), words(free));
		warnings.push(format!(
			"running it here with `assay job run` takes {needed} of memory, this machine has {free} free"
		));
	}
	warnings
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

	#[test]
	fn much_memory_is_warned_of() {
		assert!(warnings(2, Some(1 << 30)).is_empty());
		assert!(warnings(2, None).is_empty());
		let found = warnings(40_000, Some(3 << 30));
		assert!(found[0].contains("needs 39 GiB of memory") && found[0].contains("2048 MiB"), "{found:?}");
		assert!(found[1].contains("takes 39 GiB") && found[1].contains("3072 MiB free"), "{found:?}");
		assert_eq!(warnings(2_000, Some(1 << 30)).len(), 1);
	}
}
