//! What daemons ask each other over the data plane's control requests, SCALE encoded.

use assay_commitment::BoundaryOpening;
use assay_protocol::{Hash, JobId, MilestoneIndex, SegmentIndex};
use codec::{Decode, Encode};

/// A request. The asking peer is authenticated by the data plane.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Request {
	/// A drawn verifier asks the worker for the state before its segment.
	#[codec(index = 0)]
	PreState {
		/// The job.
		job: JobId,
		/// Attempt of the lease.
		attempt: u32,
		/// The milestone.
		milestone: MilestoneIndex,
		/// The segment, counted over the job.
		segment: SegmentIndex,
	},
	/// Anyone asks for a verified state: to resume from it, or to have the result.
	#[codec(index = 1)]
	Verified {
		/// The job.
		job: JobId,
		/// The verified state root.
		root: Hash,
	},
	/// A drawn verifier asks the worker for what it claims of a segment of a generation: all tokens but each sequence's last,
	/// so that they can be checked in one pass. They are no answer by themselves: that takes the logits of all positions.
	#[codec(index = 2)]
	Claims {
		/// The job.
		job: JobId,
		/// Attempt of the lease.
		attempt: u32,
		/// The milestone.
		milestone: MilestoneIndex,
		/// The segment, counted over the job.
		segment: SegmentIndex,
	},
}

/// An answer. A refusal travels as the data plane's own typed refusal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Reply {
	/// Answers [`Request::PreState`]: the blob may be fetched from now on by who asked.
	#[codec(index = 0)]
	PreState {
		/// Proves the state root before the segment; `None` for a milestone's first segment, whose pre-state is verified.
		opening: Option<BoundaryOpening>,
		/// Blob of the state.
		checkpoint: Hash,
	},
	/// Answers [`Request::Verified`].
	#[codec(index = 1)]
	Verified {
		/// Blob of the state.
		checkpoint: Hash,
	},
	/// Answers [`Request::Claims`]: the blob may be fetched from now on by who asked.
	#[codec(index = 2)]
	Claims {
		/// Blob of the tokens, 32 bits each, little endian.
		tokens: Hash,
	},
}

/// Codes of refusals.
pub mod refusal {
	/// The request cannot be decoded.
	pub const MALFORMED: u32 = 1;
	/// The asking peer is not who may have this.
	pub const NOT_ENTITLED: u32 = 2;
	/// The state is not here.
	pub const NOT_HERE: u32 = 3;
	/// Reading the chain or the disk failed; ask again.
	pub const TRY_AGAIN: u32 = 4;
}
