//! The leases of this worker: taken up, allowed to run ahead, given up, ended.

use crate::{
	error::WorkerError,
	execution::{self, Execution},
	ledger::{LeaseId, Start},
	orders::{bid_action, concerns},
	patience::Time,
	proving,
	service::Worker,
};
use assay_agent::{
	artifacts, calls,
	concurrent::each,
	keys::Account,
	memory::{Allowance, Purpose},
	views, ChainError, DaemonError, Snapshot,
};
use assay_engine::Engine;
use assay_p2p::Provider;
use assay_protocol::{
	job::JobSpec,
	plan::JobPlan,
	reason::Reason,
	records::{market::Job, operators::Role},
	BlockNumber, JobId,
};
use std::{collections::HashSet, sync::Arc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A lease of this worker.
pub(crate) struct Running {
	pub(crate) lease: LeaseId,
	pub(crate) plan: JobPlan,
	/// The job's program and data, once they are here.
	pub(crate) engine: watch::Receiver<Option<Arc<Engine>>>,
	allowed: watch::Sender<u32>,
	/// When this daemon took the lease up.
	since: BlockNumber,
	time: watch::Sender<Time>,
	pub(crate) stop: CancellationToken,
	/// Why the execution ended, if it failed.
	failed: watch::Receiver<Option<Reason>>,
}

impl Worker {
	/// Serves every lease of this worker, each by itself, and ends what is not leased any more. Returns the verifiers that
	/// are drawn to check what it committed.
	pub(crate) async fn serve_leases(&mut self, snapshot: &Snapshot, now: BlockNumber) -> HashSet<Account> {
		let me = self.peer.account();
		let mut leases = HashSet::new();
		let mut drawn = HashSet::new();
		for (id, read) in each(self.mine.clone(), |id| snapshot.job(id)).await {
			let job = match read {
				Ok(Some(job)) => job,
				Ok(None) => {
					self.mine.remove(&id);
					continue;
				}
				Err(error) => {
					tracing::warn!(job = id, %error, "the job is looked at again at the next block");
					// What cannot be read has not ended.
					leases.extend(self.running.keys().copied().filter(|lease| lease.job == id));
					continue;
				}
			};
			if views::lease(&job).is_some_and(|lease| lease.worker == me) {
				let lease = LeaseId { job: id, attempt: job.attempt };
				leases.insert(lease);
				match self.serve_lease(snapshot, now, lease, &job).await {
					Ok(verifiers) => drawn.extend(verifiers),
					Err(error) => tracing::warn!(job = id, %error, "the lease is looked at again at the next block"),
				}
			} else if !concerns(&me, &job) && !self.is_bidding(id, &job) {
				self.mine.remove(&id);
			}
		}
		self.retire(&leases);
		drawn
	}

	fn is_bidding(&self, id: JobId, job: &Job<Account>) -> bool {
		self.peer.actions.submitter().is_in_flight(&bid_action(id, job.attempt))
	}

	async fn serve_lease(
		&mut self,
		snapshot: &Snapshot,
		now: BlockNumber,
		lease: LeaseId,
		job: &Job<Account>,
	) -> Result<Vec<Account>, WorkerError> {
		self.ensure_running(snapshot, now, lease, job).await?;
		let Some(running) = self.running.get(&lease) else { return Ok(Vec::new()) };
		self.advance(snapshot, now, running, job);
		proving::prove(self, snapshot, now, running, job).await
	}

	async fn ensure_running(
		&mut self,
		snapshot: &Snapshot,
		now: BlockNumber,
		lease: LeaseId,
		job: &Job<Account>,
	) -> Result<(), WorkerError> {
		if self.running.contains_key(&lease) {
			return Ok(());
		}
		let Some(spec) = self.specs.get(snapshot, lease.job).await? else { return Ok(()) };
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
		let (time, time_receiver) = watch::channel(Time::default());
		let stop = self.peer.stop.child_token();
		let execution = Execution {
			peer: self.peer.clone(),
			ledger: self.ledger.clone(),
			compute: self.compute.clone(),
			lease,
			spec,
			plan,
			start,
			sources,
			allowance: Allowance::mib(self.config.memory_mib, Purpose::Execution),
			time: time_receiver,
			allowed: allowed_receiver,
			engine,
			stop: stop.clone(),
			#[cfg(feature = "adversary")]
			misbehaviour: self.config.misbehaviour.clone(),
		};
		self.peer.tasks.spawn(async move {
			match execution.run().await {
				Ok(()) | Err(WorkerError::Daemon(DaemonError::Stopped)) => {}
				Err(error) => {
					tracing::error!(job = lease.job, %error, "the execution ended");
					failed.send_replace(Some(execution::reason_of(&error)));
				}
			}
		});
		tracing::info!(job = lease.job, attempt = lease.attempt, from_segment = start.segment, "lease taken up");
		let running =
			Running { lease, plan, engine: engine_receiver, allowed, since: now, time, stop, failed: failed_receiver };
		self.running.insert(lease, running);
		Ok(())
	}

	/// Lets the execution run ahead of verification by the parameter's bound, or gives the lease up if it failed.
	fn advance(&self, snapshot: &Snapshot, now: BlockNumber, running: &Running, job: &Job<Account>) {
		let last = job.verified.milestones.saturating_add(job.parameters.run_ahead);
		let end = running.plan.segments_of(last).first;
		let allowed = if last >= running.plan.milestones { running.plan.segments } else { end };
		running.allowed.send_replace(allowed);
		running.time.send_replace(Time::at(running.since, job.parameters.progress_window, now));
		if let Some(reason) = *running.failed.borrow() {
			let id = running.lease.job;
			self.peer.actions.offer(snapshot.number(), format!("give up job {id}"), calls::fail_job(id, reason));
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
async fn sources(snapshot: &Snapshot, job: &Job<Account>, spec: &JobSpec) -> Result<Vec<Provider>, ChainError> {
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
