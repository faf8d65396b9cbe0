//! A bump allocator. Measured calls give back what they took.

use core::{
	alloc::{GlobalAlloc, Layout},
	arch::wasm32::{memory_grow, memory_size},
	ptr::null_mut,
	sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

const PAGE: usize = 1 << 16;

struct Bump {
	/// First free byte; 0 before the first allocation.
	next: AtomicUsize,
}

#[global_allocator]
static HEAP: Bump = Bump { next: AtomicUsize::new(0) };

/// Runs `work` and frees everything that it allocated. Its result holds no allocation.
pub(crate) fn scope(work: impl FnOnce() -> u64) -> u64 {
	let before = HEAP.next.load(Relaxed);
	let result = work();
	HEAP.next.store(before, Relaxed);
	result
}

// SAFETY: an instance has one thread; blocks are disjoint, aligned and inside the memory, since `next` only moves past
// what was handed out, except at the end of a scope, when everything from there on was dropped.
unsafe impl GlobalAlloc for Bump {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		let end = memory_size(0) * PAGE;
		// What lies beyond the initial memory belongs to nobody else.
		let free = match self.next.load(Relaxed) {
			0 => end,
			next => next,
		};
		let Some(start) = free.checked_next_multiple_of(layout.align()) else { return null_mut() };
		let Some(next) = start.checked_add(layout.size()) else { return null_mut() };
		if next > end && memory_grow(0, (next - end).div_ceil(PAGE)) == usize::MAX {
			return null_mut();
		}
		self.next.store(next, Relaxed);
		start as *mut u8
	}

	unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
