//! Foretells the time of a step from what was measured on the machine.
//!
//! A piece of work takes the time of its arithmetic, of its memory traffic and of starting its ops. A product's arithmetic is its
//! multiply-adds, its shape rounded up to whole tiles, and what is packed; a group's is each op's elements at the speed of the
//! first-level cache; its traffic is what it reads from outside and keeps.

use std::time::Duration;

use assay_program::{Axis, OpKind, Operand, TensorId, TensorSpec};

use crate::{
	plan::words,
	schedule::{ChainWork, Work},
	Calibration, Engine,
};

/// Elements below which an op stays on one thread, and multiply-adds below which a product does; those of the backend.
const PARALLEL_ELEMENTS: u64 = 1 << 16;
const PARALLEL_PRODUCTS: f64 = (1 << 21) as f64;
/// Bytes of a tensor that is likely still in a cache when it is read.
const CACHED_BYTES: f64 = (6 << 20) as f64;
/// Elements that an op of a group works on at a time.
const TILE_ELEMENTS: f64 = 2048.0;

impl Engine {
	/// How long a step will take on a machine with this calibration.
	pub fn estimate(&self, calibration: &Calibration) -> Duration {
		let nanoseconds: f64 = match &self.schedule {
			Some(schedule) => schedule.work.iter().map(|work| self.work_time(work, calibration)).sum(),
			None => (0..self.program.ops.len()).map(|op| self.op_time(op, calibration)).sum(),
		};
		Duration::from_secs_f64(nanoseconds / 1e9)
	}

	fn work_time(&self, work: &Work, calibration: &Calibration) -> f64 {
		match work {
			Work::Op(op) => self.op_time(*op, calibration),
			Work::Rows(group) => self.group_time(&group.ops, &group.given, &group.kept, calibration),
			Work::Chain(chain) => self.chain_time(chain, calibration),
		}
	}

	/// Products, and the other ops as a group.
	fn chain_time(&self, chain: &ChainWork, calibration: &Calibration) -> f64 {
		let is_product = |op: &&usize| {
			let kind = self.program.ops[**op].kind;
			matches!(kind, OpKind::MatMul { .. } | OpKind::MatMulI8 { .. } | OpKind::BlockMatMul { .. })
		};
		let products: f64 = chain.ops.iter().filter(is_product).map(|op| self.op_time(*op, calibration)).sum();
		let others: Vec<usize> = chain.ops.iter().filter(|op| !is_product(op)).copied().collect();
		products + self.group_time(&others, &chain.given, &chain.kept, calibration)
	}

	fn group_time(
		&self,
		ops: &[usize],
		given: &[TensorId],
		kept: &[(TensorId, usize)],
		calibration: &Calibration,
	) -> f64 {
		let (mut arithmetic, mut most) = (0.0, 0);
		for op in ops {
			let elements = self.worked_on(*op);
			most = most.max(elements);
			arithmetic += elements as f64 * calibration.element(self.program.ops[*op].kind);
			arithmetic += calibration.op * (elements as f64 / TILE_ELEMENTS).ceil();
		}
		let outside = given.iter().chain(kept.iter().map(|(id, _)| id));
		let traffic: f64 = outside.map(|id| self.traffic(*id, calibration)).sum();
		share(arithmetic, traffic, most * ops.len() as u64, calibration)
	}

	fn op_time(&self, index: usize, calibration: &Calibration) -> f64 {
		let op = &self.program.ops[index];
		let output = self.spec(op.output);
		let inputs: Vec<TensorSpec> = op.tensor_operands().map(|id| self.spec(id)).collect();
		let round = |value: f64, unit: f64| (value / unit).ceil() * unit;
		let product = |[fma, pack]: [f64; 2], m: f64, k: f64, n: f64, count: f64| {
			let work = fma * round(m, 12.0) * k * round(n, 32.0) + pack * (m * k + k * n + m * n);
			let threads = if m * k * n * count < PARALLEL_PRODUCTS { 1.0 } else { calibration.speedup };
			work * count / threads + calibration.op
		};
		let (m, n) = (f64::from(output.rows), f64::from(output.cols));
		let first = inputs.first().copied().unwrap_or(output);
		match op.kind {
			OpKind::MatMul { trans_a, .. } | OpKind::MatMulI8 { trans_a, .. } => {
				let inner = f64::from(if trans_a { first.rows } else { first.cols });
				let i8 = matches!(op.kind, OpKind::MatMulI8 { .. });
				product(if i8 { calibration.product_i8 } else { calibration.product }, m, inner, n, 1.0)
			}
			OpKind::BlockMatMul { trans_a, blocks, .. } => {
				let blocks = f64::from(blocks);
				let inner = if trans_a { f64::from(first.rows) / blocks } else { f64::from(first.cols) };
				product(calibration.product, m / blocks, inner, n, blocks)
			}
			kind => {
				let elements = self.worked_on(index);
				let arithmetic = elements as f64 * calibration.element(kind) + calibration.op;
				let ids = op.inputs.iter().filter_map(|input| match input {
					// Only the rows that are looked up.
					Operand::Tensor(_) if matches!(kind, OpKind::Lookup | OpKind::GatherBatch { .. }) => {
						Some(op.output)
					}
					Operand::Tensor(id) => Some(*id),
					Operand::Scalar(_) => None,
				});
				let traffic: f64 = ids.chain([op.output]).map(|id| self.traffic(id, calibration)).sum();
				share(arithmetic, traffic, elements, calibration)
			}
		}
	}

	/// Elements that an op goes through.
	fn worked_on(&self, op: usize) -> u64 {
		let op = &self.program.ops[op];
		let reduced = matches!(
			op.kind,
			OpKind::Reduce { axis: Axis::Cols | Axis::Rows, .. } | OpKind::ArgMax | OpKind::Col2im(_)
		);
		let id = if reduced { op.tensor_operands().next().unwrap_or(op.output) } else { op.output };
		self.spec(id).elements()
	}

	fn traffic(&self, id: TensorId, calibration: &Calibration) -> f64 {
		let bytes = words(self.spec(id)) as f64 * 4.0;
		bytes * if bytes <= CACHED_BYTES { calibration.bytes[0] } else { calibration.bytes[1] }
	}
}

/// Time of arithmetic and traffic, which overlap in part: the longer, and half of the other.
fn share(arithmetic: f64, traffic: f64, elements: u64, calibration: &Calibration) -> f64 {
	let (arithmetic, traffic) = match elements < PARALLEL_ELEMENTS {
		true => (arithmetic, traffic),
		false => (arithmetic / calibration.speedup, traffic * calibration.shared),
	};
	arithmetic.max(traffic) + 0.5 * arithmetic.min(traffic)
}
