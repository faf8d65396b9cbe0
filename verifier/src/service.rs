//! The verifier's loop: from the newest finalised state to what ought to happen.

use crate::{
	accusation,
	check::{Answers, Check, CheckId},
	config::VerifierConfig,
	error::VerifierError,
	rounds::Round,
	serving::Serving,
};
use assay_agent::{calls, follower::Follower, Peer, Snapshot};
use assay_cpu::Cpu;
use assay_protocol::records::operators::{Role, State};
use std::{
	collections::{HashMap, HashSet},
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a failed check waits before it is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// The checks under way.
#[derive(Clone, Default)]
pub(crate) struct Checks {
	inner: Arc<Mutex<CheckTable>>,
}

#[derive(Default)]
struct CheckTable {
	running: HashSet<CheckId>,
	failed: HashMap<CheckId, (Instant, bool)>,
}

impl Checks {
	fn table(&self) -> std::sync::MutexGuard<'_, CheckTable> {
		self.inner.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Whether the check runs, or waits after a failure.
	pub(crate) fn is_running(&self, id: CheckId) -> bool {
		let table = self.table();
		table.running.contains(&id) || table.failed.get(&id).is_some_and(|(at, _)| at.elapsed() < RETRY)
	}

	/// Whether the last try failed because the worker did not serve.
	pub(crate) fn was_unserved(&self, id: CheckId) -> bool {
		self.table().failed.get(&id).is_some_and(|(_, unserved)| *unserved)
	}

	/// Runs a check in the background.
	pub(crate) fn start(&self, tasks: &TaskTracker, check: Check) {
		let (this, id) = (self.clone(), check.id);
		self.table().running.insert(id);
		tasks.spawn(async move {
			let outcome = check.run().await;
			let mut table = this.table();
			table.running.remove(&id);
			match outcome {
				Ok(()) | Err(VerifierError::Stopped) => {
					table.failed.remove(&id);
				}
				Err(error) => {
					tracing::warn!(job = id.job, segment = id.segment, %error, "the check is tried again");
					table.failed.insert(id, (Instant::now(), error.is_unserved()));
				}
			}
		});
	}
}

/// The verifier's state; all of it can be derived again from the chain and the state file.
pub(crate) struct Verifier {
	#[cfg_attr(not(feature = "adversary"), allow(dead_code))]
	pub(crate) config: VerifierConfig,
	pub(crate) peer: Peer,
	pub(crate) cpu: Arc<Cpu>,
	pub(crate) answers: Answers,
	pub(crate) checks: Checks,
}

/// Runs a verifier until `stop`.
///
/// # Errors
/// [`VerifierError`] when it cannot start; later errors are logged and waited out.
pub async fn run(config: VerifierConfig, stop: CancellationToken) -> Result<(), VerifierError> {
	let cpu = Arc::new(Cpu::new(config.path, config.threads)?);
	let peer = Peer::start(&config.peer, stop.clone()).await?;
	let answers = Answers::new(peer.store.clone());
	let serving = Serving::new(peer.clone(), answers.clone());
	peer.plane.set_handler(move |from, request| serving.clone().answer(from, request));
	tracing::info!(account = %peer.actions.submitter().keypair().address(), endpoint = ?peer.plane.listen_addresses(), "verifier started");
	let mut follower = Follower::new(peer.chain.clone(), 0);
	let mut verifier = Verifier { config, peer, cpu, answers, checks: Checks::default() };
	loop {
		let snapshot = tokio::select! {
			() = stop.cancelled() => break,
			snapshot = follower.newest() => snapshot,
		};
		if let Err(error) = verifier.look(&snapshot).await {
			tracing::warn!(%error, block = snapshot.number(), "looking again at the next block");
		}
	}
	verifier.peer.shutdown().await;
	Ok(())
}

impl Verifier {
	async fn look(&mut self, snapshot: &Snapshot) -> Result<(), VerifierError> {
		if !self.registered(snapshot).await? {
			return Ok(());
		}
		for ((id, milestone), record) in snapshot.milestones().await? {
			let (Some(job), Some(spec)) = (snapshot.job(id).await?, snapshot.spec(id).await?) else { continue };
			let round = Round { snapshot, id, milestone, record: &record, job: &job, spec: &spec };
			round.serve(self).await?;
		}
		accusation::accuse(self, snapshot).await
	}

	async fn registered(&self, snapshot: &Snapshot) -> Result<bool, VerifierError> {
		let (contact, block) = (self.peer.contact()?, snapshot.number());
		let Some(operator) = snapshot.operator(Role::Verifier, &self.peer.account()).await? else {
			let call = calls::register_verifier(self.config.bond, contact);
			self.peer.actions.send(block, "register".into(), call);
			return Ok(false);
		};
		if operator.contact != contact {
			let call = calls::update_endpoint(Role::Verifier, contact);
			self.peer.actions.send(block, "update endpoint".into(), call);
		}
		if matches!(operator.state, State::Unresponsive { .. }) {
			self.peer.actions.send(block, "ready again".into(), calls::set_ready(Role::Verifier));
		}
		Ok(true)
	}
}
