//! One check: from the pre-state to an answer, durable before anything is said about it.

use crate::{checks::Stage, error::VerifierError};
use assay_agent::{
	artifacts::{self, Inputs},
	device::{self, Compute},
	memory::{Allowance, Pool},
	store::{Store, StoreError},
	upkeep,
	wire::{Reply, Request},
	Peer,
};
use assay_cpu::Cpu;
use assay_engine::{CheckpointError, Engine, Outcome, RunError, State};
use assay_p2p::{BlobHash, BlobStore, FetchError, Hold, Provider};
use assay_protocol::{job::JobSpec, plan::JobPlan, Hash, JobId, MilestoneIndex, SegmentIndex};
use codec::{Decode, DecodeAll, Encode};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long to wait for the worker's answer.
const ASK: Duration = Duration::from_secs(10);

/// A pass over all positions takes up to so many times the memory of the run.
const PASS_COPIES: u64 = 4;

/// The answer to a segment whose run fails with an infinity or NaN: no state has this root, so it differs from every claim.
const NO_STATE: Hash = [0xff; 32];

/// Names a check of this verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckId {
	/// The job.
	pub job: JobId,
	/// Attempt of the lease.
	pub attempt: u32,
	/// The milestone.
	pub milestone: MilestoneIndex,
	/// The segment, counted over the job.
	pub segment: SegmentIndex,
}

/// What this verifier found, and the nonce of its blind commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
	/// Nonce of the blind commitment.
	pub nonce: Hash,
	/// State root before the segment, proven.
	pub pre_root: Hash,
	/// State root after it, as found.
	pub post_root: Hash,
	/// Blob of the state before; `None` for the program's initial state.
	pub pre: Option<Hash>,
	/// Blob of the state after; `None` if the run does not end in one.
	pub post: Option<Hash>,
}

/// Durable answers.
#[derive(Clone)]
pub struct Answers {
	store: Store,
}

impl Answers {
	/// Over the daemon's state file.
	pub fn new(store: Store) -> Self {
		Self { store }
	}

	/// Where the answer of a check is recorded.
	pub fn key(id: CheckId) -> String {
		format!("answer/{}", Self::name(id))
	}

	fn name(id: CheckId) -> String {
		format!("{:020}/{:05}/{:010}/{:010}", id.job, id.attempt, id.milestone, id.segment)
	}

	/// The answer of a check, if it is known.
	///
	/// # Errors
	/// [`StoreError`], as for every call here.
	pub fn get(&self, id: CheckId) -> Result<Option<Answer>, StoreError> {
		self.store.get(&Self::key(id))
	}

	/// Keeps the first answer of a check: its nonce may be committed already, so it is never replaced.
	pub fn put(&self, id: CheckId, answer: &Answer) -> Result<(), StoreError> {
		self.store.put_new(&Self::key(id), answer).map(|_| ())
	}

	/// Every answer.
	pub fn all(&self) -> Result<Vec<(CheckId, Answer)>, StoreError> {
		by_check(self.store.scan("answer/")?)
	}

	/// Removes records by their keys. What was committed with the nonce of an answer cannot be revealed after that.
	pub fn remove(&self, keys: &[String]) -> Result<(), StoreError> {
		self.store.remove_all(keys)
	}

	/// Records the blob of the state that a check begins with, before it is fetched.
	pub fn record_pre_state(&self, id: CheckId, blob: &Hash) -> Result<(), StoreError> {
		self.store.put(&Self::pre_key(id), blob)
	}

	/// The blobs of [`Self::record_pre_state`], here or on their way.
	pub fn pre_states(&self) -> Result<Vec<(CheckId, Hash)>, StoreError> {
		by_check(self.store.scan("pre/")?)
	}

	/// Records blobs of a job's program and data, before they are fetched.
	pub fn record_inputs(&self, job: JobId, blobs: &[Hash]) -> Result<(), StoreError> {
		upkeep::record_blobs(&self.store, &Self::inputs_key(job), blobs)
	}

	/// The blobs of a job's program and data, here or on their way.
	pub fn inputs(&self, job: JobId) -> Result<Vec<Hash>, StoreError> {
		Ok(self.store.get(&Self::inputs_key(job))?.unwrap_or_default())
	}

	/// How long this verifier has known that the job is closed.
	pub fn closed_for(&self, job: JobId) -> Result<Duration, StoreError> {
		upkeep::closed_for(&self.store, job)
	}

	/// Every job whose program and data are recorded.
	pub fn jobs(&self) -> Result<Vec<JobId>, StoreError> {
		let job = |key: &String| key.rsplit('/').next()?.parse().ok();
		Ok(self.store.keys("inputs/")?.iter().filter_map(job).collect())
	}

	/// Where the blobs of a job's program and data are recorded.
	pub fn inputs_key(job: JobId) -> String {
		format!("inputs/{job:020}")
	}

	/// Where the blob of the state that a check begins with is recorded.
	pub fn pre_key(id: CheckId) -> String {
		format!("pre/{}", Self::name(id))
	}

	/// The blob of a state with this root that a check of `job` ended in.
	pub fn state_of(&self, job: JobId, root: &Hash) -> Result<Option<Hash>, StoreError> {
		let answers = self.store.scan::<Answer>(&format!("answer/{job:020}/"))?;
		Ok(answers.into_iter().find(|(_, answer)| answer.post_root == *root).and_then(|(_, answer)| answer.post))
	}
}

/// Records whose keys end in the name of a check.
fn by_check<Record>(records: Vec<(String, Record)>) -> Result<Vec<(CheckId, Record)>, StoreError> {
	let id = |key: &str| {
		let mut parts = key.split('/').skip(1);
		let (job, attempt) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
		Some(CheckId { job, attempt, milestone: parts.next()?.parse().ok()?, segment: parts.next()?.parse().ok()? })
	};
	Ok(records.into_iter().filter_map(|(key, record)| Some((id(&key)?, record))).collect())
}

/// The state before a segment, in the local store.
#[derive(Clone, Copy, Debug)]
struct PreState {
	/// Its root, proven against the worker's commitment.
	root: Hash,
	/// Its blob; `None` for the program's initial state.
	blob: Option<Hash>,
}

/// A check to be made.
pub struct Check {
	/// The daemon's parts.
	pub peer: Peer,
	/// What to compute with.
	pub compute: Compute,
	/// Where answers are kept.
	pub answers: Answers,
	/// Which check.
	pub id: CheckId,
	/// The order.
	pub spec: Arc<JobSpec>,
	/// How it is divided.
	pub plan: JobPlan,
	/// The worker's commitment to the milestone.
	pub milestone_root: Hash,
	/// State root before the milestone, verified.
	pub verified_root: Hash,
	/// The worker.
	pub worker: Provider,
	/// Who has program and data.
	pub sources: Vec<Provider>,
	/// What one program may take.
	pub allowance: Allowance,
	/// The memory that all checks share.
	pub memory: Pool,
	/// Where to say how far it is.
	pub stage: watch::Sender<Stage>,
	/// Ends it.
	pub stop: CancellationToken,
}

impl Check {
	/// Executes the segment and keeps the answer.
	///
	/// # Errors
	/// [`VerifierError`]; nothing is kept then.
	pub async fn run(self) -> Result<(), VerifierError> {
		let inputs = self.until_stopped(self.inputs()).await?;
		let (pre, _pre) = self.until_stopped(self.pre_state(&inputs)).await?;
		let claims = self.until_stopped(async { Ok(self.claims(&inputs).await) }).await?;
		self.stage.send_replace(Stage::Queued);
		let needed = self.allowance.needed(inputs.need()).max(claims.as_ref().map_or(0, |claims| claims.memory));
		let share = async { Ok(self.memory.share(needed).await) };
		let _share = self.until_stopped(share).await?;
		self.stage.send_replace(Stage::Executing);
		// Neither is dropped midway: their threads would go on. Execution looks at the token after each step.
		// Nothing goes to the device that a pass may settle.
		let compute = if claims.is_some() { self.compute.without_device() } else { self.compute.clone() };
		let engine = artifacts::build(&self.peer.plane, &self.spec, inputs, &compute).await?;
		let (post_root, post) = self.execute(engine, pre, claims).await?;
		let blob = post.as_ref().map(|held| *held.hash().as_bytes());
		let answer = Answer { nonce: rand::random(), pre_root: pre.root, post_root, pre: pre.blob, post: blob };
		self.answers.put(self.id, &answer)?;
		tracing::info!(job = self.id.job, segment = self.id.segment, "segment re-executed");
		Ok(())
	}

	async fn until_stopped<T>(&self, work: impl Future<Output = Result<T, VerifierError>>) -> Result<T, VerifierError> {
		tokio::select! {
			biased;
			() = self.stop.cancelled() => Err(VerifierError::STOPPED),
			done = work => done,
		}
	}

	/// Program and data.
	async fn inputs(&self) -> Result<Inputs, VerifierError> {
		let record = |blobs: &[Hash]| self.answers.record_inputs(self.id.job, blobs);
		Ok(artifacts::fetch(&self.peer.plane, &self.spec, &self.sources, self.allowance, record).await?)
	}

	/// Asks the worker for the state before the segment, proves its root, and brings its blob into the store, where it is held.
	async fn pre_state(&self, inputs: &Inputs) -> Result<(PreState, Option<Hold>), VerifierError> {
		if self.id.segment == 0 {
			return Ok((PreState { root: self.spec.initial_root, blob: None }, None));
		}
		let CheckId { job, attempt, milestone, segment } = self.id;
		let request = Request::PreState { job, attempt, milestone, segment }.encode();
		let unserved = |error: &dyn std::fmt::Display| VerifierError::Unserved(error.to_string());
		let answer = self.peer.plane.request(&self.worker, request, ASK).await.map_err(|error| unserved(&error))?;
		let Ok(Reply::PreState { opening, checkpoint }) = Reply::decode_all(&mut &answer[..]) else {
			return Err(unserved(&"its answer is not one of this protocol version"));
		};
		let range = self.plan.segments_of(milestone);
		let root = match opening {
			None if segment == range.first => self.verified_root,
			Some(opening) if opening.segment.checked_add(1) == Some(segment) && segment != range.first => {
				if !opening.verify(&self.milestone_root, job, range) {
					return Err(VerifierError::WrongOpening);
				}
				opening.state_root
			}
			_ => return Err(VerifierError::WrongOpening),
		};
		let worker = std::slice::from_ref(&self.worker);
		let hold = self.peer.plane.store().hold(BlobHash::from(checkpoint));
		self.answers.record_pre_state(self.id, &checkpoint)?;
		match self.peer.plane.fetch(hold.hash(), worker, inputs.need().checkpoint()).await {
			Ok(_) => Ok((PreState { root, blob: Some(checkpoint) }, Some(hold))),
			// This machine's disk, not the worker.
			Err(FetchError::Store(error)) => Err(error.into()),
			Err(FetchError::Shutdown) => Err(VerifierError::STOPPED),
			Err(error) => Err(unserved(&error)),
		}
	}

	/// The blob of what the worker claims of a segment of a generation, for checking it in one pass. It is no harm if there is
	/// none: the segment is executed then. So little time is spent on it, and no more memory than the tokens take.
	async fn claims(&self, inputs: &Inputs) -> Option<Claims> {
		let memory =
			inputs.need().execution().checked_mul(PASS_COPIES).filter(|bytes| *bytes <= self.allowance.bytes)?;
		if !assay_import::is_generation(inputs.program()) {
			return None;
		}
		let CheckId { job, attempt, milestone, segment } = self.id;
		let request = Request::Claims { job, attempt, milestone, segment }.encode();
		let answer = self.peer.plane.request(&self.worker, request, ASK).await.ok()?;
		let Ok(Reply::Claims { tokens }) = Reply::decode_all(&mut &answer[..]) else { return None };
		let (hold, worker) = (self.peer.plane.store().hold(tokens.into()), std::slice::from_ref(&self.worker));
		// At most a token for each text of a group at each step.
		let steps = self.plan.steps_of(segment);
		let tokens = steps.end.saturating_sub(steps.start).saturating_mul(inputs.program().header.batch.into());
		let most = tokens.saturating_mul(4);
		tokio::time::timeout(ASK, self.peer.plane.fetch(hold.hash(), worker, most)).await.ok()?.ok()?;
		Some(Claims { hold, most, memory })
	}

	/// The state root after the segment, and the blob of the state if there is one.
	async fn execute(
		&self,
		engine: Engine,
		pre: PreState,
		claims: Option<Claims>,
	) -> Result<(Hash, Option<Hold>), VerifierError> {
		let (until, segment) = (self.plan.steps_of(self.id.segment).end, self.id.segment);
		let (mut engine, passed) = (Arc::new(engine), claims.is_some());
		if let Some(claims) = claims {
			let (passing, store) = (engine.clone(), self.peer.plane.store().clone());
			let (cpu, stop) = (self.compute.cpu().clone(), self.stop.clone());
			// Whatever goes wrong in it, the segment can still be executed.
			let after = tokio::task::spawn_blocking(move || pass(&passing, cpu, &store, pre, segment, &claims, &stop));
			if let Ok(Some(found)) = after.await {
				tracing::info!(segment, "all tokens of the segment confirmed in one pass");
				return Ok(found);
			}
		}
		let (store, stop) = (self.peer.plane.store().clone(), self.stop.clone());
		let late = passed.then(|| self.compute.clone());
		tokio::task::spawn_blocking(move || {
			if stop.is_cancelled() {
				return Err(VerifierError::STOPPED);
			}
			if let (Some(compute), Some(engine)) = (late, Arc::get_mut(&mut engine)) {
				if let Err(error) = compute.accelerate(engine) {
					tracing::warn!(%error, "the CPU runs this segment");
				}
			}
			let state = load(&store, &engine, pre)?;
			match execute(&engine, state, until, &stop)? {
				Some((state, root)) => Ok((root, Some(store.put_held(&engine.encode_checkpoint(&state)?)?))),
				None => Ok((NO_STATE, None)),
			}
		})
		.await?
	}
}

/// What a worker claims of a segment of a generation.
#[derive(Debug)]
struct Claims {
	/// Blob of the tokens.
	hold: Hold,
	/// Most bytes of it.
	most: u64,
	/// Bytes of memory that checking it may take.
	memory: u64,
}

/// A state from the local store, if it has the root.
fn load(store: &BlobStore, engine: &Engine, state: PreState) -> Result<State, VerifierError> {
	match state.blob {
		None => Ok(engine.initial_state()),
		Some(hash) => {
			// The bytes are those of the hash; one of another length was served wrong.
			let most = engine.checkpoint_len();
			let len = store.len(&BlobHash::from(hash))?;
			if len > most {
				return Err(CheckpointError::Length { expected: most, found: len }.into());
			}
			Ok(engine.load_checkpoint(&store.get(&BlobHash::from(hash), most)?, &state.root)?)
		}
	}
}

/// The state root after a segment of a generation and the blob of the state, if one pass over all its positions confirms
/// what is claimed of it.
fn pass(
	engine: &Engine,
	cpu: Arc<Cpu>,
	store: &BlobStore,
	pre: PreState,
	segment: SegmentIndex,
	claims: &Claims,
	stop: &CancellationToken,
) -> Option<(Hash, Option<Hold>)> {
	let bytes = store.get(&claims.hold.hash(), claims.most).ok()?;
	let words = bytes.chunks_exact(4).map(|word| word.try_into().map(u32::from_le_bytes));
	let claimed: Vec<u32> = words.collect::<Result<_, _>>().ok()?;
	let before = load(store, engine, pre).ok()?;
	let replay = assay_import::Replay::of(engine, cpu, claims.memory)?;
	let go_on = || !stop.is_cancelled();
	let after = replay.segment_while(engine, &before, segment.into(), &claimed, &go_on).ok()??;
	let root = engine.state_root(&after).ok()?;
	let blob = store.put_held(&engine.encode_checkpoint(&after).ok()?).ok()?;
	Some((root, Some(blob)))
}

/// Runs to `until`; `None` if the run fails with an infinity or NaN, as it then does on every machine.
fn execute(
	engine: &Engine,
	mut state: State,
	until: u64,
	stop: &CancellationToken,
) -> Result<Option<(State, Hash)>, VerifierError> {
	match device::run(engine, &mut state, until, stop) {
		Ok(Outcome::Finished) => {
			let root = engine.state_root(&state)?;
			Ok(Some((state, root)))
		}
		Ok(Outcome::Stopped) => Err(VerifierError::STOPPED),
		Err(RunError::NonFinite { .. }) => Ok(None),
		Err(error) => Err(error.into()),
	}
}

/// The state before a checked segment, from the kept blob.
///
/// # Errors
/// [`VerifierError`] when the blob is gone.
pub fn kept_pre_state(store: &BlobStore, engine: &Engine, answer: &Answer) -> Result<State, VerifierError> {
	load(store, engine, PreState { root: answer.pre_root, blob: answer.pre })
}
