//! The chain's records by name, read at one block.

use crate::{
	chain::{Hasher, StorageKey},
	keys::Account,
	ChainError, Snapshot,
};
use assay_protocol::{
	job::JobSpec,
	parameters::Parameters,
	records::{
		disputes::DisputeRecord,
		market::{Job, JobState, Lease},
		operators::{Operator, Role},
		verification::MilestoneRecord,
	},
	BlockNumber, JobId, MilestoneIndex,
};

const OPERATORS: &str = "Operators";
const MARKET: &str = "Market";
const VERIFICATION: &str = "Verification";
const DISPUTES: &str = "Disputes";

impl Snapshot {
	/// The time by the clock that all windows of the protocol are counted on: blocks in which users could transact.
	pub async fn clock(&self) -> Result<BlockNumber, ChainError> {
		let paused: BlockNumber = self.value("Clock", "Paused").await?.unwrap_or(0);
		Ok((self.number() as BlockNumber).saturating_sub(paused))
	}

	/// The protocol's current parameters.
	///
	/// # Errors
	/// [`ChainError`], as for every read here.
	pub async fn parameters(&self) -> Result<Parameters, ChainError> {
		Ok(self.value(MARKET, "CurrentParameters").await?.unwrap_or(Parameters::development()))
	}

	/// A job's record.
	pub async fn job(&self, job: JobId) -> Result<Option<Job<Account>>, ChainError> {
		self.entry(MARKET, "Jobs", Hasher::Twox64Concat, &job).await
	}

	/// Number of the next job to be posted, if one was posted.
	pub async fn next_job(&self) -> Result<Option<JobId>, ChainError> {
		self.value(MARKET, "NextJob").await
	}

	/// A job's specification.
	pub async fn spec(&self, job: JobId) -> Result<Option<JobSpec>, ChainError> {
		self.entry(MARKET, "Specs", Hasher::Twox64Concat, &job).await
	}

	/// Every job that the chain keeps, by number.
	pub async fn jobs(&self) -> Result<Vec<(JobId, Job<Account>)>, ChainError> {
		let mut jobs = self.entries(MARKET, "Jobs", Hasher::Twox64Concat).await?;
		jobs.sort_by_key(|(id, _)| *id);
		Ok(jobs)
	}

	/// An operator's record.
	pub async fn operator(&self, role: Role, who: &Account) -> Result<Option<Operator>, ChainError> {
		let key = StorageKey::new(OPERATORS, "Registry")
			.under(Hasher::Twox64Concat, &role)
			.under(Hasher::Blake2_128Concat, who);
		self.get(&key).await
	}

	/// Every operator of a role.
	pub async fn operators(&self, role: Role) -> Result<Vec<(Account, Operator)>, ChainError> {
		/// With the hash of the account.
		type Key = (Role, [u8; 16], Account);
		let all: Vec<(Key, Operator)> = self.entries(OPERATORS, "Registry", Hasher::Twox64Concat).await?;
		Ok(all
			.into_iter()
			.filter(|((of, _, _), _)| *of == role)
			.map(|((_, _, who), operator)| (who, operator))
			.collect())
	}

	/// A committed and undecided milestone.
	pub async fn milestone(
		&self,
		job: JobId,
		milestone: MilestoneIndex,
	) -> Result<Option<MilestoneRecord<Account>>, ChainError> {
		let key = StorageKey::new(VERIFICATION, "Milestones")
			.under(Hasher::Twox64Concat, &job)
			.under(Hasher::Twox64Concat, &milestone);
		self.get(&key).await
	}

	/// Every committed and undecided milestone.
	pub async fn milestones(&self) -> Result<Vec<((JobId, MilestoneIndex), MilestoneRecord<Account>)>, ChainError> {
		/// With the hash of the milestone.
		type Key = (JobId, [u8; 8], MilestoneIndex);
		let all: Vec<(Key, MilestoneRecord<Account>)> =
			self.entries(VERIFICATION, "Milestones", Hasher::Twox64Concat).await?;
		Ok(all.into_iter().map(|((job, _, milestone), record)| ((job, milestone), record)).collect())
	}

	/// A running dispute.
	pub async fn dispute(&self, id: u64) -> Result<Option<DisputeRecord<Account>>, ChainError> {
		self.entry(DISPUTES, "Disputes", Hasher::Twox64Concat, &id).await
	}

	/// Every running dispute.
	pub async fn disputes(&self) -> Result<Vec<(u64, DisputeRecord<Account>)>, ChainError> {
		self.entries(DISPUTES, "Disputes", Hasher::Twox64Concat).await
	}

	/// An account's money: free, and on hold.
	pub async fn balance(&self, who: &Account) -> Result<(u128, u128), ChainError> {
		type AccountInfo = (u32, u32, u32, u32, (u128, u128, u128, u128));
		let info: Option<AccountInfo> = self.entry("System", "Account", Hasher::Blake2_128Concat, who).await?;
		Ok(info.map_or((0, 0), |(_, _, _, _, (free, reserved, _, _))| (free, reserved)))
	}
}

/// The running lease of a job, if it has one.
pub fn lease(job: &Job<Account>) -> Option<&Lease<Account>> {
	match &job.state {
		JobState::Running(lease) => Some(lease),
		_ => None,
	}
}
