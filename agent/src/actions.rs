//! What a daemon sends in answer to the chain's state.
//!
//! A daemon looks at the newest finalised state and says what ought to be sent. The same answer comes out of every look until
//! the chain has changed, so an action has a name: it is on its way once, and after a refusal it waits some blocks.

use crate::{chain::Call, SubmitError, Submitter};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, PoisonError},
};
use tokio_util::task::TaskTracker;

/// Most blocks that a refused duty waits: windows are as short as a dozen blocks, and a refusal may be due to a state that
/// changes with the next block.
const DUTY_WAIT: u64 = 4;
/// Most blocks that a refused offer waits: nothing is lost by its absence, and each refusal costs a fee.
const OFFER_WAIT: u64 = 32;
/// Refused actions that nobody asked for during so many blocks are forgotten.
const FORGET: u64 = 64;

/// How an action is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
	/// Missing its window costs money.
	Duty,
	/// It may be refused for long.
	Offer,
}

impl Pace {
	const fn longest_wait(self) -> u64 {
		match self {
			Self::Duty => DUTY_WAIT,
			Self::Offer => OFFER_WAIT,
		}
	}
}

/// Sends named actions in the background. Cheap to clone.
#[derive(Clone)]
pub struct Actions {
	submitter: Submitter,
	tasks: TaskTracker,
	backoff: Arc<Mutex<Backoff>>,
}

impl Actions {
	/// Actions of one key.
	pub fn new(submitter: Submitter, tasks: TaskTracker) -> Self {
		Self { submitter, tasks, backoff: Arc::default() }
	}

	/// The submitter behind.
	pub fn submitter(&self) -> &Submitter {
		&self.submitter
	}

	/// Sends `call`, which a window waits for, under the name `action`, unless it is on its way or was refused in the last
	/// blocks. `block` is the newest finalised block, which the decision rests on. Returns whether it is sent now.
	pub fn send(&self, block: u64, action: String, call: Call) -> bool {
		self.dispatch(Pace::Duty, block, action, call)
	}

	/// As [`Actions::send`] for what may be refused for long, such as a bid: the wait after a refusal grows further.
	pub fn offer(&self, block: u64, action: String, call: Call) -> bool {
		self.dispatch(Pace::Offer, block, action, call)
	}

	fn dispatch(&self, pace: Pace, block: u64, action: String, call: Call) -> bool {
		if self.submitter.is_in_flight(&action) || self.backoff().waits(&action, block) {
			return false;
		}
		let this = self.clone();
		self.tasks.spawn(async move {
			match this.submitter.submit_once(&action, call).await {
				Ok(done) => {
					tracing::info!(%action, block = done.number, bytes = done.size, "done");
					this.backoff().forget(&action);
				}
				Err(SubmitError::InFlight(_)) => {}
				Err(error) => {
					let wait = this.backoff().refuse(&action, block, pace);
					tracing::info!(%action, %error, wait, "not done; looking again later");
				}
			}
		});
		true
	}

	fn backoff(&self) -> std::sync::MutexGuard<'_, Backoff> {
		self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Which actions wait after a refusal, and until when. Holds those that were asked for lately.
#[derive(Debug, Default)]
struct Backoff {
	refused: HashMap<String, Refused>,
	/// Newest block that was asked about.
	newest: u64,
}

#[derive(Debug)]
struct Refused {
	times: u32,
	next_block: u64,
	/// Block in which the action was asked for last.
	asked: u64,
}

impl Backoff {
	fn waits(&mut self, action: &str, block: u64) -> bool {
		self.pass(block);
		let Some(entry) = self.refused.get_mut(action) else { return false };
		entry.asked = entry.asked.max(block);
		block < entry.next_block
	}

	/// Notes a refusal; returns how many blocks the action waits.
	fn refuse(&mut self, action: &str, block: u64, pace: Pace) -> u64 {
		let entry = self.refused.entry(action.into()).or_insert(Refused { times: 0, next_block: 0, asked: block });
		let wait = (2u64 << entry.times.min(8)).min(pace.longest_wait());
		entry.times = entry.times.saturating_add(1);
		entry.asked = entry.asked.max(block);
		entry.next_block = block.saturating_add(wait);
		wait
	}

	fn forget(&mut self, action: &str) {
		self.refused.remove(action);
	}

	/// Forgets what was not asked for in the blocks before a new one.
	fn pass(&mut self, block: u64) {
		if block > self.newest {
			self.newest = block;
			self.refused.retain(|_, entry| entry.asked.saturating_add(FORGET) >= block);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_refused_duty_is_tried_again_within_four_blocks() {
		let mut backoff = Backoff::default();
		let mut block = 100;
		for wait in [2, 4, 4, 4] {
			assert!(!backoff.waits("open", block));
			assert_eq!(backoff.refuse("open", block, Pace::Duty), wait);
			assert!((1..wait).all(|after| backoff.waits("open", block + after)));
			block += wait;
		}
		assert!(!backoff.waits("open", block));
	}

	#[test]
	fn a_refused_offer_waits_longer_each_time() {
		let mut backoff = Backoff::default();
		let waits: Vec<u64> = (0..6).map(|_| backoff.refuse("bid", 1, Pace::Offer)).collect();
		assert_eq!(waits, [2, 4, 8, 16, 32, 32]);
		assert!(!backoff.waits("another", 2));
	}

	#[test]
	fn success_clears_the_wait() {
		let mut backoff = Backoff::default();
		backoff.refuse("reveal", 7, Pace::Duty);
		backoff.forget("reveal");
		assert!(!backoff.waits("reveal", 8));
		assert_eq!(backoff.refuse("reveal", 8, Pace::Duty), 2);
	}

	#[test]
	fn what_nobody_asks_for_is_forgotten_and_what_is_asked_for_is_kept() {
		let mut backoff = Backoff::default();
		for job in 0..1_000 {
			backoff.refuse(&format!("bid on job {job}"), 10, Pace::Offer);
		}
		backoff.refuse("commit", 10, Pace::Duty);
		for block in 11..=10 + FORGET {
			backoff.waits("commit", block);
		}
		assert_eq!(backoff.refused.len(), 1_001);
		backoff.waits("commit", 11 + FORGET);
		assert_eq!(backoff.refused.len(), 1);
		assert_eq!(backoff.refuse("commit", 11 + FORGET, Pace::Duty), 4, "its history is kept");
	}
}
