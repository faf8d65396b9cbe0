//! Every rule of a program, broken one at a time, and decoding of arbitrary bytes.

use assay_commitment::LayoutError;
use assay_program::{
	validate::{OpProblem, Quantity, TensorProblem, UpdateProblem},
	*,
};
use codec::{Decode, Encode};
use proptest::prelude::*;

fn tensor(name: &str, rows: u32, cols: u32, role: Role) -> TensorDecl {
	TensorDecl { name: name.into(), dtype: DType::F32, rows, cols, role }
}

fn at(id: u32) -> Operand {
	Operand::Tensor(TensorId(id))
}

/// `w <- w - 0.1 * (x_b^T x_b) w`, and a metric.
fn program() -> Program {
	Program {
		header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 100, batch: 8, segment_steps: 10 },
		tensors: vec![
			tensor("x", 100, 20, Role::Data { root: [3; 32] }),
			tensor("w", 20, 5, Role::Param(Init::Uniform { bound: 0.5f32.to_bits(), stream: 0 })),
			tensor("xb", 8, 20, Role::Temp),
			tensor("p", 8, 5, Role::Temp),
			tensor("g", 20, 5, Role::Temp),
			tensor("new", 20, 5, Role::Temp),
			tensor("row", 1, 5, Role::Temp),
			tensor("norm", 1, 1, Role::Temp),
		],
		ops: vec![
			Op { kind: OpKind::GatherBatch { stream: 0 }, inputs: vec![at(0)], output: TensorId(2) },
			Op {
				kind: OpKind::MatMul { trans_a: false, trans_b: false },
				inputs: vec![at(2), at(1)],
				output: TensorId(3),
			},
			Op {
				kind: OpKind::MatMul { trans_a: true, trans_b: false },
				inputs: vec![at(2), at(3)],
				output: TensorId(4),
			},
			Op {
				kind: OpKind::Fma,
				inputs: vec![at(4), Operand::Scalar((-0.1f32).to_bits()), at(1)],
				output: TensorId(5),
			},
			Op {
				kind: OpKind::Reduce { reduction: Reduction::Sum, axis: Axis::Rows },
				inputs: vec![at(4)],
				output: TensorId(6),
			},
			Op {
				kind: OpKind::Reduce { reduction: Reduction::Max, axis: Axis::Cols },
				inputs: vec![at(6)],
				output: TensorId(7),
			},
		],
		updates: vec![Update { state: TensorId(1), value: TensorId(5) }],
		metrics: vec![TensorId(7)],
	}
}

fn broken(change: impl Fn(&mut Program)) -> ProgramError {
	let mut program = program();
	change(&mut program);
	let error = program.validate(&Limits::default()).unwrap_err();
	assert!(error.to_string().len() > 10);
	error
}

fn tensor_problem(change: impl Fn(&mut Program)) -> (u32, TensorProblem) {
	match broken(change) {
		ProgramError::Tensor { id, problem, .. } => (id.0, problem),
		other => panic!("{other}"),
	}
}

fn op_problem(change: impl Fn(&mut Program)) -> (u32, OpProblem) {
	match broken(change) {
		ProgramError::Op { index, problem, .. } => (index, problem),
		other => panic!("{other}"),
	}
}

fn update_problem(change: impl Fn(&mut Program)) -> UpdateProblem {
	match broken(change) {
		ProgramError::Update { problem, .. } => problem,
		other => panic!("{other}"),
	}
}

#[test]
fn a_valid_program_passes_and_survives_encoding() {
	program().validate(&Limits::default()).unwrap();
	let bytes = program().encode();
	assert_eq!(decode_program(&bytes, &Limits::default()).unwrap(), program());
	let mut longer = bytes.clone();
	longer.push(0);
	assert_eq!(decode_program(&longer, &Limits::default()), Err(DecodeError::Malformed));
	assert_eq!(decode_program(&bytes[1..], &Limits::default()), Err(DecodeError::Malformed));
	let tight = Limits { program_bytes: bytes.len() - 1, ..Limits::default() };
	let error = DecodeError::TooLong { bytes: bytes.len(), limit: bytes.len() - 1 };
	assert_eq!(decode_program(&bytes, &tight), Err(error));
}

#[test]
fn header_rules() {
	assert_eq!(broken(|p| p.header.version = 2), ProgramError::Version(2));
	assert_eq!(broken(|p| p.header.steps = 0), ProgramError::Empty("steps"));
	assert_eq!(broken(|p| p.header.batch = 0), ProgramError::Empty("batch"));
	assert_eq!(broken(|p| p.header.segment_steps = 0), ProgramError::Empty("segment_steps"));
	assert_eq!(broken(|p| p.ops.clear()), ProgramError::Empty("ops"));
	assert_eq!(broken(|p| p.updates.clear()), ProgramError::Empty("updates"));
	let steps = ProgramError::TooLarge { what: Quantity::Steps, value: u64::MAX, limit: 1 << 40 };
	assert_eq!(broken(|p| p.header.steps = u64::MAX), steps);
}

#[test]
fn tensor_rules() {
	assert_eq!(tensor_problem(|p| p.tensors[1].name.clear()), (1, TensorProblem::Name));
	assert_eq!(tensor_problem(|p| p.tensors[1].name = vec![b'a'; 65]), (1, TensorProblem::Name));
	assert_eq!(tensor_problem(|p| p.tensors[1].name = vec![0xff]), (1, TensorProblem::Name));
	assert_eq!(tensor_problem(|p| p.tensors[1].name = b"x".to_vec()), (1, TensorProblem::NameTaken));
	assert_eq!(tensor_problem(|p| p.tensors[0].rows = 0), (0, TensorProblem::Layout(LayoutError::Empty)));
	let huge = tensor_problem(|p| (p.tensors[0].rows, p.tensors[0].cols) = (u32::MAX, u32::MAX));
	assert_eq!(huge, (0, TensorProblem::Layout(LayoutError::TooLarge)));
	let role = |role: Role| tensor_problem(move |p| p.tensors[1].role = role.clone());
	let uniform = |bound| Role::Param(Init::Uniform { bound, stream: 0 });
	assert_eq!(role(uniform(0)), (1, TensorProblem::Bound));
	assert_eq!(role(uniform(0xbf80_0000)), (1, TensorProblem::Bound));
	assert_eq!(role(uniform(0x7f80_0000)), (1, TensorProblem::Bound));
	assert_eq!(role(Role::State(Init::Constant(0x7fc0_0000))), (1, TensorProblem::InitNotFinite));
	let byte = |lane, bits| {
		tensor_problem(move |p| {
			p.header.lane = lane;
			(p.tensors[1].dtype, p.tensors[1].role) = (DType::I8, Role::State(Init::Constant(bits)));
		})
	};
	assert_eq!(byte(Lane::I8, 128), (1, TensorProblem::InitRange));
	assert_eq!(byte(Lane::I8, 255), (1, TensorProblem::InitRange));
	assert_eq!(byte(Lane::F32, 5), (1, TensorProblem::Lane));
	// Any bits may be given: the root says which.
	let mut given = program();
	given.tensors[1].role = Role::Param(Init::Given { root: [7; 32] });
	assert_eq!(given.validate(&Limits::default()), Ok(()));
	assert_eq!(decode_program(&given.encode(), &Limits::default()), Ok(given.clone()));
	assert_ne!(given.commitment(), program().commitment());
	assert_eq!((given.memory().data, given.memory().state), (program().memory().data + 400, program().memory().state));
	let unused = tensor_problem(|p| p.tensors.push(tensor("unused", 1, 1, Role::Temp)));
	assert_eq!(unused, (8, TensorProblem::Undefined));
}

#[test]
fn op_rules() {
	let shape = |index, error| (index, OpProblem::Shape(error));
	let missing = OpProblem::UnknownTensor(TensorId(99));
	assert_eq!(op_problem(|p| p.ops[1].inputs[0] = at(99)), (1, missing.clone()));
	assert_eq!(op_problem(|p| p.ops[1].output = TensorId(99)), (1, missing));
	assert_eq!(op_problem(|p| p.ops.swap(0, 1)), (0, OpProblem::UsedBeforeDefined(TensorId(2))));
	assert_eq!(op_problem(|p| p.ops[0].inputs[0] = at(2)), (0, OpProblem::UsedBeforeDefined(TensorId(2))));
	assert_eq!(op_problem(|p| p.ops[3].output = TensorId(1)), (3, OpProblem::OutputNotTemp));
	assert_eq!(op_problem(|p| p.ops[3].output = TensorId(4)), (3, OpProblem::OutputDefinedTwice));
	let count = ShapeError::InputCount { takes: 2, given: 3 };
	assert_eq!(op_problem(|p| p.ops[1].inputs.push(at(1))), shape(1, count));
	let inner = ShapeError::InnerDimension { left: 20, right: 100 };
	assert_eq!(op_problem(|p| p.ops[1].inputs[1] = at(0)), shape(1, inner));
	let expected = TensorSpec::f32(20, 5);
	assert_eq!(op_problem(|p| p.tensors[4].cols = 6), shape(2, ShapeError::Output { expected }));
	let gather = op_problem(|p| p.ops[0].inputs[0] = at(1));
	assert_eq!(gather, shape(0, ShapeError::InputNotData));
	let scalar = op_problem(|p| p.ops[1].inputs[0] = Operand::Scalar(0));
	assert_eq!(scalar, shape(1, ShapeError::ScalarNotAllowed { input: 0 }));
	let nan = op_problem(|p| p.ops[3].inputs[1] = Operand::Scalar(0x7fc0_0000));
	assert_eq!(nan, shape(3, ShapeError::ScalarNotFinite { input: 1 }));
	let constant = op_problem(|p| p.ops[3].inputs = vec![Operand::Scalar(0); 3]);
	assert_eq!(constant, shape(3, ShapeError::NoTensorInput));
	let fit = op_problem(|p| p.ops[3].inputs[0] = at(3));
	assert_eq!(fit, shape(3, ShapeError::NotBroadcastable { input: 2 }));
	let labels = op_problem(|p| p.ops[5].kind = OpKind::OneHot);
	assert_eq!(labels, shape(5, ShapeError::InputType { input: 0, takes: DType::I32 }));
	let bytes = op_problem(|p| p.ops[1].kind = OpKind::MatMulI8 { trans_a: false, trans_b: false });
	assert_eq!(bytes, shape(1, ShapeError::InputType { input: 0, takes: DType::I8 }));
	let elements = op_problem(|p| (p.ops[4].kind, p.tensors[6].rows) = (OpKind::Reshape, 19));
	assert_eq!(elements, shape(4, ShapeError::Elements { given: 100, output: 95 }));
	let window = Window { height: 3, width: 3, kernel_height: 2, kernel_width: 2, stride: 1, padding: 0 };
	assert_eq!(op_problem(|p| p.ops[4].kind = OpKind::Im2col(window)), shape(4, ShapeError::Window));
}

/// First bytes of encodings: programs that exist must keep their roots, so kinds are only ever appended.
#[test]
fn encodings_do_not_change() {
	let first = |bytes: Vec<u8>| bytes[0];
	let window = Window { height: 3, width: 3, kernel_height: 2, kernel_width: 2, stride: 1, padding: 0 };
	let kinds = [
		(OpKind::MatMul { trans_a: false, trans_b: false }, 0),
		(OpKind::Unary(UnaryKind::Neg), 1),
		(OpKind::Binary(BinaryKind::Add), 2),
		(OpKind::Fma, 3),
		(OpKind::Reduce { reduction: Reduction::Sum, axis: Axis::Rows }, 4),
		(OpKind::GatherBatch { stream: 0 }, 5),
		(OpKind::OneHot, 6),
		(OpKind::Columns { first: 0 }, 7),
		(OpKind::PadColumns { first: 0 }, 8),
		(OpKind::Flatten, 9),
		(OpKind::Lookup, 10),
		(OpKind::ScatterRows, 11),
		(OpKind::SplitHeads { rows: 1, heads: 1 }, 12),
		(OpKind::MergeHeads { rows: 1, heads: 1 }, 13),
		(OpKind::BlockMatMul { trans_a: false, trans_b: false, blocks: 1, share: 1 }, 14),
		(OpKind::Causal { rows: 1, offset: 0, fill: 0 }, 15),
		(OpKind::Dropout { stream: 0, keep: 0, scale: 0 }, 16),
		(OpKind::Reshape, 17),
		(OpKind::Quantise, 18),
		(OpKind::MatMulI8 { trans_a: false, trans_b: false }, 19),
		(OpKind::Dequantise, 20),
		(OpKind::ArgMax, 21),
		(OpKind::Gumbel { stream: 0 }, 22),
		(OpKind::Im2col(window), 23),
		(OpKind::Col2im(window), 24),
		(OpKind::Hadamard { log2: 1, axis: Axis::Rows }, 25),
		(OpKind::NextBatch, 26),
	];
	for (kind, byte) in kinds {
		assert_eq!(first(kind.encode()), byte, "{kind:?}");
	}
	use UnaryKind::*;
	let unary = [Neg, Abs, Relu, Exp, Log, Tanh, Sqrt, Sigmoid, Erf, Sin, Cos, Rsqrt];
	assert_eq!(unary.map(|kind| first(kind.encode())), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
	assert_eq!([DType::F32, DType::I32, DType::I8].map(|dtype| first(dtype.encode())), [0, 1, 2]);
	assert_eq!([Lane::F32, Lane::I8].map(|lane| first(lane.encode())), [0, 1]);
}

#[test]
fn update_and_metric_rules() {
	let set = |state, value| {
		update_problem(move |p| p.updates[0] = Update { state: TensorId(state), value: TensorId(value) })
	};
	assert_eq!(set(99, 5), UpdateProblem::UnknownTensor(TensorId(99)));
	assert_eq!(set(1, 99), UpdateProblem::UnknownTensor(TensorId(99)));
	assert_eq!(set(0, 5), UpdateProblem::NotState);
	assert_eq!(set(1, 0), UpdateProblem::ValueNotTemp);
	let (state, value) = (TensorSpec::f32(20, 5), TensorSpec::f32(8, 5));
	assert_eq!(set(1, 3), UpdateProblem::Mismatch { state, value });
	assert_eq!(update_problem(|p| p.updates.push(p.updates[0])), UpdateProblem::NotAscending);
	assert_eq!(broken(|p| p.metrics[0] = TensorId(6)), ProgramError::Metric { index: 0 });
	assert_eq!(broken(|p| p.metrics[0] = TensorId(99)), ProgramError::Metric { index: 0 });
}

#[test]
fn limits_hold() {
	let too_large = |limits: Limits| match program().validate(&limits).unwrap_err() {
		ProgramError::TooLarge { what, value, limit } if value > limit => what,
		other => panic!("{other}"),
	};
	let base = Limits::default;
	assert_eq!(too_large(Limits { tensors: 7, ..base() }), Quantity::Tensors);
	assert_eq!(too_large(Limits { ops: 5, ..base() }), Quantity::Ops);
	assert_eq!(too_large(Limits { metrics: 0, ..base() }), Quantity::Metrics);
	assert_eq!(too_large(Limits { program_bytes: 100, ..base() }), Quantity::ProgramBytes);
	assert_eq!(too_large(Limits { total_bytes: 4096, ..base() }), Quantity::TotalBytes);
	assert_eq!(too_large(Limits { step_flops: 100, ..base() }), Quantity::StepFlops);
	assert_eq!(too_large(Limits { steps: 99, ..base() }), Quantity::Steps);
	assert_eq!(too_large(Limits { batch: 7, ..base() }), Quantity::Batch);
	let one = Limits { tensor_bytes: 4096, ..base() };
	assert!(matches!(program().validate(&one), Err(ProgramError::Tensor { id: TensorId(0), .. })));
	let one = Limits { op_flops: 100, ..base() };
	assert!(matches!(program().validate(&one), Err(ProgramError::Op { index: 1, .. })));
}

#[test]
fn programs_of_thousands_of_ops_pass() {
	let mut program = program();
	for id in 8..8 + 12_000 {
		program.tensors.push(tensor(&format!("t{id}"), 20, 5, Role::Temp));
		program.ops.push(Op { kind: OpKind::Unary(UnaryKind::Tanh), inputs: vec![at(1)], output: TensorId(id) });
	}
	let bytes = program.encode();
	assert!(bytes.len() > 256 << 10);
	assert_eq!(decode_program(&bytes, &Limits::default()).unwrap(), program);
}

#[test]
fn cost_and_memory() {
	let cost = program().step_cost();
	let reductions = 5 * (20 + 32) + 5 + 32;
	assert_eq!(cost.flops, 2 * 8 * 20 * 5 * 2 + 2 * 20 * 5 + reductions);
	assert_eq!(cost.referee_ops, 160 + 8 * 20 * 5 * 2 + 20 * 5 + reductions);
	let memory = program().memory();
	assert_eq!((memory.data, memory.state), (100 * 20 * 4, 20 * 5 * 4));
	// Most is alive when the gradient is computed: batch, product and gradient.
	assert_eq!(memory.temps, (8 * 20 + 8 * 5 + 20 * 5) * 4);
	assert_eq!(memory.total(), memory.data + memory.state + memory.temps);
}

proptest! {
	#[test]
	fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
		let _ = decode_program(&bytes, &Limits::default());
		if let Ok(program) = Program::decode(&mut &bytes[..]) {
			let _ = (program.validate(&Limits::default()), program.step_cost(), program.memory(), program.commitment());
		}
	}

	/// Attributes and shapes of any size: refused, or a micro-op anywhere has a cost.
	#[test]
	fn arbitrary_windows_never_panic(
		sides in proptest::array::uniform6(prop_oneof![0u32..9, 0u32..300, any::<u32>()]),
		rows in prop_oneof![1u32..2000, any::<u32>()],
		cols in prop_oneof![1u32..40, any::<u32>()],
		at in any::<prop::sample::Index>(),
	) {
		let [height, width, kernel_height, kernel_width, stride, padding] = sides;
		let window = Window { height, width, kernel_height, kernel_width, stride, padding };
		let pixels = window.pixels().unwrap_or(1).max(1);
		let positions = window.positions().map_or(1, |(down, across)| down * across);
		let places = window.places().unwrap_or(1);
		for (kind, rows, cols) in [
			(OpKind::Im2col(window), rows, cols),
			(OpKind::Im2col(window), (rows % 9).saturating_mul(pixels), cols),
			(OpKind::Col2im(window), (rows % 9).saturating_mul(positions), (cols % 50).saturating_mul(places)),
		] {
			let input = OperandSpec::Tensor { spec: TensorSpec::f32(rows, cols), data: false };
			let Ok(output) = shape::infer(kind, &[input], 1) else { continue };
			let Ok(op) = OpGeometry::new(kind, vec![input], output, 1) else { continue };
			let (chunks, links) = (op.output_layout().chunks(), op.chain_len());
			let context = StepContext { seed: [0; 32], step: 0 };
			for (chunk, link) in [(0, 0), (chunks - 1, links - 1), (at.index(chunks as usize) as u32, at.index(links as usize) as u32)] {
				let cost = op.micro_cost(&context, chunk, link).expect("a micro-op");
				prop_assert!(cost.bytes <= refine::MAX_MICRO_BYTES && cost.ops <= refine::MAX_MICRO_OPS, "{:?}", cost);
			}
		}
	}

	#[test]
	fn mutated_programs_never_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
		let mut bytes = program().encode();
		for (index, byte) in changes {
			let index = index.index(bytes.len());
			bytes[index] = byte;
		}
		let limits = Limits::default();
		if let Ok(program) = Program::decode(&mut &bytes[..]) {
			let _ = (program.validate(&limits), program.step_cost(), program.memory(), program.commitment());
		}
		// What passes can be refined everywhere.
		if let Ok(program) = decode_program(&bytes, &limits) {
			for index in 0..program.ops.len() {
				let op = program.geometry(index).unwrap();
				let context = StepContext { seed: program.header.seed, step: 0 };
				prop_assert!(op.micro_cost(&context, op.output_layout().chunks() - 1, op.chain_len() - 1).is_some());
			}
		}
	}
}
