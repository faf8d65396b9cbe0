//! Orders, found in the background: however many strangers post, what this worker is bound to does not wait for them.

use crate::{
	bidding::{self, Bidder, NoBid},
	overdue::{self, Overdue},
	service::Worker,
};
use assay_agent::{calls, concurrent::each, keys::Account, views, ChainError, Peer, Snapshot, Specs};
use assay_protocol::{
	job::JobSpec,
	records::market::{Job, JobState, Order},
	BlockNumber, JobId,
};
use codec::Encode;
use std::{
	collections::{BTreeSet, HashMap, HashSet},
	sync::Arc,
};
use tokio::sync::{mpsc, OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Orders that the worker has bids on at once. Each bid locks a deposit and takes its turn among the transactions of this key.
const OPEN_BIDS: usize = 32;
/// Auctions of others that the worker closes after one listing.
const CLOSED_FOR_OTHERS: usize = 4;

/// The market at one block.
pub(crate) struct Listing {
	/// The block.
	block: u64,
	/// The time.
	now: BlockNumber,
	/// Orders that take bids, ascending.
	orders: Vec<(JobId, Job<Account>, Arc<JobSpec>)>,
	/// Jobs that time has ended, ascending.
	overdue: Vec<(JobId, Overdue)>,
	/// Jobs that this worker has a bid on or the lease of.
	pub(crate) mine: BTreeSet<JobId>,
	/// The next listing is made when this one is done with.
	_permit: OwnedSemaphorePermit,
}

/// Makes listings, one at a time.
pub(crate) struct Lister {
	me: Account,
	specs: Specs,
	tasks: TaskTracker,
	stop: CancellationToken,
	turn: Arc<Semaphore>,
	done: mpsc::Sender<Listing>,
}

impl Lister {
	/// What it lists comes out of the receiver.
	pub(crate) fn new(peer: &Peer, specs: Specs) -> (Self, mpsc::Receiver<Listing>) {
		let (done, listings) = mpsc::channel(1);
		let (tasks, stop, turn) = (peer.tasks.clone(), peer.stop.clone(), Arc::new(Semaphore::new(1)));
		(Self { me: peer.account(), specs, tasks, stop, turn, done }, listings)
	}

	/// Lists the market at `snapshot`, unless the last listing is still under way.
	pub(crate) fn list(&self, snapshot: &Snapshot) {
		let Ok(permit) = self.turn.clone().try_acquire_owned() else { return };
		let (me, specs, snapshot, done) = (self.me, self.specs.clone(), snapshot.clone(), self.done.clone());
		let stop = self.stop.clone();
		self.tasks.spawn(async move {
			let read = tokio::select! {
				() = stop.cancelled() => return,
				read = read(&me, &specs, &snapshot) => read,
			};
			match read {
				Ok(Found { now, orders, overdue, mine }) => {
					let listing = Listing { block: snapshot.number(), now, orders, overdue, mine, _permit: permit };
					// Fails only when the daemon stops.
					let _ = done.send(listing).await;
				}
				Err(error) => tracing::warn!(%error, block = snapshot.number(), "the market is listed again"),
			}
		});
	}
}

struct Found {
	now: BlockNumber,
	orders: Vec<(JobId, Job<Account>, Arc<JobSpec>)>,
	overdue: Vec<(JobId, Overdue)>,
	mine: BTreeSet<JobId>,
}

/// Orders with their specifications; of jobs in another state none is read.
async fn read(me: &Account, specs: &Specs, snapshot: &Snapshot) -> Result<Found, ChainError> {
	let now = snapshot.clock().await?;
	let jobs = snapshot.jobs().await?;
	let mine = jobs.iter().filter(|(_, job)| concerns(me, job)).map(|(id, _)| *id).collect();
	let overdue = jobs.iter().filter_map(|(id, job)| Some((*id, overdue::overdue(me, *id, job, now)?))).collect();
	let open: Vec<JobId> =
		jobs.iter().filter(|(_, job)| matches!(job.state, JobState::Order(_))).map(|(id, _)| *id).collect();
	let mut read: HashMap<JobId, Arc<JobSpec>> = HashMap::new();
	for (id, spec) in each(open, |id| specs.get(snapshot, id)).await {
		match spec {
			Ok(Some(spec)) => {
				read.insert(id, spec);
			}
			Ok(None) => {}
			Err(error) => tracing::warn!(job = id, %error, "the order is read again"),
		}
	}
	let orders = jobs.into_iter().filter_map(|(id, job)| read.remove(&id).map(|spec| (id, job, spec))).collect();
	Ok(Found { now, orders, overdue, mine })
}

/// Whether the worker has a bid on the job, or its lease.
pub(crate) fn concerns(me: &Account, job: &Job<Account>) -> bool {
	match &job.state {
		JobState::Order(order) => has_bid(me, order),
		JobState::Running(_) => views::lease(job).is_some_and(|lease| lease.worker == *me),
		JobState::Closed(_) => false,
	}
}

fn has_bid(me: &Account, order: &Order<Account>) -> bool {
	order.bids.iter().any(|bid| bid.worker == *me)
}

/// The name of the action that bids.
pub(crate) fn bid_action(job: JobId, attempt: u32) -> String {
	format!("bid on job {job}.{attempt}")
}

impl Worker {
	/// Bids, and closes auctions that are over.
	pub(crate) fn consider(&mut self, listing: &Listing) {
		let me = self.peer.account();
		let (block, now, actions) = (listing.block, listing.now, self.peer.actions.clone());
		let on_its_way = |id: JobId, job: &Job<Account>| actions.submitter().is_in_flight(&bid_action(id, job.attempt));
		let mut open = 0;
		let mut closed_for_others = 0;
		for (id, job, spec) in &listing.orders {
			let JobState::Order(order) = &job.state else { continue };
			let bidden = has_bid(&me, order);
			open += usize::from(bidden || on_its_way(*id, job));
			if bidding::closable(job, spec, now) && (bidden || closed_for_others < CLOSED_FOR_OTHERS) {
				let sent = actions.offer(block, format!("close auction of job {id}"), calls::close_auction(*id));
				closed_for_others += usize::from(sent && !bidden);
			}
		}
		let mut ended = 0;
		for (id, overdue) in &listing.overdue {
			if ended == overdue::MOST {
				break;
			}
			let (action, call) = match overdue {
				Overdue::Expired => (format!("close expired job {id}"), calls::expire(*id)),
				Overdue::Absent => {
					(format!("end the lease of the absent worker of job {id}"), calls::declare_absent(*id))
				}
			};
			ended += usize::from(actions.offer(block, action, call));
		}
		self.forget_orders(listing);
		let Some(free) = self.free_bond.filter(|_| self.running.is_empty()) else { return };
		let bidder = Bidder { account: me, price: self.config.price, memory_mib: self.config.memory_mib, free };
		for (id, job, spec) in &listing.orders {
			let JobState::Order(order) = &job.state else { continue };
			match bidding::decide(&bidder, job, order, spec, now) {
				Ok(price) if open < OPEN_BIDS => {
					if actions.offer(block, bid_action(*id, job.attempt), calls::bid(*id, price)) {
						open += 1;
						self.mine.insert(*id);
					}
				}
				Ok(_) => {}
				Err(reason) => self.tell_missed(*id, job.attempt, &reason),
			}
		}
	}

	/// Forgets what was told about orders that are gone.
	fn forget_orders(&mut self, listing: &Listing) {
		let open: HashSet<JobId> = listing.orders.iter().map(|(id, _, _)| *id).collect();
		self.told.retain(|(id, _)| open.contains(id));
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
}
