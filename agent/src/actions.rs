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

/// Most blocks that a refused action waits.
const LONGEST_WAIT: u64 = 32;

/// Sends named actions in the background. Cheap to clone.
#[derive(Clone)]
pub struct Actions {
	submitter: Submitter,
	tasks: TaskTracker,
	refused: Arc<Mutex<HashMap<String, Refused>>>,
}

struct Refused {
	times: u32,
	next_block: u64,
}

impl Actions {
	/// Actions of one key.
	pub fn new(submitter: Submitter, tasks: TaskTracker) -> Self {
		Self { submitter, tasks, refused: Arc::default() }
	}

	/// The submitter behind.
	pub fn submitter(&self) -> &Submitter {
		&self.submitter
	}

	/// Sends `call` under the name `action`, unless it is on its way or waits after a refusal. `block` is the newest finalised
	/// block, which the decision rests on.
	pub fn send(&self, block: u64, action: String, call: Call) {
		if self.submitter.is_in_flight(&action) || self.waits(&action, block) {
			return;
		}
		let this = self.clone();
		self.tasks.spawn(async move {
			match this.submitter.submit_once(&action, call).await {
				Ok(done) => {
					tracing::info!(%action, block = done.number, bytes = done.size, "done");
					this.forget(&action);
				}
				Err(SubmitError::InFlight(_)) => {}
				Err(error) => {
					let wait = this.refuse(&action, block);
					tracing::info!(%action, %error, wait, "not done; looking again later");
				}
			}
		});
	}

	fn waits(&self, action: &str, block: u64) -> bool {
		let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
		refused.get(action).is_some_and(|entry| block < entry.next_block)
	}

	fn forget(&self, action: &str) {
		self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(action);
	}

	fn refuse(&self, action: &str, block: u64) -> u64 {
		let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
		let entry = refused.entry(action.into()).or_insert(Refused { times: 0, next_block: 0 });
		let wait = (2u64 << entry.times.min(8)).min(LONGEST_WAIT);
		entry.times += 1;
		entry.next_block = block.saturating_add(wait);
		wait
	}
}
