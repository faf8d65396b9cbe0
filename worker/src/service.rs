//! The worker's loop: from the newest finalised state to what ought to happen.

use crate::{
	bidding::{self, NoBid},
	config::WorkerConfig,
	defence,
	error::WorkerError,
	execution::{self, Execution},
	ledger::{LeaseId, Ledger, Start},
	proving,
	serving::Serving,
};
use assay_agent::{artifacts, calls, follower::Follower, views, ChainError, Peer, Snapshot};
use assay_cpu::Cpu;
use assay_engine::Engine;
use assay_p2p::Provider;
use assay_protocol::{
	job::JobSpec,
	plan::JobPlan,
	reason::Reason,
	records::{
		market::{Job, JobState, Order},
		operators::{Capabilities, Operator, Role, State},
	},
	BlockNumber, JobId,
};
use codec::Encode;
use std::{
	collections::{HashMap, HashSet},
	sync::Arc,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A lease of this worker.
pub(crate) struct Running {
	pub(crate) lease: LeaseId,
	pub(crate) plan: JobPlan,
	/// The job's program and data, once they are here.
	pub(crate) engine: watch::Receiver<Option<Arc<Engine>>>,
	allowed: watch::Sender<u32>,
	stop: CancellationToken,
	/// Why the execution ended, if it failed.
	failed: watch::Receiver<Option<Reason>>,
}

/// The worker's state; all of it can be derived again from the chain and the state file.
pub(crate) struct Worker {
	pub(crate) config: WorkerConfig,
	pub(crate) peer: Peer,
	pub(crate) ledger: Ledger,
	cpu: Arc<Cpu>,
	pub(crate) running: HashMap<LeaseId, Running>,
	told: HashSet<(JobId, u32)>,
}

/// Runs a worker until `stop`.
///
/// # Errors
/// [`WorkerError`] when it cannot start; later errors are logged and waited out.
pub async fn run(config: WorkerConfig, stop: CancellationToken) -> Result<(), WorkerError> {
	let cpu = Arc::new(Cpu::new(config.path, config.threads)?);
	let peer = Peer::start(&config.peer, stop.clone()).await?;
	let ledger = Ledger::new(peer.store.clone());
	let serving = Serving::new(peer.clone(), ledger.clone());
	#[cfg(feature = "adversary")]
	let serving = serving.refusing_pre_states(
		config.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::refuses_pre_states),
	);
	peer.plane.set_handler(move |from, request| serving.clone().answer(from, request));
	tracing::info!(account = %peer.actions.submitter().keypair().address(), endpoint = ?peer.plane.listen_addresses(), "worker started");
	let mut follower = Follower::new(peer.chain.clone(), 0);
	let mut worker = Worker { config, peer, ledger, cpu, running: HashMap::new(), told: HashSet::new() };
	loop {
		let snapshot = tokio::select! {
			() = stop.cancelled() => break,
			snapshot = follower.newest() => snapshot,
		};
		if let Err(error) = worker.look(&snapshot).await {
			tracing::warn!(%error, block = snapshot.number(), "looking again at the next block");
		}
	}
	for running in worker.running.values() {
		running.stop.cancel();
	}
	worker.peer.shutdown().await;
	Ok(())
}

impl Worker {
	async fn look(&mut self, snapshot: &Snapshot) -> Result<(), WorkerError> {
		let me = self.peer.account();
		let Some(operator) = self.registered(snapshot).await? else { return Ok(()) };
		let jobs = snapshot.jobs().await?;
		let mut leases = HashSet::new();
		for (id, job) in &jobs {
			if matches!(job.state, JobState::Closed(_)) {
				continue;
			}
			let Some(spec) = snapshot.spec(*id).await? else { continue };
			if let JobState::Order(order) = &job.state {
				self.consider(snapshot, *id, job, order, &spec, &operator);
			}
			if views::lease(job).is_some_and(|lease| lease.worker == me) {
				let lease = LeaseId { job: *id, attempt: job.attempt };
				leases.insert(lease);
				self.ensure_running(snapshot, lease, job, spec).await?;
				if let Some(running) = self.running.get(&lease) {
					self.advance(snapshot, running, job);
					proving::prove(self, snapshot, running, job).await?;
				}
			}
		}
		self.retire(&leases);
		defence::defend(self, snapshot).await?;
		Ok(())
	}

	/// This worker's record, after registering or publishing a new address where needed.
	async fn registered(&self, snapshot: &Snapshot) -> Result<Option<Operator>, WorkerError> {
		let contact = self.peer.contact()?;
		let block = snapshot.number();
		let Some(operator) = snapshot.operator(Role::Worker, &self.peer.account()).await? else {
			let capabilities = Capabilities {
				slots: 1,
				cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
				memory_mib: self.config.memory_mib,
				devices: Default::default(),
			};
			let call = calls::register_worker(self.config.bond, contact, capabilities);
			self.peer.actions.send(block, "register".into(), call);
			return Ok(None);
		};
		if operator.contact != contact {
			let call = calls::update_endpoint(Role::Worker, contact);
			self.peer.actions.send(block, "update endpoint".into(), call);
		}
		if matches!(operator.state, State::Unresponsive { .. }) {
			self.peer.actions.send(block, "ready again".into(), calls::set_ready(Role::Worker));
		}
		Ok(Some(operator))
	}

	fn consider(
		&mut self,
		snapshot: &Snapshot,
		id: JobId,
		job: &Job<[u8; 32]>,
		order: &Order<[u8; 32]>,
		spec: &JobSpec,
		operator: &Operator,
	) {
		let (me, block) = (self.peer.account(), snapshot.number());
		let now = block as BlockNumber;
		if bidding::closable(job, spec, now) {
			self.peer.actions.send(block, format!("close auction of job {id}"), calls::close_auction(id));
		}
		if !operator.state.takes_work() || !self.running.is_empty() {
			return;
		}
		match bidding::decide(&me, job, order, spec, self.config.price, self.config.memory_mib, now) {
			Ok(price) => {
				self.peer.actions.send(block, format!("bid on job {id}.{}", job.attempt), calls::bid(id, price))
			}
			Err(reason) => self.tell_missed(id, job.attempt, &reason),
		}
	}

	/// Notes once per order why there is no bid; `assay provider status` shows it.
	fn tell_missed(&mut self, job: JobId, attempt: u32, reason: &NoBid) {
		if reason.is_missed() && self.told.insert((job, attempt)) {
			tracing::info!(job, attempt, %reason, "no bid");
			let key = format!("missed/{job:020}/{attempt:05}");
			if let Err(error) = self.peer.store.put(&key, &reason.to_string().encode()) {
				tracing::warn!(%error, "the missed bid is not recorded");
			}
		}
	}

	async fn ensure_running(
		&mut self,
		snapshot: &Snapshot,
		lease: LeaseId,
		job: &Job<[u8; 32]>,
		spec: JobSpec,
	) -> Result<(), WorkerError> {
		if self.running.contains_key(&lease) {
			return Ok(());
		}
		let plan = match spec.validate(&job.parameters) {
			Ok(plan) => plan,
			Err(reason) => {
				tracing::error!(
					job = lease.job,
					reason = reason.title(),
					"the chain leased an order that is not valid"
				);
				return Ok(());
			}
		};
		let start = Start { segment: plan.segments_of(job.verified.milestones).first, root: job.verified.root };
		let sources = sources(snapshot, job, &spec).await?;
		let (allowed, allowed_receiver) = watch::channel(0);
		let (engine, engine_receiver) = watch::channel(None);
		let (failed, failed_receiver) = watch::channel(None);
		let stop = self.peer.stop.child_token();
		let execution = Execution {
			peer: self.peer.clone(),
			ledger: self.ledger.clone(),
			cpu: self.cpu.clone(),
			lease,
			spec,
			plan,
			start,
			sources,
			allowed: allowed_receiver,
			engine,
			stop: stop.clone(),
			#[cfg(feature = "adversary")]
			misbehaviour: self.config.misbehaviour.clone(),
		};
		self.peer.tasks.spawn(async move {
			match execution.run().await {
				Ok(()) | Err(WorkerError::Stopped) => {}
				Err(error) => {
					tracing::error!(job = lease.job, %error, "the execution ended");
					failed.send_replace(Some(execution::reason_of(&error)));
				}
			}
		});
		tracing::info!(job = lease.job, attempt = lease.attempt, from_segment = start.segment, "lease taken up");
		let running = Running { lease, plan, engine: engine_receiver, allowed, stop, failed: failed_receiver };
		self.running.insert(lease, running);
		Ok(())
	}

	/// Lets the execution run ahead of verification by the parameter's bound, or gives the lease up if it failed.
	fn advance(&self, snapshot: &Snapshot, running: &Running, job: &Job<[u8; 32]>) {
		let last = job.verified.milestones.saturating_add(job.parameters.run_ahead);
		let end = running.plan.segments_of(last).first;
		let allowed = if last >= running.plan.milestones { running.plan.segments } else { end };
		running.allowed.send_replace(allowed);
		if let Some(reason) = *running.failed.borrow() {
			let id = running.lease.job;
			self.peer.actions.send(snapshot.number(), format!("give up job {id}"), calls::fail_job(id, reason));
		}
	}

	fn retire(&mut self, leases: &HashSet<LeaseId>) {
		self.running.retain(|lease, running| {
			let keep = leases.contains(lease);
			if !keep {
				tracing::info!(job = lease.job, attempt = lease.attempt, "lease ended");
				running.stop.cancel();
			}
			keep
		});
	}
}

/// Who may have the job's blobs and its verified states: the client, the workers before, the verifiers.
async fn sources(snapshot: &Snapshot, job: &Job<[u8; 32]>, spec: &JobSpec) -> Result<Vec<Provider>, ChainError> {
	let mut endpoints = vec![spec.endpoint.clone()];
	for share in &job.shares {
		if let Some(operator) = snapshot.operator(Role::Worker, &share.worker).await? {
			endpoints.push(operator.contact.endpoint.to_vec());
		}
	}
	if job.verified.milestones > 0 {
		let verifiers = snapshot.operators(Role::Verifier).await?;
		endpoints.extend(verifiers.into_iter().map(|(_, operator)| operator.contact.endpoint.to_vec()));
	}
	Ok(artifacts::providers(endpoints.iter().map(Vec::as_slice)))
}
