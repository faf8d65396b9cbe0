//! Commits milestones, opens drawn boundaries, answers challenges, and moves the round on when it is due.

use crate::{
	error::WorkerError,
	service::{Running, Worker},
};
use assay_agent::{calls, Snapshot};
use assay_commitment::{StateLeaf, StateMeta, StateTree, TensorTree};
use assay_engine::Engine;
use assay_p2p::BlobHash;
use assay_protocol::{
	holding::{self, Holding},
	records::{market::Job, verification::MilestoneRecord},
	round::{Challenge, CheckState, Phase, SegmentOpening, SegmentRound},
	Hash, MilestoneIndex, SegmentIndex,
};

type Record = MilestoneRecord<[u8; 32]>;
type Segments = [SegmentRound<[u8; 32]>];

/// Does what the round of each milestone in the run-ahead window asks of the worker.
pub(crate) async fn prove(
	worker: &Worker,
	snapshot: &Snapshot,
	running: &Running,
	job: &Job<[u8; 32]>,
) -> Result<(), WorkerError> {
	let first = job.verified.milestones;
	let end = first.saturating_add(job.parameters.run_ahead).min(job.milestones);
	for milestone in first..end {
		match snapshot.milestone(running.lease.job, milestone).await? {
			Some(record) if record.attempt == running.lease.attempt => {
				Round { worker, snapshot, running, milestone, record: &record }.answer(job).await?;
			}
			Some(_) => return Ok(()),
			None => {
				let range = running.plan.segments_of(milestone);
				let Some(tree) = worker.ledger.milestone(running.lease, range)? else { return Ok(()) };
				let id = running.lease.job;
				let call = calls::commit_milestone(id, milestone, tree.root());
				worker.peer.actions.send(snapshot.number(), format!("commit milestone {id}/{milestone}"), call);
				return Ok(());
			}
		}
	}
	Ok(())
}

struct Round<'a> {
	worker: &'a Worker,
	snapshot: &'a Snapshot,
	running: &'a Running,
	milestone: MilestoneIndex,
	record: &'a Record,
}

impl Round<'_> {
	async fn answer(&self, job: &Job<[u8; 32]>) -> Result<(), WorkerError> {
		let id = self.running.lease.job;
		let now = self.snapshot.number() as u32;
		match &self.record.round.phase {
			Phase::Committed => {
				let due = self.record.round.committed_at.saturating_add(job.parameters.beacon_blocks);
				if self.milestone == job.verified.milestones && now > due {
					self.send("draw", calls::draw(id, self.milestone));
				}
			}
			Phase::Blind { segments } => {
				for round in segments {
					if let Challenge::Open { until } = round.challenge {
						self.answer_challenge(round, until)?;
					}
				}
				if segments.iter().any(|round| now > round.until && is_missing(round)) {
					let last = job.parameters.max_tranches;
					let call = if segments.iter().all(|round| round.tranche >= last || !is_missing(round)) {
						calls::settle(id, self.milestone)
					} else {
						calls::redraw(id, self.milestone)
					};
					self.send("replace absent verifiers of", call);
				}
			}
			Phase::Opening { segments, .. } => self.open(segments)?,
			Phase::Reveal { segments, until } => {
				let pending = |state: &CheckState| matches!(state, CheckState::Committed { .. });
				let disputed = |state: &CheckState| matches!(state, CheckState::Disputed { .. });
				let any = |is: &dyn Fn(&CheckState) -> bool| {
					segments.iter().flat_map(|round| &round.checks).any(|check| is(&check.state))
				};
				if !any(&disputed) && (!any(&pending) || now > *until) {
					self.send("settle", calls::settle(id, self.milestone));
				}
			}
			Phase::Verified { .. } | Phase::Failed(_) => {}
		}
		Ok(())
	}

	fn send(&self, what: &str, call: assay_agent::chain::Call) {
		let action = format!("{what} milestone {}/{}", self.running.lease.job, self.milestone);
		self.worker.peer.actions.send(self.snapshot.number(), action, call);
	}

	fn open(&self, segments: &Segments) -> Result<(), WorkerError> {
		#[cfg(feature = "adversary")]
		if self.worker.config.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::never_opens) {
			return Ok(());
		}
		let (lease, ledger) = (self.running.lease, &self.worker.ledger);
		let range = self.running.plan.segments_of(self.milestone);
		let mut openings = Vec::new();
		for round in segments {
			let pre = match round.segment.checked_sub(1).filter(|_| round.segment != range.first) {
				Some(before) => ledger.open(lease, range, before)?,
				None => None,
			};
			let Some(post) = ledger.open(lease, range, round.segment)? else {
				tracing::error!(
					segment = round.segment,
					"the records of this lease are gone; its boundary cannot be opened"
				);
				return Ok(());
			};
			openings.push(SegmentOpening { pre, post });
		}
		self.send("open", calls::open(lease.job, self.milestone, &openings));
		Ok(())
	}

	fn answer_challenge(&self, round: &SegmentRound<[u8; 32]>, until: u32) -> Result<(), WorkerError> {
		#[cfg(feature = "adversary")]
		if self.worker.config.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::refuses_pre_states) {
			return Ok(());
		}
		let (lease, ledger) = (self.running.lease, &self.worker.ledger);
		let range = self.running.plan.segments_of(self.milestone);
		let Some(engine) = self.running.engine.borrow().clone() else { return Ok(()) };
		let seed = holding::seed(&self.record.round.root, round.segment, round.tranche, until);
		let opening = match round.segment.checked_sub(1).filter(|_| round.segment != range.first) {
			Some(before) => ledger.open(lease, range, before)?,
			None => None,
		};
		let Some(holding) = self.hold(&engine, round.segment, &seed)? else {
			tracing::error!(segment = round.segment, "the challenged state is gone");
			return Ok(());
		};
		let call = calls::answer_challenge(lease.job, self.milestone, round.segment, opening, &holding);
		self.send(&format!("answer the challenge for segment {} of", round.segment), call);
		Ok(())
	}

	/// The drawn chunk of the state before `segment`.
	fn hold(&self, engine: &Engine, segment: SegmentIndex, seed: &Hash) -> Result<Option<Holding>, WorkerError> {
		let state = match segment.checked_sub(1) {
			None => engine.initial_state(),
			Some(before) => {
				let Some(end) = self.worker.ledger.boundary(self.running.lease, before)? else { return Ok(None) };
				let blob =
					self.worker.peer.plane.store().get(&BlobHash::from(end.checkpoint), engine.checkpoint_len())?;
				engine.decode_checkpoint(&blob)?.0
			}
		};
		Ok(drawn_holding(engine, &state, seed))
	}
}

fn drawn_holding(engine: &Engine, state: &assay_engine::State, seed: &Hash) -> Option<Holding> {
	let program = engine.program();
	let mut leaves = Vec::new();
	let mut bytes = Vec::new();
	for (id, decl) in program.state_tensors() {
		let tensor = engine.state_tensor(state, id)?;
		leaves.push(StateLeaf {
			name: decl.name.clone(),
			dtype: decl.dtype,
			rows: decl.rows,
			cols: decl.cols,
			root: tensor.root(),
		});
		bytes.push(tensor);
	}
	let tree = StateTree::build(&StateMeta::after(state.step(), program.header.batch)?, &leaves)?;
	let tensors = u32::try_from(leaves.len()).ok()?;
	let index = holding::drawn_tensor(seed, tensors)?;
	let canonical = bytes.get(index as usize)?.to_canonical();
	let chunks = TensorTree::build(&canonical)?;
	let chunk = chunks.open(&canonical, holding::drawn_chunk(seed, chunks.chunks())?, 0)?;
	Some(Holding { tensors, leaf: leaves.get(index as usize)?.clone(), proof: tree.prove_tensor(index)?, chunk })
}

/// Whether a drawn verifier has not committed.
fn is_missing(round: &SegmentRound<[u8; 32]>) -> bool {
	round.checks.iter().any(|check| check.state == CheckState::Assigned)
}
