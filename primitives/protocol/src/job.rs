//! What a client asks for, as the chain stores it.

use crate::{Balance, BlockNumber, Hash};
use alloc::vec::Vec;
use assay_program::commitment::ProgramCommitment;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest data-plane address, bytes.
pub const MAX_ENDPOINT: u32 = 128;

/// How the order is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Clearing {
	/// The lowest bid after a window wins; ties go to the earlier bid.
	BestBid {
		/// Blocks that bids are taken for.
		window: BlockNumber,
	},
	/// The first bid at or below a price that rises from `start` to the offer's maximum wins at once.
	Ramp {
		/// Price at the first block.
		start: Balance,
		/// Blocks until the maximum is reached; the order stays open at the maximum.
		duration: BlockNumber,
	},
}

/// What the client pays at most, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Offer {
	/// Most the client pays the worker for the whole job.
	pub max_price: Balance,
	/// How the order is cleared.
	pub clearing: Clearing,
	/// Blocks after posting by which the job must be finished.
	pub deadline: BlockNumber,
}

/// How much of the work is re-executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Verify {
	/// `k`: segments drawn per milestone, besides its last, which is always checked.
	pub drawn: u32,
	/// `v`: verifiers per checked segment.
	pub verifiers: u32,
	/// What an undetected wrong result would be worth to the client.
	pub insured_value: Balance,
	/// Paid to each verifier for each honest check.
	pub fee_per_check: Balance,
}

/// The order as the chain stores it: at most 1 KB.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct JobSpec {
	/// Commitment to the program; every dispute opens against it.
	pub program: ProgramCommitment,
	/// BLAKE3 of the SCALE-encoded program: where to fetch it.
	pub program_blob: Hash,
	/// State root before the first step, a function of the program.
	pub initial_root: Hash,
	/// Segments of each milestone; the last milestone may be shorter.
	pub milestone_segments: u32,
	/// What the client pays at most, and until when.
	pub offer: Offer,
	/// How much of the work is re-executed.
	pub verify: Verify,
	/// Memory a worker needs, MiB, as the cost model predicts.
	pub memory_mib: u32,
	/// Data-plane address (multiaddr text with peer id) that serves the program and the data. At most [`MAX_ENDPOINT`] bytes.
	pub endpoint: Vec<u8>,
}
