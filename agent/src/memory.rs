//! How much memory a program takes, and how much there is.

use assay_program::{Program, Role};
use std::{path::Path, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a MiB.
pub const MIB: u64 = 1 << 20;
/// What is taken where the machine does not say how much it has, MiB.
const UNKNOWN_MIB: u32 = 2048;

/// What a program takes, bytes. Meaningful for a valid program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
	data: u64,
	/// The largest data tensor or given initial value as a blob, beside the tensor that is read from it.
	blob: u64,
	state: u64,
	checkpoint: u64,
	temps: u64,
	all_temps: u64,
	declared: u64,
}

impl Need {
	/// Of a program.
	pub fn of(program: &Program) -> Self {
		let memory = program.memory();
		let (mut blob, mut checkpoint, mut all_temps) = (0u64, 0u64, 0u64);
		for decl in &program.tensors {
			let canonical = decl.spec().layout().map_or(0, |layout| layout.byte_len());
			if decl.role.given_root().is_some() {
				blob = blob.max(canonical);
			}
			match decl.role {
				Role::Data { .. } => {}
				Role::Param(_) | Role::State(_) => checkpoint = checkpoint.saturating_add(canonical),
				Role::Temp => all_temps = all_temps.saturating_add(decl.spec().bytes()),
			}
		}
		let declared = sum(&[memory.data, memory.data, memory.state, memory.state, memory.state, memory.temps]);
		Self { data: memory.data, blob, state: memory.state, checkpoint, temps: memory.temps, all_temps, declared }
	}

	/// To execute: data as tensors, one as a blob; the state live, encoded, and once more while its root is computed; the
	/// temps that are alive together.
	pub fn execution(&self) -> u64 {
		sum(&[self.data, self.blob, self.state, self.checkpoint, self.checkpoint, self.temps])
	}

	/// To execute and to play a dispute about it: the trace of a step keeps every temp, and the states before and after it.
	pub fn dispute(&self) -> u64 {
		let states = self.state.saturating_mul(4);
		self.execution().max(sum(&[self.data, self.blob, states, self.checkpoint, self.checkpoint, self.all_temps]))
	}

	/// What an honest order declares: data twice, the state three times, the temps, no padding.
	pub fn declared(&self) -> u64 {
		self.declared
	}

	/// Most bytes of a state as a blob.
	pub fn checkpoint(&self) -> u64 {
		// The header is far below.
		self.checkpoint.saturating_add(4096)
	}
}

fn sum(parts: &[u64]) -> u64 {
	parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
}

/// What a program is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
	/// To execute it.
	Execution,
	/// To execute it and play disputes about it.
	Dispute,
}

/// The memory that one program may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
	/// Bytes.
	pub bytes: u64,
	/// For what.
	pub purpose: Purpose,
}

impl Allowance {
	/// Whatever the machine has: for what this side is bound to, and for what a person asked for.
	pub const UNLIMITED: Self = Self { bytes: u64::MAX, purpose: Purpose::Execution };

	/// `mib` MiB.
	pub const fn mib(mib: u32, purpose: Purpose) -> Self {
		Self { bytes: mib as u64 * MIB, purpose }
	}

	/// What `need` comes to under this allowance.
	pub fn needed(&self, need: &Need) -> u64 {
		match self.purpose {
			Purpose::Execution => need.execution(),
			Purpose::Dispute => need.dispute(),
		}
	}
}

/// Memory that several computations share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
	mib: u32,
	free: Arc<Semaphore>,
}

/// Memory taken out of a [`Pool`]; returned when dropped.
#[derive(Debug)]
pub struct Share {
	_permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
	/// A pool of `mib` MiB.
	pub fn new(mib: u32) -> Self {
		let mib = mib.max(1);
		Self { mib, free: Arc::new(Semaphore::new(mib as usize)) }
	}

	/// Waits for `bytes`, in the order of asking. What is larger than the pool gets the whole pool.
	pub async fn share(&self, bytes: u64) -> Share {
		let mib = u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX).clamp(1, self.mib);
		// The semaphore is never closed.
		Share { _permit: self.free.clone().acquire_many_owned(mib).await.ok() }
	}
}

/// Half of what the machine has free now, MiB. The other half is for disputes, for the data plane and for others.
pub fn half_of_free() -> u32 {
	free().map_or(UNKNOWN_MIB, |bytes| u32::try_from(bytes / 2 / MIB).unwrap_or(u32::MAX).max(1))
}

/// Bytes that the machine has free and this process may take, where the system tells.
fn free() -> Option<u64> {
	let read = |path: &str| std::fs::read_to_string(Path::new(path)).ok();
	let machine = read("/proc/meminfo").and_then(|text| available(&text));
	let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
	// `max` in the first file stands for no limit.
	let group = number("/sys/fs/cgroup/memory.max")
		.zip(number("/sys/fs/cgroup/memory.current"))
		.map(|(most, taken)| most.saturating_sub(taken));
	match (machine, group) {
		(Some(machine), Some(group)) => Some(machine.min(group)),
		(machine, group) => machine.or(group),
	}
}

/// `MemAvailable` of `/proc/meminfo`, bytes.
fn available(text: &str) -> Option<u64> {
	let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
	let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
	kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::time::Duration;

	#[test]
	fn available_memory_is_read() {
		let text = "MemTotal:        8000000 kB\nMemFree:          100 kB\nMemAvailable:    4194304 kB\n";
		assert_eq!(available(text), Some(4 << 30));
		assert_eq!(available("MemTotal: 1 kB"), None);
		assert_eq!(available("MemAvailable: much"), None);
		assert!(half_of_free() > 0);
	}

	#[tokio::test]
	async fn a_pool_is_shared_and_given_back() {
		let pool = Pool::new(10);
		let first = pool.share(6 * MIB).await;
		let second = tokio::time::timeout(Duration::from_millis(20), pool.share(5 * MIB)).await;
		assert!(second.is_err(), "6 + 5 is more than 10");
		let small = pool.share(4 * MIB).await;
		drop((first, small));
		let all = pool.share(u64::MAX).await;
		assert!(tokio::time::timeout(Duration::from_millis(20), pool.share(1)).await.is_err());
		drop(all);
		pool.share(1).await;
	}
}
