//! Hands states to those who may have them.

use crate::ledger::{LeaseId, Ledger};
use assay_agent::{
	wire::{refusal, Reply, Request},
	Peer, Snapshot,
};
use assay_p2p::{BlobHash, PeerId, Refusal};
use assay_protocol::{plan::JobPlan, records::operators::Role, Hash, JobId, MilestoneIndex, SegmentIndex};
use codec::{DecodeAll, Encode};

/// Answers control requests of verifiers, clients and other workers.
#[derive(Clone)]
pub struct Serving {
	peer: Peer,
	ledger: Ledger,
	#[cfg(feature = "adversary")]
	refuse_pre_states: bool,
}

fn not_here(reason: &str) -> Refusal {
	Refusal::new(refusal::NOT_HERE, reason)
}

fn try_again(error: impl std::fmt::Display) -> Refusal {
	Refusal::new(refusal::TRY_AGAIN, error.to_string())
}

impl Serving {
	/// Over the daemon's parts.
	pub fn new(peer: Peer, ledger: Ledger) -> Self {
		Self {
			peer,
			ledger,
			#[cfg(feature = "adversary")]
			refuse_pre_states: false,
		}
	}

	/// Refuses every pre-state.
	#[cfg(feature = "adversary")]
	pub fn refusing_pre_states(mut self, refuse: bool) -> Self {
		self.refuse_pre_states = refuse;
		self
	}

	/// Answers one request.
	///
	/// # Errors
	/// A typed refusal.
	pub async fn answer(self, from: PeerId, bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
		let request = Request::decode_all(&mut &bytes[..])
			.map_err(|_| Refusal::new(refusal::MALFORMED, "not a request of this protocol version"))?;
		let reply = match request {
			Request::PreState { job, attempt, milestone, segment } => {
				self.pre_state(from, LeaseId { job, attempt }, milestone, segment).await?
			}
			Request::Claims { job, attempt, milestone, segment } => {
				self.claims(from, LeaseId { job, attempt }, milestone, segment).await?
			}
			Request::Verified { job, root } => self.verified(job, &root).await?,
		};
		Ok(reply.encode())
	}

	async fn pre_state(
		&self,
		from: PeerId,
		lease: LeaseId,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
	) -> Result<Reply, Refusal> {
		#[cfg(feature = "adversary")]
		if self.refuse_pre_states {
			return Err(not_here("no"));
		}
		let snapshot = self.peer.chain.finalized().await.map_err(try_again)?;
		self.check_drawn(&snapshot, from, lease, milestone, segment).await?;
		let plan = plan_of(&snapshot, lease.job).await?;
		let range = plan.segments_of(milestone);
		let (opening, checkpoint) = match segment.checked_sub(1) {
			_ if segment == range.first => (None, self.start_of(&snapshot, lease, segment).await?),
			Some(before) => {
				let opening = self.ledger.open(lease, range, before).map_err(try_again)?;
				let end = self.ledger.boundary(lease, before).map_err(try_again)?;
				(opening, end.ok_or_else(|| not_here("the state before this segment is gone"))?.checkpoint)
			}
			None => (None, None::<Hash>.ok_or_else(|| not_here("segment 0 starts from the program's initial state"))?),
		};
		self.peer.grants.grant(from, BlobHash::from(checkpoint));
		Ok(Reply::PreState { opening, checkpoint })
	}

	/// What this worker claims of a segment of a generation.
	async fn claims(
		&self,
		from: PeerId,
		lease: LeaseId,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
	) -> Result<Reply, Refusal> {
		let snapshot = self.peer.chain.finalized().await.map_err(try_again)?;
		self.check_drawn(&snapshot, from, lease, milestone, segment).await?;
		let tokens = self.ledger.claims(lease, segment).map_err(try_again)?;
		let tokens = tokens.ok_or_else(|| not_here("this worker claims nothing of that segment"))?;
		self.peer.grants.grant(from, BlobHash::from(tokens));
		Ok(Reply::Claims { tokens })
	}

	/// Whether `from` is a verifier that is drawn for `segment` of a milestone of this worker.
	async fn check_drawn(
		&self,
		snapshot: &Snapshot,
		from: PeerId,
		lease: LeaseId,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
	) -> Result<(), Refusal> {
		let record = snapshot
			.milestone(lease.job, milestone)
			.await
			.map_err(try_again)?
			.filter(|record| record.attempt == lease.attempt && record.worker == self.peer.account())
			.ok_or_else(|| not_here("this milestone is not committed by this worker, or decided already"))?;
		let round = record.round.phase.segments().iter().find(|round| round.segment == segment);
		let checks = round.map(|round| round.checks.as_slice()).unwrap_or_default();
		if !self.is_drawn(snapshot, from, checks.iter().map(|check| check.verifier)).await? {
			return Err(Refusal::new(
				refusal::NOT_ENTITLED,
				"only the verifiers drawn for this segment get what they need to check it",
			));
		}
		Ok(())
	}

	/// The blob of the state before a milestone's first segment.
	async fn start_of(&self, snapshot: &Snapshot, lease: LeaseId, segment: SegmentIndex) -> Result<Hash, Refusal> {
		if let Some(before) = segment.checked_sub(1) {
			if let Some(end) = self.ledger.boundary(lease, before).map_err(try_again)? {
				return Ok(end.checkpoint);
			}
		}
		let job = snapshot.job(lease.job).await.map_err(try_again)?.ok_or_else(|| not_here("no such job"))?;
		self.ledger.checkpoint_of(lease.job, lease.attempt + 1, &job.verified.root).map_err(try_again)?.ok_or_else(
			|| not_here("this worker did not keep the verified state; ask an earlier worker, a verifier or the client"),
		)
	}

	async fn verified(&self, job: JobId, root: &Hash) -> Result<Reply, Refusal> {
		let snapshot = self.peer.chain.finalized().await.map_err(try_again)?;
		let record = snapshot.job(job).await.map_err(try_again)?.ok_or_else(|| not_here("no such job"))?;
		if record.verified.root != *root {
			return Err(Refusal::new(
				refusal::NOT_ENTITLED,
				"only the state that the chain has verified last is public",
			));
		}
		let checkpoint = self
			.ledger
			.checkpoint_of(job, record.attempt + 1, root)
			.map_err(try_again)?
			.ok_or_else(|| not_here("this worker does not hold that state"))?;
		self.peer.grants.publish(BlobHash::from(checkpoint));
		Ok(Reply::Verified { checkpoint })
	}

	async fn is_drawn(
		&self,
		snapshot: &Snapshot,
		from: PeerId,
		drawn: impl Iterator<Item = [u8; 32]>,
	) -> Result<bool, Refusal> {
		for verifier in drawn {
			let operator = snapshot.operator(Role::Verifier, &verifier).await.map_err(try_again)?;
			if operator.is_some_and(|operator| operator.contact.peer_id[..] == from.to_bytes()[..]) {
				return Ok(true);
			}
		}
		Ok(false)
	}
}

async fn plan_of(snapshot: &Snapshot, job: JobId) -> Result<JobPlan, Refusal> {
	let record = snapshot.job(job).await.map_err(try_again)?.ok_or_else(|| not_here("no such job"))?;
	let spec = snapshot.spec(job).await.map_err(try_again)?.ok_or_else(|| not_here("no such job"))?;
	spec.validate(&record.parameters).map_err(|reason| try_again(reason.title()))
}
