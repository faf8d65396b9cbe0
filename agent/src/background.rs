//! Calls that take a computation: made in the background, a few at once, never in a daemon's loop.
//!
//! A **subject** is what the call is about, such as one dispute; its **turn** says for which state of the subject the call is
//! computed, such as the number of the move. At most one computation runs for a subject. A computed call is kept and sent
//! again until the subject's turn has passed or nobody asks for it any more. A computation that fails is logged and tried
//! again some blocks later; it affects no other subject.

use crate::{chain::Call, Actions};
use std::{
	collections::HashMap,
	fmt::Display,
	future::Future,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Computations that run at once; each may hold a program, its states and the trace of a step.
const AT_ONCE: usize = 2;
/// Blocks that a failed computation waits.
const RETRY: u64 = 2;
/// Subjects that nobody asked for during so many blocks are forgotten.
const FORGET: u64 = 8;

/// Computes calls and sends them. Cheap to clone.
#[derive(Clone)]
pub struct Background {
	actions: Actions,
	tasks: TaskTracker,
	stop: CancellationToken,
	slots: Arc<Semaphore>,
	table: Arc<Mutex<Table>>,
}

impl Background {
	/// Sends by `actions`; ends with `stop`.
	pub fn new(actions: Actions, tasks: TaskTracker, stop: CancellationToken) -> Self {
		Self { actions, tasks, stop, slots: Arc::new(Semaphore::new(AT_ONCE)), table: Arc::default() }
	}

	/// Sends the call of `turn` of `subject` under the name `action`: at once if it is computed, else when `compute` is done.
	/// Does nothing while a computation for the subject runs or waits after a failure, and where `compute` found that
	/// nothing is to be sent in this turn.
	pub fn send<Work, Error>(
		&self,
		block: u64,
		subject: String,
		turn: u64,
		action: String,
		compute: impl FnOnce() -> Work,
	) where
		Work: Future<Output = Result<Option<Call>, Error>> + Send + 'static,
		Error: Display + Send,
	{
		if self.actions.submitter().is_in_flight(&action) {
			return;
		}
		let stop = match self.table().ask(&subject, turn, block, &self.stop) {
			Due::Wait => return,
			Due::Send(call) => {
				self.actions.send(block, action, call);
				return;
			}
			Due::Compute(stop) => stop,
		};
		let (this, work) = (self.clone(), compute());
		self.tasks.spawn(async move {
			let outcome = this.compute(&subject, turn, block, &stop, work).await;
			let call = match &outcome {
				Outcome::Computed(call) if !stop.is_cancelled() => call.clone(),
				_ => None,
			};
			this.table().end(&subject, turn, outcome);
			if let Some(call) = call {
				this.actions.send(block, action, call);
			}
		});
	}

	async fn compute<Error: Display>(
		&self,
		subject: &str,
		turn: u64,
		block: u64,
		stop: &CancellationToken,
		work: impl Future<Output = Result<Option<Call>, Error>>,
	) -> Outcome {
		let slot = tokio::select! {
			biased;
			() = stop.cancelled() => return Outcome::Unwanted,
			slot = self.slots.acquire() => slot,
		};
		// Once begun it is not dropped: its threads would go on beside the next computation.
		let computed = tokio::select! {
			biased;
			() = self.stop.cancelled() => return Outcome::Unwanted,
			computed = work => computed,
		};
		drop(slot);
		match computed {
			Ok(call) => Outcome::Computed(call),
			Err(error) => {
				tracing::error!(%subject, turn, %error, "cannot be computed; trying again");
				Outcome::Failed { again_at: block.saturating_add(RETRY) }
			}
		}
	}

	fn table(&self) -> MutexGuard<'_, Table> {
		self.table.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// What is due for a subject.
#[derive(Debug)]
enum Due {
	/// Compute its call; the token is cancelled when it is not wanted any more.
	Compute(CancellationToken),
	/// Send this call.
	Send(Call),
	/// Nothing now.
	Wait,
}

/// How a computation ended.
#[derive(Debug)]
enum Outcome {
	/// With a call, or with the insight that there is none to send.
	Computed(Option<Call>),
	/// With an error; the first block in which it may be tried again.
	Failed { again_at: u64 },
	/// Nobody wants it any more.
	Unwanted,
}

#[derive(Debug)]
enum State {
	Computing(CancellationToken),
	Computed(Option<Call>),
	Failed { again_at: u64 },
}

#[derive(Debug)]
struct Entry {
	turn: u64,
	/// Block in which it was asked for last.
	asked: u64,
	state: State,
}

/// The subjects that were asked for lately.
#[derive(Debug, Default)]
struct Table {
	entries: HashMap<String, Entry>,
	newest: u64,
}

impl Table {
	fn ask(&mut self, subject: &str, turn: u64, block: u64, stop: &CancellationToken) -> Due {
		self.pass(block);
		if let Some(entry) = self.entries.get_mut(subject) {
			entry.asked = entry.asked.max(block);
			match &entry.state {
				// Also of an earlier turn: one computation for a subject at a time.
				State::Computing(running) => {
					if entry.turn != turn {
						running.cancel();
					}
					return Due::Wait;
				}
				State::Computed(call) if entry.turn == turn => return call.clone().map_or(Due::Wait, Due::Send),
				State::Failed { again_at } if entry.turn == turn && block < *again_at => return Due::Wait,
				State::Computed(_) | State::Failed { .. } => {}
			}
		}
		let stop = stop.child_token();
		self.entries.insert(subject.into(), Entry { turn, asked: block, state: State::Computing(stop.clone()) });
		Due::Compute(stop)
	}

	fn end(&mut self, subject: &str, turn: u64, outcome: Outcome) {
		let Some(entry) = self.entries.get_mut(subject).filter(|entry| entry.turn == turn) else { return };
		entry.state = match outcome {
			Outcome::Computed(call) => State::Computed(call),
			Outcome::Failed { again_at } => State::Failed { again_at },
			Outcome::Unwanted => {
				self.entries.remove(subject);
				return;
			}
		};
	}

	/// Forgets what was not asked for in the blocks before a new one. What still computes is told to stop, and stays in the
	/// table until it has.
	fn pass(&mut self, block: u64) {
		if block <= self.newest {
			return;
		}
		self.newest = block;
		self.entries.retain(|_, entry| {
			let wanted = entry.asked.saturating_add(FORGET) >= block;
			match &entry.state {
				State::Computing(running) => {
					if !wanted {
						running.cancel();
					}
					true
				}
				State::Computed(_) | State::Failed { .. } => wanted,
			}
		});
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls;

	fn ask(table: &mut Table, subject: &str, turn: u64, block: u64) -> Due {
		table.ask(subject, turn, block, &CancellationToken::new())
	}

	fn computing(table: &mut Table, subject: &str, turn: u64, block: u64) -> CancellationToken {
		match ask(table, subject, turn, block) {
			Due::Compute(stop) => stop,
			other => panic!("{other:?}"),
		}
	}

	#[test]
	fn a_turn_is_computed_once_and_its_call_is_kept() {
		let mut table = Table::default();
		computing(&mut table, "dispute 1", 3, 10);
		assert!(matches!(ask(&mut table, "dispute 1", 3, 11), Due::Wait));
		computing(&mut table, "dispute 2", 3, 11);
		let call = calls::time_out(1);
		table.end("dispute 1", 3, Outcome::Computed(Some(call.clone())));
		assert!(matches!(ask(&mut table, "dispute 1", 3, 12), Due::Send(kept) if kept == call));
		computing(&mut table, "dispute 1", 5, 14);
	}

	#[test]
	fn silence_is_a_result() {
		let mut table = Table::default();
		computing(&mut table, "dispute 1", 3, 10);
		table.end("dispute 1", 3, Outcome::Computed(None));
		assert!(matches!(ask(&mut table, "dispute 1", 3, 11), Due::Wait));
	}

	#[test]
	fn one_subject_has_one_computation_whatever_the_turn() {
		let mut table = Table::default();
		let first = computing(&mut table, "dispute 1", 3, 10);
		assert!(matches!(ask(&mut table, "dispute 1", 5, 12), Due::Wait));
		assert!(first.is_cancelled(), "the earlier turn is not wanted any more");
		table.end("dispute 1", 3, Outcome::Unwanted);
		computing(&mut table, "dispute 1", 5, 13);
		// The result of a turn that has passed is not taken for the next one's.
		table.end("dispute 1", 3, Outcome::Computed(Some(calls::time_out(1))));
		assert!(matches!(ask(&mut table, "dispute 1", 5, 14), Due::Wait));
	}

	#[test]
	fn a_failure_waits_and_touches_nobody_else() {
		let mut table = Table::default();
		computing(&mut table, "dispute 1", 3, 10);
		computing(&mut table, "dispute 2", 1, 10);
		table.end("dispute 1", 3, Outcome::Failed { again_at: 12 });
		table.end("dispute 2", 1, Outcome::Computed(Some(calls::time_out(2))));
		assert!(matches!(ask(&mut table, "dispute 1", 3, 11), Due::Wait));
		assert!(matches!(ask(&mut table, "dispute 2", 1, 11), Due::Send(_)));
		computing(&mut table, "dispute 1", 3, 12);
	}

	#[test]
	fn what_nobody_asks_for_is_cancelled_and_forgotten() {
		let mut table = Table::default();
		let running = computing(&mut table, "dispute 1", 3, 10);
		computing(&mut table, "dispute 2", 1, 10);
		table.end("dispute 2", 1, Outcome::Computed(None));
		computing(&mut table, "dispute 3", 1, 11 + FORGET);
		assert!(running.is_cancelled());
		assert!(!table.entries.contains_key("dispute 2"));
		table.end("dispute 1", 3, Outcome::Unwanted);
		assert_eq!(table.entries.len(), 1);
	}
}
