use assay_protocol::Reason;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::PalletError;
use scale_info::TypeInfo;

/// A protocol reason inside a dispatch error, so that wallets show its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Refusal(pub Reason);

impl PalletError for Refusal {
	// A reason is one byte, which `assay_protocol::reason` tests.
	const MAX_ENCODED_SIZE: usize = 1;
}

impl From<Reason> for Refusal {
	fn from(reason: Reason) -> Self {
		Self(reason)
	}
}
