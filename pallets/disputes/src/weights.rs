//! Weights of the calls, derived by hand: storage accesses counted from the code, hashing and the referee from the
//! measured times of their primitives with a margin. To be replaced by the benchmarks on reference hardware.
//!
//! The referee takes some 9 ns per scalar operation, native and as wasm; 20 ns are charged. BLAKE3 as wasm takes below
//! 4 ns per byte; evidence is decoded and hashed once, and 10 ns per byte are charged.

use assay_protocol::dispute::MAX_EVIDENCE;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Most scalar operations of one micro-operation.
pub const MAX_OPS: u64 = assay_program::refine::MAX_MICRO_OPS;
/// Most bytes of evidence.
pub const MAX_BYTES: u32 = MAX_EVIDENCE as u32;

/// What each call costs.
pub trait WeightInfo {
	/// `play` with a move of `bytes` bytes.
	fn play(bytes: u32) -> Weight;
	/// `submit_evidence` with `bytes` bytes whose micro-operation takes `ops` scalar operations.
	fn submit_evidence(bytes: u32, ops: u64) -> Weight;
	/// `timeout`.
	fn timeout() -> Weight;
	/// What the receiver of a verdict does: slashes, ends the lease, dismisses other disputes.
	fn verdict() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Picoseconds per byte decoded and hashed.
const BYTE: u64 = 10_000;
/// Picoseconds per scalar operation of the referee.
const OP: u64 = 20_000;
/// Encoded size of a dispute with its trie nodes, rounded up.
const RECORD: u64 = 9_000;
/// Encoded size of what a verdict touches at the neighbours: round, job, operators, index of verifiers.
const VERDICT: u64 = 120_000;

fn weight<T: frame_system::Config>(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(1_000_000), proof)
		.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	// Five Merkle proofs of 32 hashes at most: 160 compressions of 0.3 us, or one frontier. Dispute.
	fn play(bytes: u32) -> Weight {
		weight::<T>(120, RECORD, 1, 1).saturating_add(Weight::from_parts(BYTE.saturating_mul(bytes.into()), 0))
	}

	// Dispute, list of the job.
	fn submit_evidence(bytes: u32, ops: u64) -> Weight {
		let work = BYTE.saturating_mul(bytes.into()).saturating_add(OP.saturating_mul(ops));
		weight::<T>(200, RECORD, 2, 2).saturating_add(Weight::from_parts(work, 0))
	}

	fn timeout() -> Weight {
		weight::<T>(40, RECORD, 2, 2)
	}

	// Round, run-ahead rounds, job, lease, up to 64 checks' operators and the index, bonds and holds of three accounts,
	// up to 63 other disputes dismissed.
	fn verdict() -> Weight {
		weight::<T>(4_000, VERDICT, 150, 150)
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
