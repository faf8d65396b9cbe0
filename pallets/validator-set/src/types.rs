use crate::Config;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::fungible::Inspect;
use scale_info::TypeInfo;
use sp_staking::SessionIndex;

/// The balance type of the currency that bonds are held in.
pub type BalanceOf<T> = <<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// An account that wants to validate.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Candidate<AccountId, Balance> {
	/// The account, which is the validator's identity in the session pallet too.
	pub account: AccountId,
	/// How much it has on hold as its bond.
	pub bond: Balance,
}

/// The bond of an account that is no longer a candidate.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Unbonding<Balance> {
	/// How much is on hold.
	pub bond: Balance,
	/// The first session in which it may be withdrawn.
	pub until: SessionIndex,
}

/// What one validator has paid for the offences of one session.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Slash<Balance> {
	/// The bond when the first of them was reported; fractions apply to it.
	pub base: Balance,
	/// How much has burnt. A worse offence of the same session burns only the difference.
	pub taken: Balance,
}

/// Why a candidate is one no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum DepartureCause {
	/// It asked to leave.
	#[codec(index = 0)]
	Requested,
	/// Somebody registered a larger bond in a full set.
	#[codec(index = 1)]
	Outbid,
	/// It equivocated.
	#[codec(index = 2)]
	Offence,
}
