//! The worker's loop: from the newest finalised state to what ought to happen.

use crate::{
	config::WorkerConfig,
	defence,
	error::WorkerError,
	leases::Running,
	ledger::{LeaseId, Ledger},
	orders::{Lister, Listing},
	reservation::Reservation,
	serving::Serving,
};
use assay_agent::{
	calls,
	device::{self, Compute},
	follower::Follower,
	Background, Peer, Snapshot, Specs, Upkeep,
};
use assay_cpu::Cpu;
use assay_protocol::{
	records::operators::{Capabilities, Role, State},
	Balance, BlockNumber, JobId,
};
use std::{
	collections::{BTreeSet, HashMap, HashSet},
	sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// The worker's state; all of it can be derived again from the chain and the state file.
pub(crate) struct Worker {
	pub(crate) config: WorkerConfig,
	pub(crate) peer: Peer,
	pub(crate) ledger: Ledger,
	pub(crate) compute: Compute,
	pub(crate) specs: Specs,
	/// Jobs that this worker has a bid on or the lease of; read at each block, before all others.
	pub(crate) mine: BTreeSet<JobId>,
	pub(crate) running: HashMap<LeaseId, Running>,
	/// Bond that no duty reserves, while the registry lets it take work.
	pub(crate) free_bond: Option<Balance>,
	/// Orders of which the operator was told why there is no bid.
	pub(crate) told: HashSet<(JobId, u32)>,
	/// Computes moves of disputes and answers to challenges.
	pub(crate) background: Background,
	pub(crate) upkeep: Upkeep,
	lister: Lister,
	reservation: Reservation,
	/// The newest state that was looked at, and its time.
	newest: Option<(Snapshot, BlockNumber)>,
}

/// Runs a worker until `stop`.
///
/// # Errors
/// [`WorkerError`] when it cannot start; later errors are logged and waited out.
pub async fn run(config: WorkerConfig, stop: CancellationToken) -> Result<(), WorkerError> {
	let cpu = Cpu::new(config.path, config.threads)?;
	#[cfg(feature = "adversary")]
	let cpu = match config.misbehaviour {
		Some(crate::adversary::Misbehaviour::FaultyLane) => cpu.with_faulty_lane(5),
		_ => cpu,
	};
	let cpu = Arc::new(cpu);
	conform(&cpu).await?;
	let compute = device::find(config.device, cpu).await?;
	// It waits for the node, however long that is away.
	let peer = tokio::select! {
		biased;
		() = stop.cancelled() => return Ok(()),
		peer = Peer::start(&config.peer, stop.clone()) => peer?,
	};
	let ledger = Ledger::new(peer.store.clone());
	let serving = Serving::new(peer.clone(), ledger.clone());
	#[cfg(feature = "adversary")]
	let serving = serving.refusing_pre_states(
		config.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::refuses_pre_states),
	);
	peer.plane.set_handler(move |from, request| serving.clone().answer(from, request));
	tracing::info!(account = %peer.actions.submitter().keypair().address(), endpoint = ?peer.plane.listen_addresses(), "worker started");
	let mut follower = Follower::new(peer.chain.clone(), 0);
	let specs = Specs::default();
	let (lister, mut listings) = Lister::new(&peer, specs.clone());
	let mut worker = Worker {
		background: Background::new(peer.actions.clone(), peer.tasks.clone(), stop.clone()),
		upkeep: Upkeep::default(),
		config,
		peer,
		ledger,
		compute,
		specs,
		mine: BTreeSet::new(),
		running: HashMap::new(),
		free_bond: None,
		told: HashSet::new(),
		lister,
		reservation: Reservation::default(),
		newest: None,
	};
	loop {
		tokio::select! {
			() = stop.cancelled() => break,
			snapshot = follower.newest() => worker.look(&snapshot).await,
			Some(listing) = listings.recv() => worker.take(listing).await,
		}
	}
	// What waits to hand over a listing ends.
	drop(listings);
	for running in worker.running.values() {
		running.stop.cancel();
	}
	worker.peer.shutdown().await;
	Ok(())
}

/// A machine that computes other bits than the others loses its collateral with its first lease: it must not bid.
async fn conform(cpu: &Arc<Cpu>) -> Result<(), WorkerError> {
	let cpu = cpu.clone();
	let outcomes = tokio::task::spawn_blocking(move || assay_models::conformance(&cpu)).await?;
	match outcomes.into_iter().find(|outcome| !outcome.conforms()) {
		None => Ok(()),
		Some(outcome) => {
			let found = outcome.found.unwrap_or_else(|error| error);
			Err(WorkerError::NotConforming { run: outcome.run, expected: outcome.expected, found })
		}
	}
}

impl Worker {
	/// Each part is looked at whatever goes wrong in the others: first what this worker is bound to, then the market.
	async fn look(&mut self, snapshot: &Snapshot) {
		let block = snapshot.number();
		let tell = |part: &str, error: &WorkerError| {
			tracing::warn!(%error, block, part, "looking again at the next block");
		};
		let now = match snapshot.clock().await {
			Ok(now) => now,
			Err(error) => return tell("clock", &error.into()),
		};
		self.newest = Some((snapshot.clone(), now));
		if let Err(error) = self.register(snapshot).await {
			tell("registration", &error);
		}
		self.serve(snapshot, now).await;
		if let Err(error) = defence::defend(self, snapshot, now).await {
			tell("disputes", &error);
		}
		self.lister.list(snapshot);
		self.tidy(snapshot);
	}

	async fn serve(&mut self, snapshot: &Snapshot, now: BlockNumber) {
		let drawn = self.serve_leases(snapshot, now).await;
		self.reservation.update(&self.peer, snapshot, drawn).await;
	}

	/// Acts on a listing of the market. It also tells of leases that this daemon does not know, such as after a restart; they
	/// are served by the newest state, which may be newer than the listing: an older one would end leases that began since.
	async fn take(&mut self, listing: Listing) {
		let known = self.mine.len();
		self.mine.extend(&listing.mine);
		if let Some((snapshot, now)) = self.newest.clone().filter(|_| self.mine.len() > known) {
			self.serve(&snapshot, now).await;
		}
		self.consider(&listing);
	}

	/// Registers, publishes a new address, comes back after absences; notes what it may bid with.
	async fn register(&mut self, snapshot: &Snapshot) -> Result<(), WorkerError> {
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
			self.peer.actions.offer(block, "register".into(), call);
			self.free_bond = None;
			return Ok(());
		};
		self.free_bond = operator.state.takes_work().then(|| operator.free());
		if operator.contact != contact {
			let call = calls::update_endpoint(Role::Worker, contact);
			self.peer.actions.send(block, "update endpoint".into(), call);
		}
		if matches!(operator.state, State::Unresponsive { .. }) {
			self.peer.actions.offer(block, "ready again".into(), calls::set_ready(Role::Worker));
		}
		Ok(())
	}
}
