//! Where the time of a step goes.

use std::time::{Duration, Instant};

use assay_program::{cost::Cost, OpKind};

use crate::{schedule::Work, Engine, RunError, State};

/// Time of one kind of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileEntry {
	/// The kind of op, or `rows of` the op that a group ends in.
	pub kind: String,
	/// Pieces of work of this kind in a step.
	pub count: u64,
	/// Ops in them.
	pub ops: u64,
	/// The sum of each piece's fastest run.
	pub time: Duration,
	/// Scalar operations of a step.
	pub flops: u64,
}

/// Time of a step by kind of work, the longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
	/// All kinds.
	pub entries: Vec<ProfileEntry>,
}

impl Profile {
	/// Time of a step.
	pub fn time(&self) -> Duration {
		self.entries.iter().map(|entry| entry.time).sum()
	}
}

impl core::fmt::Display for Profile {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		let total = self.time().as_secs_f64().max(f64::MIN_POSITIVE);
		for entry in &self.entries {
			let seconds = entry.time.as_secs_f64();
			let (share, rate) = (100.0 * seconds / total, entry.flops as f64 / seconds.max(f64::MIN_POSITIVE) / 1e9);
			let (kind, count, ops, ms) = (&entry.kind, entry.count, entry.ops, seconds * 1e3);
			writeln!(f, "{ms:9.2} ms {share:5.1} % {rate:7.1} GFLOP/s {count:5} pieces {ops:5} ops  {kind}")?;
		}
		Ok(())
	}
}

impl Engine {
	/// Runs `steps` further steps and times every piece of work.
	pub fn profile(&self, state: &mut State, steps: u64) -> Result<Profile, RunError> {
		let Some(schedule) = &self.schedule else {
			// Op by op: each op is a piece.
			let work: Vec<Work> = (0..self.program.ops.len()).map(Work::Op).collect();
			return self.profile_work(&work, state, steps);
		};
		self.profile_work(&schedule.work, state, steps)
	}

	fn profile_work(&self, work: &[Work], state: &mut State, steps: u64) -> Result<Profile, RunError> {
		self.check_state(state)?;
		let mut workspace = self.step_workspace(state)?;
		let mut best = vec![Duration::MAX; work.len()];
		for _ in 0..steps {
			let (from, space, best) = (&*state, &mut workspace, &mut best);
			self.cpu.in_pool(|| {
				best.iter_mut().zip(work).try_for_each(|(best, work)| {
					let begin = Instant::now();
					self.execute_work(work, from, space)?;
					*best = (*best).min(begin.elapsed());
					Ok::<(), RunError>(())
				})
			})?;
			match &self.schedule {
				Some(schedule) => self.assign_schedule(schedule, state, &mut workspace),
				None => self.assign(state, &workspace),
			}
		}
		let mut entries: Vec<ProfileEntry> = Vec::new();
		for (work, time) in work.iter().zip(best) {
			let (kind, ops) = self.describe(work);
			let costs = ops.iter().filter_map(|op| Some(self.program.geometry(*op).ok()?.cost()));
			let flops = costs.map(|cost: Cost| cost.flops).sum::<u64>();
			let position = entries.iter().position(|entry| entry.kind == kind).unwrap_or_else(|| {
				entries.push(ProfileEntry { kind, count: 0, ops: 0, time: Duration::ZERO, flops: 0 });
				entries.len() - 1
			});
			let entry = &mut entries[position];
			entry.count += 1;
			entry.ops += ops.len() as u64;
			entry.time += time;
			entry.flops += flops;
		}
		entries.sort_by_key(|entry| core::cmp::Reverse(entry.time));
		Ok(Profile { entries })
	}
}

impl Engine {
	/// What a profile calls a piece of work, and its ops.
	pub(crate) fn describe(&self, work: &Work) -> (String, Vec<usize>) {
		let kind = |op: &usize| self.program.ops[*op].kind;
		let last = |ops: &[usize]| ops.last().map_or_else(String::new, |op| name(kind(op)));
		match work {
			Work::Op(op) => (name(kind(op)), vec![*op]),
			Work::Rows(group) => {
				(format!("rows of {} ops to {}", group.ops.len(), last(&group.ops)), group.ops.clone())
			}
			Work::Chain(chain) => {
				let product = |op: &&usize| {
					matches!(kind(op), OpKind::MatMul { .. } | OpKind::MatMulI8 { .. } | OpKind::BlockMatMul { .. })
				};
				let products = chain.ops.iter().filter(product).count();
				let text = format!("chain of {products} products, {} ops to {}", chain.ops.len(), last(&chain.ops));
				(text, chain.ops.clone())
			}
		}
	}
}

/// The kind without what belongs to one op only.
fn name(kind: OpKind) -> String {
	let text = format!("{kind:?}");
	match kind {
		OpKind::MatMul { .. } | OpKind::MatMulI8 { .. } | OpKind::Reduce { .. } | OpKind::Hadamard { .. } => text,
		OpKind::BlockMatMul { trans_a, trans_b, .. } => {
			format!("BlockMatMul {{ trans_a: {trans_a}, trans_b: {trans_b} }}")
		}
		OpKind::Unary(_) | OpKind::Binary(_) => text,
		_ => text.split([' ', '(']).next().unwrap_or_default().to_string(),
	}
}
