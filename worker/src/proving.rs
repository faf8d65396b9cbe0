//! Commits milestones, opens drawn boundaries, answers challenges, and moves the round on when it is due.

use crate::{
	error::WorkerError,
	leases::Running,
	ledger::{LeaseId, Ledger},
	service::Worker,
};
use assay_agent::{calls, chain::Call, keys::Account, Snapshot};
use assay_commitment::{StateLeaf, StateMeta, StateTree, TensorTree};
use assay_engine::Engine;
use assay_p2p::{BlobHash, BlobStore};
use assay_protocol::{
	holding::{self, Holding},
	records::{market::Job, verification::MilestoneRecord},
	round::{Challenge, CheckState, Phase, SegmentOpening, SegmentRound, Step},
	BlockNumber, Hash, MilestoneIndex, SegmentIndex,
};

type Record = MilestoneRecord<Account>;
type Segments = [SegmentRound<Account>];

/// Does what the round of each milestone in the run-ahead window asks of the worker. Returns who is drawn to check one.
///
/// # Errors
/// [`WorkerError`]; other leases are not touched.
pub(crate) async fn prove(
	worker: &Worker,
	snapshot: &Snapshot,
	now: BlockNumber,
	running: &Running,
	job: &Job<Account>,
) -> Result<Vec<Account>, WorkerError> {
	let first = job.verified.milestones;
	let end = first.saturating_add(job.parameters.run_ahead).min(job.milestones);
	let mut drawn = Vec::new();
	for milestone in first..end {
		match snapshot.milestone(running.lease.job, milestone).await? {
			Some(record) if record.attempt == running.lease.attempt => {
				drawn.extend(waiting(&record));
				Round { worker, snapshot, now, running, milestone, record: &record }.answer(job)?;
			}
			Some(_) => break,
			// The chain takes nothing more of this job.
			None if job.cancelling || now > job.deadline => break,
			None => {
				let range = running.plan.segments_of(milestone);
				let Some(tree) = worker.ledger.milestone(running.lease, range)? else { break };
				let id = running.lease.job;
				let call = calls::commit_milestone(id, milestone, tree.root());
				worker.peer.actions.send(snapshot.number(), format!("commit milestone {id}/{milestone}"), call);
				break;
			}
		}
	}
	Ok(drawn)
}

/// The verifiers that still have to fetch.
fn waiting(record: &Record) -> impl Iterator<Item = Account> + '_ {
	let checks = record.round.phase.segments().iter().flat_map(|round| &round.checks);
	checks.filter(|check| check.state == CheckState::Assigned).map(|check| check.verifier)
}

struct Round<'a> {
	worker: &'a Worker,
	snapshot: &'a Snapshot,
	now: BlockNumber,
	running: &'a Running,
	milestone: MilestoneIndex,
	record: &'a Record,
}

impl Round<'_> {
	fn answer(&self, job: &Job<Account>) -> Result<(), WorkerError> {
		match &self.record.round.phase {
			Phase::Blind { segments } => {
				for round in segments {
					if let Challenge::Open { until } = round.challenge {
						self.answer_challenge(round, until)?;
					}
				}
			}
			Phase::Opening { segments, .. } => self.open(segments)?,
			_ => {}
		}
		if self.milestone != job.verified.milestones {
			return Ok(());
		}
		if let Some(due) =
			self.record.round.due(&job.parameters, job.deadline, self.now).filter(|due| !due.against_worker)
		{
			let (id, milestone) = (self.running.lease.job, self.milestone);
			let (what, call) = match due.step {
				Step::Draw => ("draw", calls::draw(id, milestone)),
				Step::Redraw => ("replace absent verifiers of", calls::redraw(id, milestone)),
				Step::Settle => ("settle", calls::settle(id, milestone)),
			};
			// A draw may be refused for long: too many verifiers are busy.
			self.worker.peer.actions.offer(self.snapshot.number(), self.action(what), call);
		}
		Ok(())
	}

	fn send(&self, what: &str, call: Call) {
		self.worker.peer.actions.send(self.snapshot.number(), self.action(what), call);
	}

	fn action(&self, what: &str) -> String {
		format!("{what} milestone {}/{}", self.running.lease.job, self.milestone)
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

	/// Has the answer computed, which reads the whole state.
	fn answer_challenge(&self, round: &SegmentRound<Account>, until: u32) -> Result<(), WorkerError> {
		#[cfg(feature = "adversary")]
		if self.worker.config.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::refuses_pre_states) {
			return Ok(());
		}
		let (lease, ledger) = (self.running.lease, &self.worker.ledger);
		let range = self.running.plan.segments_of(self.milestone);
		let Some(engine) = self.running.engine.borrow().clone() else { return Ok(()) };
		let (segment, milestone) = (round.segment, self.milestone);
		let seed = holding::seed(&self.record.round.root, segment, round.tranche, until);
		let opening = match segment.checked_sub(1).filter(|_| segment != range.first) {
			Some(before) => ledger.open(lease, range, before)?,
			None => None,
		};
		let action = self.action(&format!("answer the challenge for segment {segment} of"));
		let subject = format!("challenge {}/{}.{} for segment {segment}", lease.job, milestone, lease.attempt);
		self.worker.background.send(self.snapshot.number(), subject, until.into(), action, || {
			let (ledger, store) = (ledger.clone(), self.worker.peer.plane.store().clone());
			async move {
				let held = tokio::task::spawn_blocking(move || hold(&ledger, &store, &engine, lease, segment, &seed));
				let Some(holding) = held.await?? else {
					tracing::error!(segment, "the challenged state is gone");
					return Ok::<_, WorkerError>(None);
				};
				Ok(Some(calls::answer_challenge(lease.job, milestone, segment, opening, &holding)))
			}
		});
		Ok(())
	}
}

/// The drawn chunk of the state before `segment`.
fn hold(
	ledger: &Ledger,
	store: &BlobStore,
	engine: &Engine,
	lease: LeaseId,
	segment: SegmentIndex,
	seed: &Hash,
) -> Result<Option<Holding>, WorkerError> {
	let state = match segment.checked_sub(1) {
		None => engine.initial_state(),
		Some(before) => {
			let Some(end) = ledger.boundary(lease, before)? else { return Ok(None) };
			let blob = store.get(&BlobHash::from(end.checkpoint), engine.checkpoint_len())?;
			engine.decode_checkpoint(&blob)?.0
		}
	};
	Ok(drawn_holding(engine, &state, seed))
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
	Some(Holding { leaf: leaves.get(index as usize)?.clone(), proof: tree.prove_tensor(index)?, chunk })
}
