//! Records of verification.

use crate::{round::Round, Balance, Hash};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A milestone that is committed and not decided yet, under its job and index.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct MilestoneRecord<AccountId> {
	/// Number of the lease that committed it.
	pub attempt: u32,
	/// Who committed it.
	pub worker: AccountId,
	/// What segments and verifiers are drawn by, once it is known.
	pub seed: Option<Hash>,
	/// Bond of all verifiers that took work when its beacon began.
	pub bond_at_work: Balance,
	/// Its verification.
	pub round: Round<AccountId>,
}

/// The VRF output of a block's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct BeaconEntry {
	/// The block.
	pub block: crate::BlockNumber,
	/// The output.
	pub vrf: Hash,
}
