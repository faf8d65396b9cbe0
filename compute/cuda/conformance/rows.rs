//! Groups of ops that go row by row: the same states, or the same first op that fails, as the CPU engine.

use std::ops::Range;

use assay_cuda::{cases::Random, Backend, Device};
use assay_models::Model;
use assay_program::{
	Axis, BinaryKind, DType, Header, Init, Lane, Op, OpKind, Operand, Program, Reduction, Role, TensorDecl, TensorId,
	UnaryKind, Update,
};

use super::chains::same_step;

/// States in this order: three of whole rows, one column, one row, one number, labels; then what ops define.
const WHOLE: u32 = 3;
const COLUMN: u32 = 3;
const ROW: u32 = 4;
const ONE: u32 = 5;
const LABELS: u32 = 6;

struct Rows {
	random: Random,
	program: Program,
	rows: u32,
	cols: u32,
	/// Numbers with an element for each column, and with one for each row.
	wide: Vec<TensorId>,
	narrow: Vec<TensorId>,
}

impl Rows {
	fn new(seed: u64, rows: u32, cols: u32) -> Self {
		let random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
		let header =
			Header { version: 1, lane: Lane::I8, seed: [seed as u8; 32], steps: 1, batch: 1, segment_steps: 1 };
		let shapes = [(rows, cols), (rows, cols), (rows, cols), (rows, 1), (1, cols), (1, 1)];
		let uniform = |stream| Role::State(Init::Uniform { bound: 2.0f32.to_bits(), stream });
		let decl =
			|name: String, dtype, (rows, cols), role| TensorDecl { name: name.into_bytes(), dtype, rows, cols, role };
		let states = (0..).zip(shapes).map(|(at, shape)| decl(format!("state{at}"), DType::F32, shape, uniform(at)));
		let labels = decl("labels".to_owned(), DType::I32, (rows, 1), Role::State(Init::Constant(cols / 2)));
		let tensors = states.chain([labels]).collect();
		let program = Program { header, tensors, ops: Vec::new(), updates: Vec::new(), metrics: Vec::new() };
		let ids = |ids: &[u32]| ids.iter().copied().map(TensorId).collect();
		Self { random, program, rows, cols, wide: ids(&[0, 1, 2]), narrow: ids(&[COLUMN]) }
	}

	fn define(&mut self, kind: OpKind, inputs: &[Operand], dtype: DType, (rows, cols): (u32, u32)) -> TensorId {
		let output = TensorId(self.program.tensors.len() as u32);
		let name = format!("temp{}", output.0).into_bytes();
		self.program.tensors.push(TensorDecl { name, dtype, rows, cols, role: Role::Temp });
		self.program.ops.push(Op { kind, inputs: inputs.to_vec(), output });
		output
	}

	fn wide_op(&mut self, kind: OpKind, inputs: &[Operand]) -> TensorId {
		let output = self.define(kind, inputs, DType::F32, (self.rows, self.cols));
		self.wide.push(output);
		output
	}

	fn narrow_op(&mut self, kind: OpKind, inputs: &[Operand]) -> TensorId {
		let output = self.define(kind, inputs, DType::F32, (self.rows, 1));
		self.narrow.push(output);
		output
	}

	fn reduce(&mut self, reduction: Reduction, of: TensorId) -> TensorId {
		self.narrow_op(OpKind::Reduce { reduction, axis: Axis::Cols }, &[Operand::Tensor(of)])
	}

	/// Mostly one of the last.
	fn recent(&mut self, of: &[TensorId]) -> Operand {
		let count = of.len() as u32;
		let back = if self.random.below(3) == 0 { count } else { count.min(3) };
		Operand::Tensor(of[(count - 1 - self.random.below(back)) as usize])
	}

	fn wide_operand(&mut self) -> Operand {
		let (wide, narrow) = (self.wide.clone(), self.narrow.clone());
		match self.random.below(8) {
			0 => Operand::Scalar(self.random.ordinary() & !(self.random.below(2) << 30)),
			1 => Operand::Tensor(TensorId(ROW)),
			2 | 3 => self.recent(&narrow),
			_ => self.recent(&wide),
		}
	}

	fn narrow_operand(&mut self) -> Operand {
		let narrow = self.narrow.clone();
		match self.random.below(4) {
			0 => Operand::Scalar(self.random.ordinary() & !(self.random.below(2) << 30)),
			1 => Operand::Tensor(TensorId(ONE)),
			_ => self.recent(&narrow),
		}
	}

	/// An op. `wild` ones often give infinities and NaNs.
	fn op(&mut self, wild: bool) {
		use {BinaryKind as B, UnaryKind as U};
		let tame = [U::Neg, U::Abs, U::Tanh, U::Sigmoid, U::Erf, U::Sin];
		let unary = match wild {
			true => [U::Exp, U::Log, U::Rsqrt, U::Sqrt][self.random.below(4) as usize],
			false => tame[self.random.below(6) as usize],
		};
		let binary = [B::Add, B::Sub, B::Max, B::Min, B::Mul, B::Greater, B::Div];
		let binary = binary[self.random.below(if wild { 7 } else { 5 }) as usize];
		let wide = self.wide.clone();
		let x = self.recent(&wide);
		match self.random.below(if wild { 6 } else { 14 }) {
			0 | 1 => drop(self.wide_op(OpKind::Unary(unary), &[x])),
			2..=5 => {
				let y = self.wide_operand();
				let inputs = if self.random.below(2) == 0 { [x, y] } else { [y, x] };
				self.wide_op(OpKind::Binary(binary), &inputs);
			}
			6 | 7 => {
				let reduction = if self.random.below(2) == 0 { Reduction::Sum } else { Reduction::Max };
				let Operand::Tensor(x) = x else { return };
				let sum = self.reduce(reduction, x);
				// Sums of products of sums would soon be infinite.
				self.narrow_op(OpKind::Unary(U::Tanh), &[Operand::Tensor(sum)]);
			}
			8 => {
				let (a, b) = (self.narrow_operand(), self.recent(&self.narrow.clone()));
				self.narrow_op(OpKind::Binary(binary), &[b, a]);
			}
			9 => {
				let kind = OpKind::Causal { rows: 1, offset: self.random.below(self.cols), fill: 0xbf80_0000 };
				self.wide_op(kind, &[x]);
			}
			10 => {
				let kind = OpKind::Dropout { stream: self.random.below(3), keep: 3 << 30, scale: 0x3fa0_0000 };
				self.wide_op(kind, &[x]);
			}
			11 => drop(self.wide_op(OpKind::OneHot, &[Operand::Tensor(TensorId(LABELS))])),
			12 => {
				let scale = self.narrow_operand();
				let bytes = self.define(OpKind::Quantise, &[x, scale], DType::I8, (self.rows, self.cols));
				// Something has to read it: a copy of it, which is no part of a group.
				let copy = OpKind::Columns { first: 0 };
				self.define(copy, &[Operand::Tensor(bytes)], DType::I8, (self.rows, self.cols));
			}
			_ => {
				// An op between that is no part of a group, and whose result goes on.
				let sums = OpKind::Reduce { reduction: Reduction::Max, axis: Axis::Rows };
				let across = self.define(sums, &[x], DType::F32, (1, self.cols));
				self.wide_op(OpKind::Binary(B::Min), &[x, Operand::Tensor(across)]);
			}
		}
	}

	/// The last wide numbers become the states.
	fn finish(mut self) -> Model {
		let narrow = Operand::Tensor(self.narrow[self.narrow.len() - 1]);
		let whole = [1.0f32, 0.5, 0.25].map(|by| {
			let last = Operand::Tensor(self.wide[self.wide.len() - 1]);
			let product = self.wide_op(OpKind::Binary(BinaryKind::Mul), &[last, Operand::Scalar(by.to_bits())]);
			self.wide_op(OpKind::Binary(BinaryKind::Add), &[Operand::Tensor(product), narrow])
		});
		self.program.updates = (0..WHOLE).zip(whole).map(|(at, value)| Update { state: TensorId(at), value }).collect();
		Model { program: self.program, data: Vec::new() }
	}

	/// A softmax, and the logarithm of its sums.
	fn softmax(mut self) -> Model {
		let tensor = Operand::Tensor;
		let x = self.wide[0];
		let largest = self.reduce(Reduction::Max, x);
		let shifted = self.wide_op(OpKind::Binary(BinaryKind::Sub), &[tensor(x), tensor(largest)]);
		let powers = self.wide_op(OpKind::Unary(UnaryKind::Exp), &[tensor(shifted)]);
		let sums = self.reduce(Reduction::Sum, powers);
		self.narrow_op(OpKind::Unary(UnaryKind::Log), &[tensor(sums)]);
		self.wide_op(OpKind::Binary(BinaryKind::Div), &[tensor(powers), tensor(sums)]);
		self.finish()
	}
}

/// Shapes around the sides of what a warp takes at a time, and rows of fewer elements than a reduction has lanes.
const SHAPES: [(u32, u32); 7] = [(1, 2), (3, 31), (9, 127), (4, 129), (66, 5), (130, 3), (7, 300)];

pub(crate) fn rows<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	random_groups(devices, 0..64)
}

/// A program for each seed.
pub(crate) fn random_groups<D: Device>(devices: &[Backend<D>], seeds: Range<u64>) -> Result<(), String> {
	let (mut finite, mut failed) = (0, 0);
	for seed in seeds {
		let wild = seed % 2 == 0;
		let (rows, cols) = SHAPES[seed as usize % 7];
		let mut random = Rows::new(seed, rows, cols);
		// One wild op among tame ones, so that it is not always the first that fails.
		let ops = 3 + seed as u32 % 40;
		let at = random.random.below(ops);
		(0..ops).for_each(|op| random.op(wild && (op == at || op % 7 == 3)));
		match same_step(devices, seed, &random.finish())? {
			true => finite += 1,
			false => failed += 1,
		}
	}
	// Neither way may be left out.
	if finite < 8 || failed < 8 {
		return Err(format!("{finite} programs were finite and {failed} failed"));
	}
	Ok(())
}

/// Rows of several segments, of which a block's warps take one each, and of one more than they are.
pub(crate) fn long_rows<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	for (seed, (rows, cols)) in (1000..).zip([(64, 4100), (65, 4 * 4096 + 33)]) {
		let devices = if cols > 5000 { &devices[..1] } else { devices };
		if !same_step(devices, seed, &Rows::new(seed, rows, cols).softmax())? {
			return Err("a softmax of ordinary numbers fails".to_owned());
		}
	}
	Ok(())
}
