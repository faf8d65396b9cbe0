//! Exports the measured work. The host prepares an input once and calls the measured export many times.
#![no_std]

extern crate alloc;

mod heap;
#[path = "../../../bench/src/work.rs"]
#[allow(dead_code, reason = "the host alone prints names and costs")]
mod work;

use alloc::{boxed::Box, vec, vec::Vec};
use work::{MicroOp, Operands};

/// What measured calls return when the work has no result.
const NONE: u64 = u64::MAX;

/// The operands of [`fma_each`] and [`fma_chain`].
#[no_mangle]
extern "C" fn operands() -> *const Operands {
	Box::leak(Box::new(Operands::new()))
}

/// Exclusive or of independent operations.
///
/// # Safety
///
/// `operands` comes from [`operands`].
#[no_mangle]
unsafe extern "C" fn fma_each(operands: *const Operands) -> u64 {
	// SAFETY: the value was leaked, so it lives as long as the instance.
	u64::from(unsafe { &*operands }.each())
}

/// Result of a chain of operations.
///
/// # Safety
///
/// `operands` comes from [`operands`].
#[no_mangle]
unsafe extern "C" fn fma_chain(operands: *const Operands) -> u64 {
	// SAFETY: the value was leaked, so it lives as long as the instance.
	u64::from(unsafe { &*operands }.chain())
}

/// The largest micro-op of a case; null if there is no such case.
#[no_mangle]
extern "C" fn micro_op(case: u32) -> *const MicroOp {
	let found = work::cases().get(case as usize).and_then(MicroOp::largest);
	found.map_or(core::ptr::null(), |found| Box::leak(Box::new(found)))
}

/// Digest of the result of a micro-op.
///
/// # Safety
///
/// `micro_op` comes from [`micro_op`] and is not null.
#[no_mangle]
unsafe extern "C" fn execute(micro_op: *const MicroOp) -> u64 {
	// SAFETY: the value was leaked, so it lives as long as the instance.
	let micro_op = unsafe { &*micro_op };
	heap::scope(|| micro_op.execute().map_or(NONE, u64::from))
}

/// `len` bytes for the host to write.
#[no_mangle]
extern "C" fn reserve(len: usize) -> *mut u8 {
	let bytes: &'static mut Vec<u8> = Box::leak(Box::new(vec![0; len]));
	bytes.as_mut_ptr()
}

/// Rules on an encoded claim, which the encoded evidence follows: 1 if it is upheld, 0 if not.
///
/// # Safety
///
/// `bytes` comes from [`reserve`] of at least `claim_len + evidence_len`.
#[no_mangle]
unsafe extern "C" fn rule(bytes: *const u8, claim_len: usize, evidence_len: usize) -> u64 {
	// SAFETY: the bytes were leaked and are initialised.
	let bytes = unsafe { core::slice::from_raw_parts(bytes, claim_len + evidence_len) };
	let (claim, evidence) = bytes.split_at(claim_len);
	heap::scope(|| work::rule(claim, evidence).map_or(NONE, u64::from))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
	core::arch::wasm32::unreachable()
}
