//! Chains of elementwise ops in one launch: the same states, or the same first op that fails, as the CPU engine.

use std::ops::ControlFlow;

use assay_cuda::{cases::Random, Backend, Device, Session, SessionError};
use assay_engine::RunError;
use assay_models::Model;
use assay_program::{
	shape::arity, BinaryKind, DType, Header, Init, Lane, Op, OpKind, Operand, Program, Role, TensorDecl, TensorId,
	UnaryKind, Update,
};

use super::{
	locate,
	training::{bits, engine},
};

/// Tensors in this order: three whole states, one column, one row, one number, integers; then what ops define.
const WHOLE: u32 = 3;
const INTEGERS: u32 = 6;

struct Chains {
	random: Random,
	program: Program,
	shape: (u32, u32),
	/// Numbers to choose operands from.
	numbers: Vec<TensorId>,
}

impl Chains {
	fn new(seed: u64) -> Self {
		let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
		let (rows, cols) = (1 + random.below(40), 1 + random.below(60));
		let header =
			Header { version: 1, lane: Lane::I8, seed: [seed as u8; 32], steps: 1, batch: 1, segment_steps: 1 };
		let shapes = [(rows, cols), (rows, cols), (rows, cols), (rows, 1), (1, cols), (1, 1)];
		let uniform = |stream| Role::State(Init::Uniform { bound: 2.0f32.to_bits(), stream });
		let decl =
			|name: String, dtype, (rows, cols), role| TensorDecl { name: name.into_bytes(), dtype, rows, cols, role };
		let states = (0..).zip(shapes).map(|(at, shape)| decl(format!("state{at}"), DType::F32, shape, uniform(at)));
		let integers = decl("integers".to_owned(), DType::I32, (rows, cols), Role::State(Init::Constant(7_654_321)));
		let tensors = states.chain([integers]).collect();
		let program = Program { header, tensors, ops: Vec::new(), updates: Vec::new(), metrics: Vec::new() };
		Self { random, program, shape: (rows, cols), numbers: (0..INTEGERS).map(TensorId).collect() }
	}

	fn define(&mut self, kind: OpKind, inputs: Vec<Operand>, dtype: DType) -> TensorId {
		let output = TensorId(self.program.tensors.len() as u32);
		let (name, (rows, cols)) = (format!("temp{}", output.0).into_bytes(), self.shape);
		self.program.tensors.push(TensorDecl { name, dtype, rows, cols, role: Role::Temp });
		self.program.ops.push(Op { kind, inputs, output });
		output
	}

	/// A scalar, one of the last results, or any number before.
	fn operand(&mut self) -> Operand {
		let count = self.numbers.len() as u32;
		match self.random.below(6) {
			0 => Operand::Scalar(self.random.ordinary() & !(self.random.below(2) << 30)),
			1 | 2 => Operand::Tensor(self.numbers[self.random.below(count) as usize]),
			_ => Operand::Tensor(self.numbers[(count - 1 - self.random.below(count.min(4))) as usize]),
		}
	}

	/// A tensor, and as many other operands as asked.
	fn operands(&mut self, more: usize) -> Vec<Operand> {
		let count = self.numbers.len() as u32;
		let tensor = Operand::Tensor(self.numbers[self.random.below(count) as usize]);
		let mut operands: Vec<Operand> = (0..more).map(|_| self.operand()).collect();
		operands.insert(self.random.below(more as u32 + 1) as usize, tensor);
		operands
	}

	/// `wild` ops often give infinities and NaNs.
	fn op(&mut self, wild: bool) {
		use {BinaryKind as B, UnaryKind as U};
		let tame = [U::Neg, U::Abs, U::Relu, U::Tanh, U::Sigmoid, U::Erf, U::Sin, U::Cos];
		let all = [U::Exp, U::Log, U::Sqrt, U::Rsqrt];
		let unary = if wild && self.random.below(2) == 0 {
			all[self.random.below(4) as usize]
		} else {
			tame[self.random.below(8) as usize]
		};
		let binary = [B::Add, B::Sub, B::Max, B::Min, B::Greater, B::Mul, B::Div];
		let output = match self.random.below(8) {
			0..=2 => {
				let inputs = self.operands(0);
				self.define(OpKind::Unary(unary), inputs, DType::F32)
			}
			3 | 4 => {
				let (kind, inputs) = (self.random.below(if wild { 7 } else { 5 }), self.operands(1));
				self.define(OpKind::Binary(binary[kind as usize]), inputs, DType::F32)
			}
			5 => {
				let small = Operand::Scalar(0.25f32.to_bits());
				let inputs = if wild { self.operands(2) } else { [vec![small], self.operands(1)].concat() };
				self.define(OpKind::Fma, inputs, DType::F32)
			}
			6 => {
				let inputs = self.operands(1);
				let bytes = self.define(OpKind::Quantise, inputs, DType::I8);
				// Something has to read it: a copy of it, which is no part of a chain.
				self.define(OpKind::Columns { first: 0 }, vec![Operand::Tensor(bytes)], DType::I8);
				return;
			}
			_ => {
				let small = Operand::Scalar(1e-6f32.to_bits());
				let inputs = vec![Operand::Tensor(TensorId(INTEGERS)), small, self.operand()];
				self.define(OpKind::Dequantise, inputs, DType::F32)
			}
		};
		self.numbers.push(output);
	}

	/// Two ops that make numbers of at least a half, and an op of them.
	fn only(mut self, kind: OpKind) -> Model {
		let state = |at| Operand::Tensor(TensorId(at));
		let size = self.define(OpKind::Unary(UnaryKind::Abs), vec![state(0)], DType::F32);
		let inputs = vec![Operand::Tensor(size), Operand::Scalar(0.5f32.to_bits())];
		let positive = self.define(OpKind::Binary(BinaryKind::Add), inputs, DType::F32);
		let mut inputs = [positive, size, TensorId(1)].map(Operand::Tensor).to_vec();
		inputs.truncate(usize::from(arity(kind)));
		if kind == OpKind::Dequantise {
			inputs[0] = state(INTEGERS);
		}
		let output = self.define(kind, inputs, DType::F32);
		self.numbers.push(output);
		self.finish(0, false)
	}

	/// `ops` ops, of which some of the last ones are the new states.
	fn finish(mut self, ops: u32, wild: bool) -> Model {
		(0..ops).for_each(|_| self.op(wild));
		let whole = [1.0f32, 0.5, 0.25].map(|by| {
			let inputs = vec![Operand::Tensor(self.numbers[self.numbers.len() - 1]), Operand::Scalar(by.to_bits())];
			let output = self.define(OpKind::Binary(BinaryKind::Mul), inputs, DType::F32);
			self.numbers.push(output);
			output
		});
		self.program.updates = (0..WHOLE).zip(whole).map(|(at, value)| Update { state: TensorId(at), value }).collect();
		Model { program: self.program, data: Vec::new() }
	}
}

pub(crate) fn chains<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	use {BinaryKind as B, UnaryKind as U};
	let unary = [U::Neg, U::Exp, U::Log, U::Tanh, U::Sqrt, U::Sigmoid, U::Erf, U::Sin, U::Cos, U::Rsqrt, U::Relu];
	let binary = [B::Add, B::Sub, B::Mul, B::Max, B::Min, B::Greater];
	let kinds = unary.map(OpKind::Unary).into_iter().chain(binary.map(OpKind::Binary));
	for (seed, kind) in (200..).zip(kinds.chain([OpKind::Fma, OpKind::Dequantise])) {
		if !same_step(devices, seed, &Chains::new(seed).only(kind))? {
			return Err(format!("{kind:?} of ordinary numbers fails"));
		}
	}
	let (mut finite, mut failed) = (0, 0);
	for seed in 0..70 {
		let wild = seed % 2 == 0;
		let ops = if wild { 2 + seed as u32 % 9 } else { 1 + seed as u32 };
		match same_step(devices, seed, &Chains::new(seed).finish(ops, wild))? {
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

/// Whether the one step of the program is finite, on every device as on the CPU.
pub(crate) fn same_step<D: Device>(devices: &[Backend<D>], seed: u64, model: &Model) -> Result<bool, String> {
	let engine = engine(model)?;
	let mut state = engine.initial_state();
	let start = bits(&engine, &state);
	let expected = match engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(())) {
		Ok(_) => Ok(bits(&engine, &state)),
		Err(RunError::NonFinite { op, .. }) => Err(SessionError::NonFinite { step: 0, op }),
		Err(error) => return Err(error.to_string()),
	};
	for backend in devices {
		let session = Session::new(backend, engine.program(), &[], &start, 0);
		let mut session = session.map_err(|error| format!("seed {seed}: {error}"))?;
		let done = session.step();
		let state = session.state().map_err(|error| error.to_string())?;
		let same = match &expected {
			Ok(expected) => done == Ok(()) && state == *expected,
			Err(error) => done == Err(error.clone()) && state == start,
		};
		if !same {
			let what = locate::in_step(backend, &engine, &[], &engine.initial_state());
			let what = what.unwrap_or_else(|| "the next time it is equal".to_owned());
			return Err(format!("seed {seed}, {:?}: {what}", backend.device().profile()));
		}
	}
	Ok(expected.is_ok())
}
