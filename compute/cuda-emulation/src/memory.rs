//! Memory of an emulated device: words of this machine with guards around them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use assay_cuda::{Buffer, CudaError};

use crate::ptx::Access;

/// Words on either side of a buffer that no kernel may write.
const GUARD: usize = 64;
const GUARD_WORD: u32 = 0xa5a5_5a5a;
/// What fresh memory holds: a NaN, so that a read of it shows.
const FRESH: u32 = 0xffde_ad01;

/// Words aligned like device memory.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(256))]
struct Line([u32; 64]);

/// Memory with a guard on both sides.
#[derive(Debug)]
pub(crate) struct Memory {
	lines: Mutex<Vec<Line>>,
	pub(crate) words: usize,
}

impl Memory {
	/// The address of word 0. Kernels write through it, so it comes from a mutable borrow.
	fn address(&self) -> u64 {
		let mut lines = lock(&self.lines);
		lines.as_mut_ptr().cast::<u32>().wrapping_add(GUARD) as u64
	}

	/// All words, guards included.
	pub(crate) fn with<R>(&self, look: impl FnOnce(&mut [u32]) -> R) -> R {
		let mut lines = lock(&self.lines);
		let len = lines.len() * 64;
		// SAFETY: a line is 64 words, and the borrow is held while they are looked at.
		look(unsafe { core::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), len) })
	}

	pub(crate) fn guards_hold(&self) -> bool {
		self.with(|words| {
			let (before, rest) = words.split_at(GUARD);
			before.iter().chain(&rest[self.words..]).all(|word| *word == GUARD_WORD)
		})
	}
}

/// What a thread that panicked left is whole: each change is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A buffer of an [`Emulated`](crate::Emulated) device.
#[derive(Debug)]
pub struct EmulatedBuffer(Arc<Memory>);

impl EmulatedBuffer {
	/// So many words, if this machine has them.
	pub(crate) fn new(words: u64) -> Option<Self> {
		let words = usize::try_from(words).ok().filter(|words| *words <= isize::MAX as usize / 8)?;
		let lines_needed = (words + 2 * GUARD).div_ceil(64);
		let mut lines = Vec::new();
		lines.try_reserve_exact(lines_needed).ok()?;
		lines.resize(lines_needed, Line([GUARD_WORD; 64]));
		let memory = Memory { lines: Mutex::new(lines), words };
		memory.with(|all| all[GUARD..][..words].fill(FRESH));
		Some(Self(Arc::new(memory)))
	}

	/// The memory, for as long as the buffer lives.
	pub(crate) fn memory(&self) -> Weak<Memory> {
		Arc::downgrade(&self.0)
	}

	/// Its first `count` words, if it has so many.
	pub(crate) fn first<R>(&self, count: usize, look: impl FnOnce(&mut [u32]) -> R) -> Result<R, CudaError> {
		match count <= self.0.words {
			true => Ok(self.0.with(|all| look(&mut all[GUARD..][..count]))),
			false => Err(CudaError::Length { given: count as u64, holds: self.words() }),
		}
	}
}

impl Buffer for EmulatedBuffer {
	fn address(&self) -> u64 {
		self.0.address()
	}

	fn words(&self) -> u64 {
		self.0.words as u64
	}
}

/// Where the living buffers are: start and end, ascending.
pub(crate) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
	pub(crate) fn of(buffers: &[Weak<Memory>]) -> Self {
		let living = buffers.iter().filter_map(Weak::upgrade);
		let mut ranges: Vec<_> =
			living.map(|memory| (memory.address(), memory.address() + 4 * memory.words as u64)).collect();
		ranges.sort_unstable();
		Self(ranges)
	}
}

impl Access for Ranges {
	fn holds(&self, address: u64, bytes: u64) -> bool {
		let after = self.0.partition_point(|(start, _)| *start <= address);
		let range = after.checked_sub(1).and_then(|index| self.0.get(index));
		range.is_some_and(|(_, end)| address.checked_add(bytes).is_some_and(|to| to <= *end))
	}
}
