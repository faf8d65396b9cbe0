//! What can happen to a job. The field names are part of the command line's JSON: see docs/json-output.md.

use crate::units::smallest;
use assay_protocol::{Balance, MilestoneIndex, Reason, SegmentIndex};
use serde::Serialize;

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
	/// In which block.
	pub block: u64,
	/// What.
	#[serde(flatten)]
	pub event: Happening,
}

/// A reason as text and code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
	/// The stable code.
	pub code: u16,
	/// Its name.
	pub name: &'static str,
	/// One line.
	pub title: &'static str,
}

impl From<Reason> for Why {
	fn from(reason: Reason) -> Self {
		Self { code: reason.code(), name: reason.name(), title: reason.title() }
	}
}

/// What can happen to a job. Accounts are SS58 text, hashes hexadecimal, amounts text of the smallest unit. `until` and `deadline` are
/// the last block for something, if the chain is not paused before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Happening {
	Posted {
		client: String,
		#[serde(serialize_with = "smallest")]
		escrow: Balance,
	},
	Bid {
		worker: String,
		#[serde(serialize_with = "smallest")]
		price: Balance,
	},
	BidRemoved {
		worker: String,
		reason: Option<Why>,
	},
	Lease {
		worker: String,
		#[serde(serialize_with = "smallest")]
		price: Balance,
		#[serde(serialize_with = "smallest")]
		collateral: Balance,
		attempt: u32,
	},
	AuctionFailed,
	Committed {
		milestone: MilestoneIndex,
		root: String,
	},
	DrawWaits {
		milestone: MilestoneIndex,
		seed: String,
	},
	Drawn {
		milestone: MilestoneIndex,
		seed: String,
		segments: Vec<DrawnSegment>,
	},
	Redrawn {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifiers: Vec<String>,
	},
	Blind {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
	},
	OpeningDue {
		milestone: MilestoneIndex,
		until: u64,
	},
	Opened {
		milestone: MilestoneIndex,
		until: u64,
	},
	Revealed {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
		agreed: bool,
	},
	Unserved {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
		until: u64,
	},
	AlsoUnserved {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
	},
	ChallengeAnswered {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
	},
	Verified {
		milestone: MilestoneIndex,
		state_root: String,
		checks: u32,
	},
	MilestoneFailed {
		milestone: MilestoneIndex,
		reason: Why,
	},
	Paid {
		milestone: MilestoneIndex,
		state_root: String,
		#[serde(serialize_with = "smallest")]
		paid: Balance,
		#[serde(serialize_with = "smallest")]
		fees: Balance,
	},
	DisputeOpened {
		dispute: u64,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		worker: String,
		verifier: String,
	},
	DisputeMoved {
		dispute: u64,
		moves: u32,
		waits_for: &'static str,
		at: String,
		deadline: u64,
	},
	DisputeEnded {
		dispute: u64,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		winner: &'static str,
		reason: Why,
		leaf: Option<String>,
		moves: u32,
		bytes: u32,
	},
	DisputeDismissed {
		dispute: u64,
	},
	WorkerSlashed {
		worker: String,
		#[serde(serialize_with = "smallest")]
		to_client: Balance,
		#[serde(serialize_with = "smallest")]
		to_challenger: Balance,
		#[serde(serialize_with = "smallest")]
		burned: Balance,
	},
	LeaseEnded {
		worker: String,
		reason: Why,
	},
	Reopened {
		milestone: MilestoneIndex,
		#[serde(serialize_with = "smallest")]
		max_price: Balance,
		attempt: u32,
	},
	Closed {
		reason: Why,
		result_root: String,
		#[serde(serialize_with = "smallest")]
		paid: Balance,
		#[serde(serialize_with = "smallest")]
		refunded: Balance,
	},
	FeesBurned {
		seats: u32,
		#[serde(serialize_with = "smallest")]
		burned: Balance,
	},
	CancelRequested,
	Forgotten,
}

impl Happening {
	/// The last block for something that is due, as the event has it.
	pub(super) fn until(&mut self) -> Option<&mut u64> {
		match self {
			Self::OpeningDue { until, .. }
			| Self::Opened { until, .. }
			| Self::Unserved { until, .. }
			| Self::DisputeMoved { deadline: until, .. } => Some(until),
			_ => None,
		}
	}
}

/// A drawn segment and its verifiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawnSegment {
	/// The segment.
	pub segment: SegmentIndex,
	/// Who checks it.
	pub verifiers: Vec<String>,
}
