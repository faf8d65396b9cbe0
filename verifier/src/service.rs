//! The verifier's loop: from the newest finalised state to what ought to happen.

use crate::{
	accusation,
	check::Answers,
	checks::Checks,
	config::VerifierConfig,
	error::VerifierError,
	rounds::{is_mine, lies, wanted, Committed, Round},
	serving::Serving,
};
use assay_agent::{
	calls,
	concurrent::each,
	device::{self, Compute},
	follower::Follower,
	memory::{Allowance, Pool, Purpose},
	Background, ChainError, Peer, Snapshot, Specs, Upkeep,
};
use assay_cpu::Cpu;
use assay_protocol::{
	records::operators::{Role, State},
	BlockNumber,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The verifier's state; all of it can be derived again from the chain and the state file.
pub(crate) struct Verifier {
	pub(crate) config: VerifierConfig,
	pub(crate) peer: Peer,
	pub(crate) compute: Compute,
	pub(crate) answers: Answers,
	pub(crate) checks: Checks,
	/// What one program may take.
	pub(crate) allowance: Allowance,
	/// The memory that all checks share.
	pub(crate) memory: Pool,
	pub(crate) specs: Specs,
	/// Computes the moves of disputes.
	pub(crate) background: Background,
	pub(crate) upkeep: Upkeep,
}

/// Runs a verifier until `stop`.
///
/// # Errors
/// [`VerifierError`] when it cannot start; later errors are logged and waited out.
pub async fn run(config: VerifierConfig, stop: CancellationToken) -> Result<(), VerifierError> {
	let cpu = Arc::new(Cpu::new(config.path, config.threads)?);
	let compute = device::find(config.device, cpu).await?;
	// It waits for the node, however long that is away.
	let peer = tokio::select! {
		biased;
		() = stop.cancelled() => return Ok(()),
		peer = Peer::start(&config.peer, stop.clone()) => peer?,
	};
	let answers = Answers::new(peer.store.clone());
	let serving = Serving::new(peer.clone(), answers.clone());
	peer.plane.set_handler(move |from, request| serving.clone().answer(from, request));
	tracing::info!(
		account = %peer.actions.submitter().keypair().address(),
		endpoint = ?peer.plane.listen_addresses(),
		memory_mib = config.memory_mib,
		"verifier started"
	);
	let mut follower = Follower::new(peer.chain.clone(), 0);
	let mut verifier = Verifier {
		allowance: Allowance::mib(config.memory_mib, Purpose::Dispute),
		memory: Pool::new(config.memory_mib),
		background: Background::new(peer.actions.clone(), peer.tasks.clone(), stop.clone()),
		checks: Checks::default(),
		specs: Specs::default(),
		upkeep: Upkeep::default(),
		config,
		peer,
		compute,
		answers,
	};
	loop {
		let snapshot = tokio::select! {
			() = stop.cancelled() => break,
			snapshot = follower.newest() => snapshot,
		};
		verifier.look(&snapshot).await;
		verifier.tidy(&snapshot);
	}
	verifier.peer.shutdown().await;
	Ok(())
}

/// Logs an error; the next block brings another look.
fn tell(part: &str, block: u64, outcome: Result<(), VerifierError>) {
	if let Err(error) = outcome {
		tracing::warn!(%error, block, part, "looking again at the next block");
	}
}

impl Verifier {
	/// Each part is looked at whatever goes wrong in the others.
	async fn look(&self, snapshot: &Snapshot) {
		let block = snapshot.number();
		let now = match snapshot.clock().await {
			Ok(now) => now,
			Err(error) => return tell("clock", block, Err(error.into())),
		};
		tell("registration", block, self.register(snapshot).await);
		tell("disputes", block, accusation::accuse(self, snapshot, now).await);
		tell("rounds", block, self.rounds(snapshot, now).await);
	}

	/// Serves the rounds that this verifier is drawn for, then moves others on that somebody lets lie.
	async fn rounds(&self, snapshot: &Snapshot, now: BlockNumber) -> Result<(), VerifierError> {
		let me = self.peer.account();
		let milestones = snapshot.milestones().await?;
		self.checks.keep_only(&wanted(&milestones, &me, now));
		let (mine, others): (Vec<Committed>, Vec<Committed>) =
			milestones.into_iter().partition(|(_, record)| is_mine(record, &me));
		self.look_at(snapshot, now, &mine, true).await;
		let lying: Vec<Committed> = others.into_iter().filter(|(_, record)| lies(record, now)).collect();
		self.look_at(snapshot, now, &lying, false).await;
		Ok(())
	}

	/// Looks at rounds, each by itself. Jobs and orders are read some at once.
	async fn look_at(&self, snapshot: &Snapshot, now: BlockNumber, rounds: &[Committed], mine: bool) {
		let reads = each(rounds.iter(), |((id, _), _)| async move {
			let job = snapshot.job(*id).await?;
			let spec = if mine { self.specs.get(snapshot, *id).await? } else { None };
			Ok::<_, ChainError>(job.map(|job| (job, spec)))
		});
		for (((id, milestone), record), read) in reads.await {
			let outcome = async {
				let Some((job, spec)) = read? else { return Ok(()) };
				let round = Round { snapshot, now, id: *id, milestone: *milestone, record, job: &job };
				let served = match &spec {
					Some(spec) => round.serve(self, spec).await,
					None => Ok(()),
				};
				round.move_on(self);
				served
			};
			if let Err(error) = outcome.await {
				let error: VerifierError = error;
				tracing::warn!(job = id, milestone, %error, "the round is looked at again at the next block");
			}
		}
	}

	async fn register(&self, snapshot: &Snapshot) -> Result<(), VerifierError> {
		let (contact, block) = (self.peer.contact()?, snapshot.number());
		let Some(operator) = snapshot.operator(Role::Verifier, &self.peer.account()).await? else {
			let call = calls::register_verifier(self.config.bond, contact);
			self.peer.actions.offer(block, "register".into(), call);
			return Ok(());
		};
		if operator.contact != contact {
			let call = calls::update_endpoint(Role::Verifier, contact);
			self.peer.actions.send(block, "update endpoint".into(), call);
		}
		if matches!(operator.state, State::Unresponsive { .. }) {
			self.peer.actions.offer(block, "ready again".into(), calls::set_ready(Role::Verifier));
		}
		Ok(())
	}
}
