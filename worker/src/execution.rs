//! Runs a lease: segment after segment, a durable checkpoint and record after each.
//!
//! A kill at any moment loses at most the segment in progress: the next start finds the last record and its checkpoint.

use crate::{
	error::WorkerError,
	ledger::{Boundary, LeaseId, Ledger, Start},
};
use assay_agent::{artifacts, wire, Peer};
use assay_cpu::Cpu;
use assay_engine::{Engine, Outcome, RunError, State};
use assay_p2p::{BlobHash, Provider};
use assay_protocol::{job::JobSpec, plan::JobPlan, reason::Reason, Hash, SegmentIndex};
use codec::{Decode, Encode};
use std::{ops::ControlFlow, sync::Arc, time::Duration};
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
	/// The backend.
	pub cpu: Arc<Cpu>,
	/// Which lease.
	pub lease: LeaseId,
	/// The order.
	pub spec: JobSpec,
	/// How the order is divided.
	pub plan: JobPlan,
	/// First segment of the lease and the state root before it, from the chain.
	pub start: Start,
	/// Where program, data and earlier states may be had.
	pub sources: Vec<Provider>,
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
		loop {
			let prepared = artifacts::prepare(&self.peer.plane, &self.spec, &self.sources, self.cpu.clone());
			match self.until_stopped(prepared).await? {
				Ok(engine) => {
					self.publish_inputs(&engine);
					return Ok(engine);
				}
				Err(error) if error.is_transient() => {
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
			if let assay_program::Role::Data { root } = decl.role {
				self.peer.grants.publish(BlobHash::from(root));
			}
		}
	}

	/// The last recorded state of this lease, or the state it starts from.
	async fn resume(&self, engine: &Arc<Engine>, start: Start) -> Result<(SegmentIndex, State), WorkerError> {
		for (segment, end) in self.ledger.boundaries(self.lease)?.into_iter().rev() {
			if let Some(state) = self.load(engine, end.checkpoint, None) {
				tracing::info!(job = self.lease.job, segment, "resuming after the last executed segment");
				return Ok((segment + 1, state));
			}
		}
		if start.segment == 0 {
			return Ok((0, engine.initial_state()));
		}
		if let Some(hash) = self.ledger.checkpoint_of(self.lease.job, self.lease.attempt, &start.root)? {
			if let Some(state) = self.load(engine, hash, Some(&start.root)) {
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

	fn load(&self, engine: &Engine, checkpoint: Hash, root: Option<&Hash>) -> Option<State> {
		let blob = self.peer.plane.store().get(&BlobHash::from(checkpoint), engine.checkpoint_len()).ok()?;
		match root {
			Some(root) => engine.load_checkpoint(&blob, root).ok(),
			None => engine.decode_checkpoint(&blob).ok().map(|(state, _)| state),
		}
	}

	/// Keeps the state that the lease starts from: verifiers of its first segment ask for it.
	fn keep(&self, engine: &Engine, start: Start, state: State) -> Result<(SegmentIndex, State), WorkerError> {
		if let Some(before) = start.segment.checked_sub(1) {
			let checkpoint = self.peer.plane.store().put(&engine.encode_checkpoint(&state)?)?;
			let boundary = Boundary { root: start.root, checkpoint: *checkpoint.as_bytes() };
			self.ledger.record(self.lease, before, boundary)?;
		}
		Ok((start.segment, state))
	}

	/// Asks the sources for the verified state and checks what comes.
	async fn fetch_verified(&self, engine: &Engine, root: &Hash) -> Option<State> {
		let request = wire::Request::Verified { job: self.lease.job, root: *root }.encode();
		for source in &self.sources {
			let Ok(answer) = self.peer.plane.request(source, request.clone(), ASK).await else { continue };
			let Ok(wire::Reply::Verified { checkpoint }) = wire::Reply::decode(&mut &answer[..]) else { continue };
			let hash = BlobHash::from(checkpoint);
			let source = std::slice::from_ref(source);
			if self.peer.plane.fetch(hash, source, engine.checkpoint_len()).await.is_ok() {
				if let Some(state) = self.load(engine, checkpoint, Some(root)) {
					return Some(state);
				}
			}
		}
		None
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
			() = stop.cancelled() => Err(WorkerError::Stopped),
			allowed = allowed => allowed.map(|_| ()).map_err(|_| WorkerError::Stopped),
		}
	}

	/// Executes one segment, stores the state after it, records it.
	async fn segment(&self, engine: &Arc<Engine>, segment: SegmentIndex, state: State) -> Result<State, WorkerError> {
		let until = self.plan.steps_of(segment).end;
		let (engine, stop, store) = (engine.clone(), self.stop.clone(), self.peer.plane.store().clone());
		#[cfg(feature = "adversary")]
		let misbehaviour = self.misbehaviour.clone();
		let started = std::time::Instant::now();
		let (state, boundary) = blocking(move || {
			let mut after = state;
			#[cfg(feature = "adversary")]
			let before = after.clone();
			execute(&engine, &mut after, until, &stop)?;
			#[cfg(feature = "adversary")]
			if let Some(misbehaviour) = &misbehaviour {
				after = misbehaviour.falsify(&engine, segment, &before, after)?;
			}
			let root = engine.state_root(&after)?;
			let checkpoint = store.put(&engine.encode_checkpoint(&after)?)?;
			Ok((after, Boundary { root, checkpoint: *checkpoint.as_bytes() }))
		})
		.await?;
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

	async fn until_stopped<T>(&self, work: impl std::future::Future<Output = T>) -> Result<T, WorkerError> {
		tokio::select! {
			() = self.stop.cancelled() => Err(WorkerError::Stopped),
			done = work => Ok(done),
		}
	}
}

/// Runs on to `until` steps, or stops with the lease.
fn execute(engine: &Engine, state: &mut State, until: u64, stop: &CancellationToken) -> Result<(), WorkerError> {
	let mut observer = |_: &assay_engine::StepReport<'_>| match stop.is_cancelled() {
		true => ControlFlow::Break(()),
		false => ControlFlow::Continue(()),
	};
	match engine.run(state, until, &mut observer)? {
		Outcome::Finished => Ok(()),
		Outcome::Stopped => Err(WorkerError::Stopped),
	}
}

async fn blocking<T: Send + 'static>(
	work: impl FnOnce() -> Result<T, WorkerError> + Send + 'static,
) -> Result<T, WorkerError> {
	tokio::task::spawn_blocking(work).await.map_err(|_| WorkerError::Stopped)?
}

/// The reason to give the lease up with. Faults of the program are the same on every machine.
pub fn reason_of(error: &WorkerError) -> Reason {
	match error {
		WorkerError::Run(RunError::NonFinite { .. }) => Reason::NonFinite,
		WorkerError::Run(RunError::Memory { .. }) => Reason::OutOfMemory,
		WorkerError::Artifacts(error) if error.is_transient() => Reason::ProgramUnavailable,
		WorkerError::Artifacts(_) => Reason::ProgramMismatch,
		_ => Reason::GaveUp,
	}
}
