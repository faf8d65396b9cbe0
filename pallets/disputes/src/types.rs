//! Aliases of the stored records, and sizes.

use assay_protocol::records::disputes::DisputeRecord;
use codec::Encode;

/// A running dispute.
pub type DisputeRecordOf<T> = DisputeRecord<<T as frame_system::Config>::AccountId>;

/// Encoded length. What reaches a call fits a block, so it never saturates there.
pub fn saturated_len(value: &impl Encode) -> u32 {
	u32::try_from(value.encoded_size()).unwrap_or(u32::MAX)
}
