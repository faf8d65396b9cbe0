//! Records of disputes.

use crate::{
	dispute::{Context, DisputeState},
	interfaces::Accusation,
	BlockNumber,
};
use assay_program::OpKind;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A running dispute, under its number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct DisputeRecord<AccountId> {
	/// Who says what of which segment.
	pub accusation: Accusation<AccountId>,
	/// What it is about, for [`crate::dispute::step`].
	pub context: Context,
	/// Where it stands.
	pub state: DisputeState,
	/// When it was opened.
	pub opened_at: BlockNumber,
	/// Moves made, evidence included.
	pub moves: u32,
	/// Bytes of all calls that moved it, as encoded in blocks.
	pub bytes: u32,
}

/// What a dispute came down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum LeafKind {
	/// A micro-operation of an op of this kind.
	Op(OpKind),
	/// A leaf of the state after a step: a tensor of it, or its counters.
	StateAssembly,
}
