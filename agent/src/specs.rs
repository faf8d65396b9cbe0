//! Orders as the chain stores them. They never change, so each is read once.

use crate::{ChainError, Snapshot};
use assay_protocol::{job::JobSpec, JobId};
use std::{
	collections::{HashMap, VecDeque},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Orders kept; beyond, the one that was read first goes. An order has about a kilobyte.
const KEPT: usize = 4096;

/// Orders that were read. Clones share them.
#[derive(Clone, Default)]
pub struct Specs(Arc<Mutex<Table<Arc<JobSpec>>>>);

/// Values of jobs, in the order in which they came.
struct Table<Value> {
	values: HashMap<JobId, Value>,
	order: VecDeque<JobId>,
}

impl<Value> Default for Table<Value> {
	fn default() -> Self {
		Self { values: HashMap::new(), order: VecDeque::new() }
	}
}

impl Specs {
	/// The order of a job, if the chain has the job.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn get(&self, snapshot: &Snapshot, job: JobId) -> Result<Option<Arc<JobSpec>>, ChainError> {
		if let Some(known) = self.table().values.get(&job) {
			return Ok(Some(known.clone()));
		}
		let Some(spec) = snapshot.spec(job).await? else { return Ok(None) };
		let spec = Arc::new(spec);
		self.table().keep(job, spec.clone());
		Ok(Some(spec))
	}

	fn table(&self) -> MutexGuard<'_, Table<Arc<JobSpec>>> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl<Value> Table<Value> {
	fn keep(&mut self, job: JobId, value: Value) {
		if self.values.insert(job, value).is_none() {
			self.order.push_back(job);
		}
		if self.order.len() > KEPT {
			if let Some(oldest) = self.order.pop_front() {
				self.values.remove(&oldest);
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_oldest_goes_when_too_many_are_kept() {
		let mut table = Table::default();
		for job in 0..2 * KEPT as u64 {
			table.keep(job, job);
			table.keep(job, job + 1);
		}
		assert_eq!((table.values.len(), table.order.len()), (KEPT, KEPT));
		let first = KEPT as u64;
		assert_eq!((table.values.get(&(first - 1)), table.values.get(&first)), (None, Some(&(first + 1))));
	}
}
