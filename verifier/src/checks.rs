//! The checks under way: how far each is, when it is tried again, and its end when nobody waits for it any more.

use crate::{
	check::{Check, CheckId},
	error::{Failure, VerifierError},
};
use std::{
	collections::{HashMap, HashSet},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a failed check waits before it is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// How far a running check is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
	/// It waits for others: for program and data, and for the state before the segment.
	#[default]
	Fetching,
	/// It waits for memory that other checks hold.
	Queued,
	/// It computes.
	Executing,
}

/// The checks under way. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Checks {
	inner: Arc<Mutex<Table>>,
}

impl Checks {
	fn table(&self) -> MutexGuard<'_, Table> {
		self.inner.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Whether the check runs, waits after a failure, or is hopeless.
	pub(crate) fn is_running(&self, id: CheckId) -> bool {
		self.table().is_running(id, Instant::now())
	}

	/// Whether the last try failed because the worker did not serve.
	pub(crate) fn was_unserved(&self, id: CheckId) -> bool {
		self.table().was_unserved(id)
	}

	/// Whether the check still waits for what others serve.
	pub(crate) fn is_fetching(&self, id: CheckId) -> bool {
		self.table().is_fetching(id)
	}

	/// Cancels every check that is not among `wanted` and forgets its failures.
	pub(crate) fn keep_only(&self, wanted: &HashSet<CheckId>) {
		self.table().keep_only(wanted);
	}

	/// Runs a check in the background. `make` gets its stop token and where to say how far it is.
	pub(crate) fn start(
		&self,
		tasks: &TaskTracker,
		id: CheckId,
		daemon: &CancellationToken,
		make: impl FnOnce(CancellationToken, watch::Sender<Stage>) -> Check,
	) {
		let (this, stop) = (self.clone(), daemon.child_token());
		let (stage, receiver) = watch::channel(Stage::default());
		self.table().start(id, stop.clone(), receiver);
		let check = make(stop, stage);
		tasks.spawn(async move {
			let outcome = check.run().await;
			if let Err(error) = &outcome {
				tell(id, error);
			}
			this.table().end(id, outcome.err().and_then(|error| error.failure()), Instant::now());
		});
	}
}

fn tell(id: CheckId, error: &VerifierError) {
	let CheckId { job, segment, .. } = id;
	match error.failure() {
		Some(Failure::Hopeless) => {
			tracing::warn!(job, segment, %error, "the check cannot be made here; another verifier will be drawn");
		}
		Some(_) => tracing::warn!(job, segment, %error, "the check is tried again"),
		None => tracing::debug!(job, segment, "the check is not wanted any more"),
	}
}

#[derive(Debug)]
enum Entry {
	Running { stage: watch::Receiver<Stage>, stop: CancellationToken },
	Failed { at: Instant, failure: Failure },
}

/// What is known of each check that is not done.
#[derive(Debug, Default)]
struct Table(HashMap<CheckId, Entry>);

impl Table {
	fn is_running(&self, id: CheckId, now: Instant) -> bool {
		match self.0.get(&id) {
			Some(Entry::Running { .. } | Entry::Failed { failure: Failure::Hopeless, .. }) => true,
			Some(Entry::Failed { at, .. }) => now.saturating_duration_since(*at) < RETRY,
			None => false,
		}
	}

	fn was_unserved(&self, id: CheckId) -> bool {
		matches!(self.0.get(&id), Some(Entry::Failed { failure: Failure::Unserved, .. }))
	}

	fn is_fetching(&self, id: CheckId) -> bool {
		match self.0.get(&id) {
			Some(Entry::Running { stage, .. }) => *stage.borrow() == Stage::Fetching,
			Some(Entry::Failed { failure, .. }) => matches!(failure, Failure::Unserved | Failure::Unfetched),
			None => false,
		}
	}

	fn start(&mut self, id: CheckId, stop: CancellationToken, stage: watch::Receiver<Stage>) {
		self.0.insert(id, Entry::Running { stage, stop });
	}

	/// A check has ended. The failure of one that was cancelled says nothing.
	fn end(&mut self, id: CheckId, failure: Option<Failure>, now: Instant) {
		let cancelled = matches!(self.0.get(&id), Some(Entry::Running { stop, .. }) if stop.is_cancelled());
		match failure.filter(|_| !cancelled) {
			Some(failure) => self.0.insert(id, Entry::Failed { at: now, failure }),
			None => self.0.remove(&id),
		};
	}

	/// A cancelled check stays in the table until its task has ended, so that it never runs twice at once.
	fn keep_only(&mut self, wanted: &HashSet<CheckId>) {
		self.0.retain(|id, entry| match entry {
			_ if wanted.contains(id) => true,
			Entry::Running { stop, .. } => {
				stop.cancel();
				true
			}
			Entry::Failed { .. } => false,
		});
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn id(segment: u32) -> CheckId {
		CheckId { job: 1, attempt: 0, milestone: 0, segment }
	}

	fn started(table: &mut Table, segment: u32) -> (watch::Sender<Stage>, CancellationToken) {
		let (stage, receiver) = watch::channel(Stage::default());
		let stop = CancellationToken::new();
		table.start(id(segment), stop.clone(), receiver);
		(stage, stop)
	}

	#[test]
	fn only_what_waits_for_others_is_fetching() {
		let mut table = Table::default();
		assert!(!table.is_fetching(id(1)) && !table.is_running(id(1), Instant::now()));
		let (stage, _) = started(&mut table, 1);
		assert!(table.is_fetching(id(1)) && table.is_running(id(1), Instant::now()));
		for busy in [Stage::Queued, Stage::Executing] {
			stage.send_replace(busy);
			assert!(!table.is_fetching(id(1)), "{busy:?}");
		}
		let now = Instant::now();
		for (failure, fetching) in
			[(Failure::Unserved, true), (Failure::Unfetched, true), (Failure::Own, false), (Failure::Hopeless, false)]
		{
			table.end(id(1), Some(failure), now);
			assert_eq!(table.is_fetching(id(1)), fetching, "{failure:?}");
			assert_eq!(table.was_unserved(id(1)), failure == Failure::Unserved);
		}
		table.end(id(1), None, now);
		assert!(table.0.is_empty());
	}

	#[test]
	fn a_failed_check_waits_and_a_hopeless_one_is_not_tried_again() {
		let mut table = Table::default();
		let now = Instant::now();
		started(&mut table, 1);
		table.end(id(1), Some(Failure::Own), now);
		assert!(table.is_running(id(1), now + RETRY / 2));
		assert!(!table.is_running(id(1), now + RETRY));
		table.end(id(2), Some(Failure::Hopeless), now);
		assert!(table.is_running(id(2), now + 1000 * RETRY));
	}

	#[test]
	fn what_is_not_wanted_is_cancelled_and_forgotten() {
		let mut table = Table::default();
		let now = Instant::now();
		let (_, kept) = started(&mut table, 1);
		let (_, dropped) = started(&mut table, 2);
		table.end(id(3), Some(Failure::Unserved), now);
		table.end(id(4), Some(Failure::Unserved), now);
		table.keep_only(&HashSet::from([id(1), id(3)]));
		assert!(!kept.is_cancelled() && dropped.is_cancelled());
		assert!(table.was_unserved(id(3)) && !table.was_unserved(id(4)));
		// It still ends; until then it is not started again, and then nothing is left of it.
		assert!(table.is_running(id(2), now));
		table.end(id(2), Some(Failure::Own), now);
		assert!(!table.is_running(id(2), now));
		assert_eq!(table.0.len(), 2);
	}
}
