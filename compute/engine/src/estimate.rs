//! Foretells the time of a step from what was measured on the machine.
//!
//! A piece of work takes the time of its arithmetic, of its memory traffic and of starting its ops. A product's arithmetic is its
//! multiply-adds, its shape rounded up to whole tiles, and what is packed; a group's is each op's elements at the speed of the
//! first-level cache; its traffic is what it reads from outside and keeps, from memory where much else was touched since.

use std::{collections::HashMap, time::Duration};

use assay_program::{Axis, OpKind, Operand, TensorId};

use crate::{
	plan::{words, Place, Plan},
	schedule::{ChainWork, Work},
	Calibration, Engine,
};

/// Elements below which an op stays on one thread, and multiply-adds below which a product does; those of the backend.
const PARALLEL_ELEMENTS: u64 = 1 << 16;
const PARALLEL_PRODUCTS: f64 = (1 << 21) as f64;
/// Bytes read and written since a tensor was touched, itself included, that leave it in a cache.
const CACHED_BYTES: f64 = (6 << 20) as f64;
/// Tasks for each thread that the backend cuts elementwise work into; each is taken by itself.
const TASKS: f64 = 2.0;
/// What a byte counts that is read, and one that is written: its line is fetched first.
const READ: f64 = 1.0;
const WRITTEN: f64 = 2.0;
/// Elements that an op of a group works on at a time.
const TILE_ELEMENTS: f64 = 2048.0;

impl Engine {
	/// How long a step will take on a machine with this calibration.
	pub fn estimate(&self, calibration: &Calibration) -> Duration {
		let mut sum = 0.0;
		self.foretell(calibration, |_, time| sum += time);
		Duration::from_secs_f64(sum / 1e9)
	}

	/// [`Self::estimate`] by the kinds of work that a [`Profile`](crate::Profile) of this engine has, the longest first.
	pub fn estimate_by_kind(&self, calibration: &Calibration) -> Vec<(String, Duration)> {
		let mut kinds: Vec<(String, f64)> = Vec::new();
		self.foretell(calibration, |work, time| {
			let (kind, _) = self.describe(work);
			match kinds.iter_mut().find(|(known, _)| *known == kind) {
				Some((_, sum)) => *sum += time,
				None => kinds.push((kind, time)),
			}
		});
		kinds.sort_by(|(_, a), (_, b)| b.total_cmp(a));
		kinds.into_iter().map(|(kind, time)| (kind, Duration::from_secs_f64(time / 1e9))).collect()
	}

	/// Each piece of a step and its nanoseconds.
	fn foretell(&self, calibration: &Calibration, mut each: impl FnMut(&Work, f64)) {
		let (ops, plan);
		let (work, places) = match &self.schedule {
			Some(schedule) => (&schedule.work, &schedule.places),
			None => {
				ops = (0..self.program.ops.len()).map(Work::Op).collect();
				plan = Plan::shared(&self.program);
				(&ops, &plan.places)
			}
		};
		let mut machine = Machine { engine: self, calibration, caches: Caches::new(places) };
		// A first step fills the caches.
		for work in work {
			machine.work_time(work);
		}
		work.iter().for_each(|work| each(work, machine.work_time(work)));
	}
}

/// When each place in memory was touched last, in bytes that were read or written since the step began.
struct Caches<'a> {
	places: &'a [Place],
	touched: HashMap<Place, f64>,
	now: f64,
}

impl<'a> Caches<'a> {
	fn new(places: &'a [Place]) -> Self {
		Self { places, touched: HashMap::new(), now: 0.0 }
	}

	/// Whether a tensor's place is likely still in a cache, which it is after this.
	fn touch(&mut self, id: TensorId, bytes: f64) -> bool {
		let place = self.places.get(id.0 as usize).copied().unwrap_or(Place::Nowhere);
		let since = self.touched.get(&place).map_or(f64::INFINITY, |at| self.now - at);
		self.now += bytes;
		self.touched.insert(place, self.now);
		since + bytes <= CACHED_BYTES
	}
}

/// A step on a calibrated machine.
struct Machine<'a> {
	engine: &'a Engine,
	calibration: &'a Calibration,
	caches: Caches<'a>,
}

impl Machine<'_> {
	fn work_time(&mut self, work: &Work) -> f64 {
		match work {
			Work::Op(op) => self.op_time(*op),
			Work::Rows(group) => {
				let traffic = self.outside(&group.given, &group.kept);
				self.group_time(&group.ops, traffic)
			}
			Work::Chain(chain) => self.chain_time(chain),
		}
	}

	/// Traffic of what a piece reads from outside and what it keeps.
	fn outside(&mut self, given: &[TensorId], kept: &[(TensorId, usize)]) -> f64 {
		let reads: f64 = given.iter().map(|id| self.traffic(*id, READ)).sum();
		reads + kept.iter().map(|(id, _)| self.traffic(*id, WRITTEN)).sum::<f64>()
	}

	/// Products, and the other ops as a group.
	fn chain_time(&mut self, chain: &ChainWork) -> f64 {
		let program = &self.engine.program;
		let (products, others): (Vec<usize>, Vec<usize>) =
			chain.ops.iter().partition(|op| is_product(program.ops[**op].kind));
		// Its threads take bands through all of it, so they are handed work once, which the others count.
		let products: f64 = products.iter().filter_map(|op| self.product_time(*op)).map(|(work, _)| work).sum();
		let traffic = self.outside(&chain.given, &chain.kept);
		products + self.group_time(&others, traffic)
	}

	fn group_time(&self, ops: &[usize], traffic: f64) -> f64 {
		let (mut arithmetic, mut most) = (0.0, 0);
		for op in ops {
			let elements = self.worked_on(*op);
			most = most.max(elements);
			arithmetic += self.arithmetic(*op, elements);
			arithmetic += self.calibration.op * (elements as f64 / TILE_ELEMENTS).ceil();
		}
		self.share(arithmetic, traffic, most * ops.len() as u64)
	}

	/// The elements of an op, and its rows where an operand is the same in all of them, or one number in each, or where a part of
	/// each row is copied.
	fn arithmetic(&self, op: usize, elements: u64) -> f64 {
		let (calibration, operation) = (self.calibration, &self.engine.program.ops[op]);
		let output = self.engine.spec(operation.output);
		let broadcast = operation.tensor_operands().any(|id| {
			let spec = self.engine.spec(id);
			(spec.rows == 1) != (output.rows == 1) || (spec.cols == 1) != (output.cols == 1)
		});
		let elementwise = matches!(operation.kind, OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma);
		let copied = matches!(operation.kind, OpKind::Columns { .. } | OpKind::PadColumns { .. });
		let rows = if (broadcast && elementwise) || copied { f64::from(output.rows) } else { 0.0 };
		let runs = match operation.kind {
			OpKind::Im2col(window) => {
				f64::from(output.rows) * f64::from(window.kernel_height) * calibration.window_runs[0]
			}
			OpKind::Col2im(window) => {
				elements as f64 / f64::from(output.cols.max(1) * window.kernel_width.max(1))
					* calibration.window_runs[1]
			}
			_ => 0.0,
		};
		elements as f64 * calibration.element(operation.kind) + rows * calibration.row + runs
	}

	/// Nanoseconds of a product on all threads that it uses, and whether these are all; nothing for other ops.
	fn product_time(&self, index: usize) -> Option<(f64, bool)> {
		let (calibration, op) = (self.calibration, &self.engine.program.ops[index]);
		let output = self.engine.spec(op.output);
		let first = op.tensor_operands().next().map_or(output, |id| self.engine.spec(id));
		let round = |value: f64, unit: f64| (value / unit).ceil() * unit;
		let product = |[fma, pack]: [f64; 2], m: f64, k: f64, n: f64, count: f64| {
			let work = fma * round(m, 12.0) * k * round(n, 32.0) + pack * (m * k + k * n + m * n);
			let shared = m * k * n * count >= PARALLEL_PRODUCTS;
			(work * count / if shared { calibration.speedup } else { 1.0 }, shared)
		};
		let (m, n) = (f64::from(output.rows), f64::from(output.cols));
		match op.kind {
			OpKind::MatMul { trans_a, .. } | OpKind::MatMulI8 { trans_a, .. } => {
				let inner = f64::from(if trans_a { first.rows } else { first.cols });
				let i8 = matches!(op.kind, OpKind::MatMulI8 { .. });
				Some(product(if i8 { calibration.product_i8 } else { calibration.product }, m, inner, n, 1.0))
			}
			OpKind::BlockMatMul { trans_a, blocks, .. } => {
				let blocks = f64::from(blocks);
				let inner = if trans_a { f64::from(first.rows) / blocks } else { f64::from(first.cols) };
				Some(product(calibration.product, m / blocks, inner, n, blocks))
			}
			_ => None,
		}
	}

	fn op_time(&mut self, index: usize) -> f64 {
		let op = &self.engine.program.ops[index];
		let reads: Vec<TensorId> = op
			.inputs
			.iter()
			.filter_map(|input| match input {
				// Only the rows that are looked up.
				Operand::Tensor(_) if matches!(op.kind, OpKind::Lookup | OpKind::GatherBatch { .. }) => Some(op.output),
				Operand::Tensor(id) => Some(*id),
				Operand::Scalar(_) => None,
			})
			.collect();
		let reads: f64 = reads.into_iter().map(|id| self.traffic(id, READ)).sum();
		let traffic = reads + self.traffic(op.output, WRITTEN);
		if let Some((work, shared)) = self.product_time(index) {
			return work + self.calibration.op + if shared { self.calibration.handoff } else { 0.0 };
		}
		let elements = self.worked_on(index);
		self.share(self.arithmetic(index, elements) + self.calibration.op, traffic, elements)
	}

	/// Elements that an op goes through.
	fn worked_on(&self, op: usize) -> u64 {
		let op = &self.engine.program.ops[op];
		let reduced = matches!(
			op.kind,
			OpKind::Reduce { axis: Axis::Cols | Axis::Rows, .. } | OpKind::ArgMax | OpKind::Col2im(_)
		);
		let id = if reduced { op.tensor_operands().next().unwrap_or(op.output) } else { op.output };
		self.engine.spec(id).elements()
	}

	fn traffic(&mut self, id: TensorId, times: f64) -> f64 {
		let bytes = words(self.engine.spec(id)) as f64 * 4.0;
		let near = self.caches.touch(id, bytes);
		bytes * times * self.calibration.bytes[usize::from(!near)]
	}

	/// Time of arithmetic and traffic, which overlap in part: the longer, and half of the other.
	fn share(&self, arithmetic: f64, traffic: f64, elements: u64) -> f64 {
		let calibration = self.calibration;
		let (arithmetic, traffic, handoff) = match elements < PARALLEL_ELEMENTS {
			true => (arithmetic, traffic, 0.0),
			false => (arithmetic / calibration.speedup, traffic * calibration.shared, TASKS * calibration.handoff),
		};
		arithmetic.max(traffic) + 0.5 * arithmetic.min(traffic) + handoff
	}
}

fn is_product(kind: OpKind) -> bool {
	matches!(kind, OpKind::MatMul { .. } | OpKind::MatMulI8 { .. } | OpKind::BlockMatMul { .. })
}
