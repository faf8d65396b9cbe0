//! Runs a lease: segment after segment, a durable checkpoint and record after each.
//!
//! A kill at any moment loses at most the segment in progress: the next start finds the last record and its checkpoint.

use crate::{
	error::{Unavailable, WorkerError},
	ledger::{Boundary, LeaseId, Ledger, Start},
	patience::Time,
};
use assay_agent::{
	artifacts::{self, ArtifactError, Inputs},
	concurrent::{each, first},
	device::{self, Compute},
	memory::Allowance,
	wire, DaemonError, Peer,
};
use assay_engine::{Engine, Outcome, RunError, State};
use assay_p2p::{BlobHash, Provider};
use assay_protocol::{job::JobSpec, plan::JobPlan, reason::Reason, Hash, SegmentIndex};
use codec::{DecodeAll, Encode};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long to wait for an answer about a state.
const ASK: Duration = Duration::from_secs(10);
/// How long to wait before the network is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// A lease being executed.
pub struct Execution {
	/// The daemon's parts.
	pub peer: Peer,
	/// Durable records.
	pub ledger: Ledger,
	/// What to compute with.
	pub compute: Compute,
	/// Which lease.
	pub lease: LeaseId,
	/// The order.
	pub spec: Arc<JobSpec>,
	/// How the order is divided.
	pub plan: JobPlan,
	/// First segment of the lease and the state root before it, from the chain.
	pub start: Start,
	/// Where program, data and earlier states may be had.
	pub sources: Vec<Provider>,
	/// What the program may take.
	pub allowance: Allowance,
	/// How much time is left for fetching.
	pub time: watch::Receiver<Time>,
	/// Segments that may be executed now: run-ahead beyond the verified milestones is bounded.
	pub allowed: watch::Receiver<SegmentIndex>,
	/// Gets program and data once they are here.
	pub engine: watch::Sender<Option<Arc<Engine>>>,
	/// Ends this lease.
	pub stop: CancellationToken,
	/// How to misbehave.
	#[cfg(feature = "adversary")]
	pub misbehaviour: Option<crate::adversary::Misbehaviour>,
}

impl Execution {
	/// Runs until the job's last segment is done or the lease ends.
	///
	/// # Errors
	/// [`WorkerError`]; `NonFinite` runs and wrong orders are the job's own fault.
	pub async fn run(mut self) -> Result<(), WorkerError> {
		let engine = Arc::new(self.prepare().await?);
		self.engine.send_replace(Some(engine.clone()));
		let start = self.ledger.start(self.lease, self.start)?;
		let (mut segment, mut state) = self.resume(&engine, start).await?;
		while segment < self.plan.segments {
			self.wait_allowed(segment).await?;
			state = self.segment(&engine, segment, state).await?;
			segment += 1;
		}
		Ok(())
	}

	async fn prepare(&self) -> Result<Engine, WorkerError> {
		let inputs = self.fetch().await?;
		let need = inputs.need().dispute();
		if need > self.allowance.bytes {
			tracing::warn!(
				job = self.lease.job,
				bytes = need,
				offered = self.allowance.bytes,
				"a dispute about this job would take more memory than is offered"
			);
		}
		let built = artifacts::build(&self.peer.plane, &self.spec, inputs, &self.compute);
		let engine = self.until_stopped(built).await??;
		self.publish_inputs(&engine);
		Ok(engine)
	}

	/// Program and data, asked for from all sources again and again until the time is up.
	async fn fetch(&self) -> Result<Inputs, WorkerError> {
		loop {
			let time = *self.time.borrow();
			// Known as needed before they come, so that a restart finds what has arrived.
			let record = |blobs: &[Hash]| self.ledger.record_inputs(self.lease, blobs);
			let fetched = artifacts::fetch(&self.peer.plane, &self.spec, &self.sources, self.allowance, record);
			let fetched = tokio::select! {
				biased;
				() = self.stop.cancelled() => return Err(WorkerError::STOPPED),
				() = time_up(self.time.clone()) => return Err(WorkerError::Unavailable(Unavailable::Slow)),
				fetched = fetched => fetched,
			};
			match fetched {
				Ok(inputs) => return Ok(inputs),
				// All sources were tried with little time left.
				Err(error) if error.is_unfetched() && time >= Time::Short => {
					return Err(WorkerError::Unavailable(Unavailable::Failed(error)));
				}
				Err(error) if error.is_unfetched() || (error.is_local() && time < Time::Short) => {
					tracing::info!(job = self.lease.job, %error, "fetching again");
					self.until_stopped(tokio::time::sleep(RETRY)).await?;
				}
				Err(error) => return Err(error.into()),
			}
		}
	}

	/// Program and data are served to everyone: verifiers need them when the client is away.
	fn publish_inputs(&self, engine: &Engine) {
		self.peer.grants.publish(BlobHash::from(self.spec.program_blob));
		for decl in &engine.program().tensors {
			if let Some(root) = decl.role.given_root() {
				self.peer.grants.publish(BlobHash::from(*root));
			}
		}
	}

	/// The last recorded state of this lease, or the state it starts from.
	async fn resume(&self, engine: &Arc<Engine>, start: Start) -> Result<(SegmentIndex, State), WorkerError> {
		for (segment, end) in self.ledger.boundaries(self.lease)?.into_iter().rev() {
			if let Some(state) = self.load(engine, end.checkpoint, None).await {
				tracing::info!(job = self.lease.job, segment, "resuming after the last executed segment");
				return Ok((segment + 1, state));
			}
		}
		if start.segment == 0 {
			return Ok((0, engine.initial_state()));
		}
		if let Some(hash) = self.ledger.checkpoint_of(self.lease.job, self.lease.attempt, &start.root)? {
			if let Some(state) = self.load(engine, hash, Some(start.root)).await {
				return self.keep(engine, start, state);
			}
		}
		if let Some(state) = self.fetch_verified(engine, &start.root).await {
			tracing::info!(job = self.lease.job, segment = start.segment, "resuming from the last verified milestone");
			return self.keep(engine, start, state);
		}
		tracing::info!(
			job = self.lease.job,
			segments = start.segment,
			"nobody serves the verified state; re-executing up to it"
		);
		self.recompute(engine, start).await
	}

	/// A state from the local store, if it is there, and has the root where one is asked for.
	async fn load(&self, engine: &Arc<Engine>, checkpoint: Hash, root: Option<Hash>) -> Option<State> {
		let (store, engine) = (self.peer.plane.store().clone(), engine.clone());
		let read = move || {
			let blob = store.get(&BlobHash::from(checkpoint), engine.checkpoint_len()).ok()?;
			match root {
				Some(root) => engine.load_checkpoint(&blob, &root).ok(),
				None => engine.decode_checkpoint(&blob).ok().map(|(state, _)| state),
			}
		};
		tokio::task::spawn_blocking(read).await.ok().flatten()
	}

	/// Keeps the state that the lease starts from: verifiers of its first segment ask for it.
	fn keep(&self, engine: &Engine, start: Start, state: State) -> Result<(SegmentIndex, State), WorkerError> {
		if let Some(before) = start.segment.checked_sub(1) {
			let checkpoint = self.peer.plane.store().put_held(&engine.encode_checkpoint(&state)?)?;
			let boundary = Boundary { root: start.root, checkpoint: *checkpoint.hash().as_bytes() };
			self.ledger.record(self.lease, before, boundary)?;
		}
		Ok((start.segment, state))
	}

	/// Asks the sources for the verified state and checks what comes. A state has one blob, so honest sources name the same
	/// one and share the work of sending it; who names another, or sends it by the drop, holds up nobody but himself. When the
	/// time for fetching is up the state is computed.
	async fn fetch_verified(&self, engine: &Arc<Engine>, root: &Hash) -> Option<State> {
		let search = async {
			let named = self.checkpoints_of(root).await;
			let (plane, len) = (&self.peer.plane, engine.checkpoint_len());
			first(named.iter(), |(checkpoint, sources)| async move {
				let _hold = plane.store().hold(BlobHash::from(*checkpoint));
				self.ledger.record_inputs(self.lease, std::slice::from_ref(checkpoint)).ok()?;
				plane.fetch(BlobHash::from(*checkpoint), sources, len).await.ok()?;
				self.load(engine, *checkpoint, Some(*root)).await
			})
			.await
		};
		tokio::select! {
			() = self.stop.cancelled() => None,
			() = time_up(self.time.clone()) => None,
			found = search => found,
		}
	}

	/// The blobs that the sources name for a verified state, each with those who name it, the most first.
	async fn checkpoints_of(&self, root: &Hash) -> Vec<(Hash, Vec<Provider>)> {
		let request = wire::Request::Verified { job: self.lease.job, root: *root }.encode();
		let answers = each(self.sources.iter(), |source| self.peer.plane.request(source, request.clone(), ASK)).await;
		let mut named: Vec<(Hash, Vec<Provider>)> = Vec::new();
		for (source, answer) in answers {
			let Ok(answer) = answer else { continue };
			let Ok(wire::Reply::Verified { checkpoint }) = wire::Reply::decode_all(&mut &answer[..]) else { continue };
			match named.iter_mut().find(|(known, _)| *known == checkpoint) {
				Some((_, sources)) => sources.push(source.clone()),
				None => named.push((checkpoint, vec![source.clone()])),
			}
		}
		named.sort_by_key(|(_, sources)| std::cmp::Reverse(sources.len()));
		named
	}

	/// The verified state by executing everything before it again.
	async fn recompute(&self, engine: &Arc<Engine>, start: Start) -> Result<(SegmentIndex, State), WorkerError> {
		let until = self.plan.steps_of(start.segment).start;
		let (runs, stop) = (engine.clone(), self.stop.clone());
		let (state, root) = blocking(move || {
			let mut state = runs.initial_state();
			execute(&runs, &mut state, until, &stop)?;
			let root = runs.state_root(&state)?;
			Ok((state, root))
		})
		.await?;
		if root == start.root {
			self.keep(engine, start, state)
		} else {
			Err(WorkerError::Diverged)
		}
	}

	async fn wait_allowed(&mut self, segment: SegmentIndex) -> Result<(), WorkerError> {
		let stop = self.stop.clone();
		let allowed = self.allowed.wait_for(|allowed| segment < *allowed);
		tokio::select! {
			() = stop.cancelled() => Err(WorkerError::STOPPED),
			allowed = allowed => allowed.map(|_| ()).map_err(|_| WorkerError::STOPPED),
		}
	}

	/// Executes one segment, stores the state after it, records it.
	async fn segment(&self, engine: &Arc<Engine>, segment: SegmentIndex, state: State) -> Result<State, WorkerError> {
		let until = self.plan.steps_of(segment).end;
		let (engine, stop, store) = (engine.clone(), self.stop.clone(), self.peer.plane.store().clone());
		#[cfg(feature = "adversary")]
		let misbehaviour = self.misbehaviour.clone();
		let started = std::time::Instant::now();
		let (state, root, checkpoint, claims) = blocking(move || {
			let mut after = state;
			#[cfg(feature = "adversary")]
			let before = after.clone();
			execute(&engine, &mut after, until, &stop)?;
			#[cfg(feature = "adversary")]
			if let Some(misbehaviour) = &misbehaviour {
				after = misbehaviour.falsify(&engine, segment, &before, after)?;
			}
			let root = engine.state_root(&after)?;
			let checkpoint = store.put_held(&engine.encode_checkpoint(&after)?)?;
			let claims = match assay_import::is_generation(engine.program()) {
				true => assay_import::claims(&engine, &after, segment.into()),
				false => None,
			};
			let claims = claims.map(|tokens| tokens.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
			let claims = claims.map(|tokens| store.put_held(&tokens)).transpose()?;
			Ok((after, root, checkpoint, claims))
		})
		.await?;
		if let Some(tokens) = claims {
			self.ledger.record_claims(self.lease, segment, tokens.hash().as_bytes())?;
		}
		let boundary = Boundary { root, checkpoint: *checkpoint.hash().as_bytes() };
		self.ledger.record(self.lease, segment, boundary)?;
		tracing::info!(
			job = self.lease.job,
			segment,
			of = self.plan.segments,
			milliseconds = started.elapsed().as_millis() as u64,
			"segment executed"
		);
		Ok(state)
	}

	async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, WorkerError> {
		tokio::select! {
			() = self.stop.cancelled() => Err(WorkerError::STOPPED),
			done = work => Ok(done),
		}
	}
}

/// Runs on to `until` steps, or stops with the lease.
fn execute(engine: &Engine, state: &mut State, until: u64, stop: &CancellationToken) -> Result<(), WorkerError> {
	match device::run(engine, state, until, stop)? {
		Outcome::Finished => Ok(()),
		Outcome::Stopped => Err(WorkerError::STOPPED),
	}
}

async fn blocking<T: Send + 'static>(
	work: impl FnOnce() -> Result<T, WorkerError> + Send + 'static,
) -> Result<T, WorkerError> {
	tokio::task::spawn_blocking(work).await?
}

/// Waits until no time is left for fetching.
async fn time_up(mut time: watch::Receiver<Time>) {
	if time.wait_for(|time| *time == Time::Up).await.is_err() {
		// Nobody keeps the time any more: the lease ends another way.
		std::future::pending().await
	}
}

/// The reason to give the lease up with. Faults of the program are the same on every machine; what only this machine lacks
/// is its own fault.
pub fn reason_of(error: &WorkerError) -> Reason {
	match error {
		WorkerError::Unavailable(_) => Reason::ProgramUnavailable,
		WorkerError::Daemon(DaemonError::Run(RunError::NonFinite { .. })) => Reason::NonFinite,
		WorkerError::Daemon(DaemonError::Artifacts(error)) => match error {
			ArtifactError::Memory { understated: true, .. } => Reason::OutOfMemory,
			ArtifactError::Memory { understated: false, .. } => Reason::GaveUp,
			error if error.is_local() => Reason::GaveUp,
			error if error.is_unfetched() => Reason::ProgramUnavailable,
			_ => Reason::ProgramMismatch,
		},
		_ => Reason::GaveUp,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_p2p::FetchError;

	#[test]
	fn only_faults_of_the_job_are_blamed_on_the_client() {
		let memory = |understated| WorkerError::from(ArtifactError::Memory { needed: 2, allowed: 1, understated });
		let missing = assay_p2p::BlobHash::of(b"missing");
		let fetch = |source| WorkerError::from(ArtifactError::Fetch { what: "program".into(), source });
		let full = assay_p2p::StoreError::NotFound(missing);
		for (error, reason) in [
			(memory(true), Reason::OutOfMemory),
			(memory(false), Reason::GaveUp),
			(WorkerError::Unavailable(Unavailable::Slow), Reason::ProgramUnavailable),
			(fetch(FetchError::TooLarge { hash: missing, len: 2, max: 1 }), Reason::ProgramMismatch),
			(fetch(FetchError::Store(full)), Reason::GaveUp),
			(ArtifactError::Commitment.into(), Reason::ProgramMismatch),
			(RunError::Memory { bytes: 1 }.into(), Reason::GaveUp),
			(RunError::NonFinite { step: 0, op: 0, name: String::new() }.into(), Reason::NonFinite),
			(WorkerError::Diverged, Reason::GaveUp),
		] {
			assert_eq!(reason_of(&error), reason, "{error}");
		}
	}
}
