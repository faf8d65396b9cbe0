//! Weights of the calls, from what the benchmarks measured.
//!
//! Evidence about a micro-operation is charged by its scalar operations, evidence about the state after a step as for the
//! longest proofs, and both by their bytes, which are mostly opened chunks. Before a call has run, the dearer is charged.

#[allow(clippy::extra_unused_type_parameters)]
mod measured;

use assay_protocol::dispute::MAX_EVIDENCE;
use core::marker::PhantomData;
use frame_support::weights::Weight;

/// Most scalar operations of one micro-operation.
pub const MAX_OPS: u64 = assay_program::refine::MAX_MICRO_OPS;
/// Most bytes of evidence.
pub const MAX_BYTES: u32 = MAX_EVIDENCE as u32;

/// What each call costs.
pub trait WeightInfo {
	/// `play` with a move of `bytes` bytes.
	fn play(bytes: u32) -> Weight;
	/// `submit_evidence` with `bytes` bytes whose micro-operation takes `ops` scalar operations: none where the state after a
	/// step is ruled on, [`MAX_OPS`], which none takes, while it is not known.
	fn submit_evidence(bytes: u32, ops: u64) -> Weight;
	/// `timeout`.
	fn timeout() -> Weight;
	/// What the receiver of a verdict does: slashes, ends the lease, dismisses other disputes. Measured with the receiver.
	fn verdict() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// KiB of some bytes, rounded up.
fn kib(bytes: u32) -> u64 {
	bytes.div_ceil(1 << 10).into()
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn play(bytes: u32) -> Weight {
		let size = measured::play_refused::<T>(kib(bytes)).saturating_sub(measured::play_refused::<T>(0));
		measured::play::<T>().saturating_add(size)
	}

	fn submit_evidence(bytes: u32, ops: u64) -> Weight {
		let openings = measured::openings::<T>(kib(bytes)).saturating_sub(measured::openings::<T>(0));
		let executed = measured::submit_evidence::<T>(ops);
		let stated = measured::submit_state::<T>();
		let ruled = match ops {
			0 => stated,
			1..MAX_OPS => executed,
			_ => executed.max(stated),
		};
		ruled.saturating_add(openings)
	}

	fn timeout() -> Weight {
		measured::timeout::<T>()
	}

	fn verdict() -> Weight {
		// Measured for the first draw's checks; later tranches may add as many, and as many disputes.
		measured::verdict::<T>().saturating_mul(2)
	}
}

/// For tests.
impl WeightInfo for () {
	fn play(_: u32) -> Weight {
		Weight::zero()
	}

	fn submit_evidence(_: u32, _: u64) -> Weight {
		Weight::zero()
	}

	fn timeout() -> Weight {
		Weight::zero()
	}

	fn verdict() -> Weight {
		Weight::zero()
	}
}
