//! A tiny but real program: linear regression towards zero by plain gradient steps, large enough that a dispute goes
//! through every phase (several chunks, two links).

use assay_commitment::Hash;
use assay_program::{
	DType, Header, Init, Lane, Op, OpKind, Operand, Program, ProgramTrees, Role, StepContext, TensorDecl, TensorId,
	Update, {philox, BinaryKind},
};
use assay_referee::{
	init_tensor, run_op, run_step,
	whole::{root_of, state_root_of, trace_leaves},
	Input, StepRun, Values,
};

/// Steps of the job.
pub(crate) const STEPS: u64 = 16;
/// Steps of a segment.
pub(crate) const SEGMENT_STEPS: u32 = 2;
/// Segments of a milestone.
pub(crate) const MILESTONE_SEGMENTS: u32 = 4;

const ROWS: u32 = 6;
const INNER: u32 = 300;
const OUTPUTS: u32 = 40;
const W: TensorId = TensorId(0);
const COUNT: TensorId = TensorId(1);
const X: TensorId = TensorId(2);
/// The op whose output is `w` after a step.
pub(crate) const FMA_OP: u32 = 3;
/// The product with a chain of two links.
pub(crate) const MATMUL_OP: u32 = 1;

fn x() -> Vec<u32> {
	(0..ROWS * INNER).map(|i| philox::uniform_init(&[9; 32], 7, i, 0.5f32.to_bits())).collect()
}

/// `z = x w`, `w -= x^T z / 64`, and a counter.
pub(crate) fn program() -> Program {
	let decl = |name: &str, rows, cols, role| TensorDecl { name: name.into(), dtype: DType::F32, rows, cols, role };
	let x_decl = decl("x", ROWS, INNER, Role::Temp);
	let root = root_of(&x_decl, &x()).expect("x has its shape");
	let t = |i| Operand::Tensor(TensorId(i));
	let op = |kind, inputs: &[Operand], output| Op { kind, inputs: inputs.to_vec(), output: TensorId(output) };
	let program = Program {
		header: Header {
			version: 1,
			lane: Lane::F32,
			seed: [5; 32],
			steps: STEPS,
			batch: 4,
			segment_steps: SEGMENT_STEPS,
		},
		tensors: vec![
			decl("w", INNER, OUTPUTS, Role::Param(Init::Uniform { bound: 0.25f32.to_bits(), stream: 1 })),
			decl("count", 1, 1, Role::State(Init::Zeros)),
			decl("x", ROWS, INNER, Role::Data { root }),
			decl("batch", 4, INNER, Role::Temp),
			decl("z", 4, OUTPUTS, Role::Temp),
			decl("gradient", INNER, OUTPUTS, Role::Temp),
			decl("w_next", INNER, OUTPUTS, Role::Temp),
			decl("count_next", 1, 1, Role::Temp),
		],
		ops: vec![
			op(OpKind::GatherBatch { stream: 3 }, &[t(2)], 3),
			op(OpKind::MatMul { trans_a: false, trans_b: false }, &[t(3), t(0)], 4),
			op(OpKind::MatMul { trans_a: true, trans_b: false }, &[t(3), t(4)], 5),
			op(OpKind::Fma, &[t(5), Operand::Scalar((-1.0f32 / 64.0).to_bits()), t(0)], 6),
			op(OpKind::Binary(BinaryKind::Add), &[t(1), Operand::Scalar(1.0f32.to_bits())], 7),
		],
		updates: vec![Update { state: W, value: TensorId(6) }, Update { state: COUNT, value: TensorId(7) }],
		metrics: vec![],
	};
	assert_eq!(
		assay_program::decode_program(&codec::Encode::encode(&program), &Default::default()).as_ref(),
		Ok(&program)
	);
	program
}

/// A way to compute wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
	/// One bit of one output of an op, in one step; everything after it follows from it.
	Output { step: u64, op: u32, element: usize },
	/// One bit of the state after a step, which no op has put there.
	State { step: u64 },
}

/// All states and steps of an execution of the job.
pub(crate) struct Run {
	pub(crate) program: Program,
	pub(crate) trees: ProgramTrees,
	pub(crate) data: Values,
	/// State before each step, and the last.
	pub(crate) states: Vec<Values>,
	pub(crate) roots: Vec<Hash>,
	pub(crate) steps: Vec<StepRun>,
}

impl Run {
	pub(crate) fn honest() -> Self {
		Self::with(None)
	}

	pub(crate) fn lying(lie: Lie) -> Self {
		Self::with(Some(lie))
	}

	fn with(lie: Option<Lie>) -> Self {
		let program = program();
		let trees = ProgramTrees::build(&program).expect("few items");
		let data = Values::from([(X, x())]);
		let first: Values = program
			.state_tensors()
			.map(|(id, decl)| (id, init_tensor(decl, &program.header).expect("a state tensor")))
			.collect();
		let mut run = Run { program, trees, data, states: vec![first], roots: vec![], steps: vec![] };
		for step in 0..=STEPS {
			let state = &run.states[step as usize];
			run.roots.push(state_root_of(&run.program, step, state).expect("a whole state"));
			if step < STEPS {
				let done = run.step(step, lie);
				run.states.push(done.state.clone());
				run.steps.push(done);
			}
		}
		run
	}

	fn step(&self, step: u64, lie: Option<Lie>) -> StepRun {
		let state = &self.states[step as usize];
		let mut done = run_step(&self.program, step, state, &self.data).expect("a finite step");
		match lie {
			Some(Lie::State { step: at }) if at == step => {
				done.state.get_mut(&W).expect("w is state")[1] ^= 1;
			}
			Some(Lie::Output { step: at, op: wrong, element }) if at == step => {
				let mut temps = Values::new();
				for (index, op) in self.program.ops.iter().enumerate() {
					let geometry = self.program.geometry(index).expect("valid");
					let value = |id: &TensorId| temps.get(id).or(state.get(id)).or(self.data.get(id)).expect("defined");
					let inputs: Vec<Input> = op
						.inputs
						.iter()
						.map(|input| match input {
							Operand::Scalar(bits) => Input::Scalar(*bits),
							Operand::Tensor(id) => Input::Tensor(value(id)),
						})
						.collect();
					let context = StepContext { seed: self.program.header.seed, step };
					let mut output = run_op(&geometry, &inputs, &context).expect("valid");
					if index == wrong as usize {
						output[element] ^= 1;
					}
					temps.insert(op.output, output.clone());
					done.outputs[index] = output;
				}
				for update in &self.program.updates {
					done.state.insert(update.state, temps[&update.value].clone());
				}
			}
			_ => {}
		}
		done
	}

	/// Trace leaves of a step: op outputs, then the state after it.
	pub(crate) fn trace(&self, step: u64) -> Vec<Hash> {
		trace_leaves(&self.program, step, &self.steps[step as usize]).expect("a whole step")
	}

	/// State root after `segments` segments.
	pub(crate) fn root_after(&self, segments: u32) -> Hash {
		self.roots[(u64::from(segments) * u64::from(SEGMENT_STEPS)).min(STEPS) as usize]
	}
}
