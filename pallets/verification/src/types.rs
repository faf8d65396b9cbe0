//! Aliases of the stored records.

use assay_protocol::{plan::MAX_DRAWN, records::verification::MilestoneRecord, round::SegmentOpening};
use frame_support::{traits::ConstU32, BoundedVec};

/// A milestone in verification.
pub type MilestoneRecordOf<T> = MilestoneRecord<<T as frame_system::Config>::AccountId>;

/// Most segments checked of one milestone: the drawn ones and its last.
pub const MAX_CHECKED: u32 = MAX_DRAWN + 1;

/// The worker's openings of a milestone's drawn segments.
pub type Openings = BoundedVec<SegmentOpening, ConstU32<MAX_CHECKED>>;

/// Makes what the benchmarks start from.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<AccountId> {
	/// A running lease of a job like `spec`, and at least `verifiers` ready verifiers with bond for two checks each: the
	/// more, the dearer a draw. Returns the job and its worker, who is none of them.
	fn lease(spec: assay_protocol::job::JobSpec, verifiers: u32) -> (assay_protocol::JobId, AccountId);

	/// The current block has an author with a VRF output.
	fn author();
}
