//! Disputes over real runs: whoever computed the job's program wins.

mod support;

use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};

use assay_engine::{Engine, Hash, OracleError, Path, SegmentOracle, State};
use assay_models::{cnn, mlp, CnnConfig, Graph, MlpConfig};
use assay_program::{
	Axis, BinaryKind, Header, Lane, Limits, Op, OpKind, OpOpening, Operand, Program, Reduction, TensorId, TensorSpec,
	UnaryKind,
};
use assay_protocol::dispute::{
	player::{next_move, Action, TraceOracle, TraceProof},
	rule, step, Context, DisputeState, Ground, LeafClaim, Outcome, Side,
};
use assay_referee::{Evidence, MicroClaim};
use support::{cpu, digits, engine, small, small_transformer};

/// An engine of the program altered by `change`; its data stays.
fn altered(honest: &Engine, model: &assay_models::Model, change: impl FnOnce(&mut Program)) -> Engine {
	let mut program = model.program.clone();
	change(&mut program);
	assert_ne!(&program, honest.program());
	Engine::new(program, model.data.clone(), cpu(Path::Auto, 1)).expect("loads")
}

/// Plays segment 1 of the job of `referee`'s program between two engines.
fn play(referee: &Engine, defender: Engine, challenger: Engine) -> (Outcome, Option<LeafClaim>) {
	play_with(referee, defender, |start, end| oracle(challenger, start, end))
}

/// As [`play`], between a worker who computes honestly and a verifier who does not.
fn accuse(referee: &Engine, defender: Engine, challenger: Engine, honest: Engine) -> (Outcome, Option<LeafClaim>) {
	play_with(referee, defender, |start, end| Wrong {
		computed: oracle(challenger, start.clone(), end),
		honest: oracle(honest, start, end),
	})
}

fn oracle(engine: Engine, start: State, end: u64) -> SegmentOracle {
	SegmentOracle::new(Arc::new(engine), start, end).expect("a segment")
}

/// The state before segment 1, and the segment's end.
fn segment(referee: &Engine) -> (State, u64) {
	let mut start = referee.initial_state();
	referee.run_segment(&mut start, 0, &mut support::on).expect("runs");
	(start, referee.segment_steps(1).expect("a second segment").end)
}

/// The state root at `end`; `None` if the run fails, which claims nothing.
fn root_after(engine: &Engine, start: &State, end: u64) -> Option<Hash> {
	let mut state = start.clone();
	engine.run(&mut state, end, &mut support::on).ok()?;
	Some(engine.state_root(&state).expect("a root"))
}

/// As [`play`], the challenger's answers from what `challenger` makes of the state before the segment and its end.
fn play_with<O: TraceOracle<Error = OracleError>>(
	referee: &Engine,
	defender: Engine,
	challenger: impl FnOnce(State, u64) -> O,
) -> (Outcome, Option<LeafClaim>) {
	let (start, end) = segment(referee);
	let post_root = root_after(&defender, &start, end).expect("runs");
	let context = Context {
		program: referee.commitment().clone(),
		first_step: start.step(),
		end_step: end,
		pre_root: referee.state_root(&start).expect("a root"),
		post_root,
		clock: 1000,
	};
	let mut defender = oracle(defender, start.clone(), end);
	let mut challenger = challenger(start, end);
	let mut state = DisputeState::open(&context, 1).expect("opens");
	for now in 2..60 {
		let side = state.phase.to_move();
		let action = match side {
			Side::Defender => next_move(&state, &context, side, &mut defender),
			Side::Challenger => next_move(&state, &context, side, &mut challenger),
		};
		match action.expect("an answer").expect("its turn") {
			Action::Move(played) => {
				let (next, outcome) = step(&state, &context, &played, side, now).expect("a valid move");
				if let Some(outcome) = outcome {
					return (outcome, None);
				}
				state = next;
			}
			Action::Evidence(evidence) => {
				let leaf = state.leaf().cloned();
				return (rule(&state, &context, &evidence).expect("accepted evidence"), leaf);
			}
		}
	}
	panic!("no end: {state:?}");
}

/// Position of the last op of a kind.
fn last_op(program: &Program, is: impl Fn(OpKind) -> bool) -> usize {
	program.ops.iter().rposition(|op| is(op.kind)).expect("such an op")
}

#[test]
fn a_worker_with_another_learning_rate_is_caught_at_the_update() {
	let (_, model) = small();
	let referee = engine(&model, cpu(Path::Auto, 1));
	let place = last_op(referee.program(), |kind| kind == OpKind::Fma);
	let cheat = altered(&referee, &model, |program| {
		program.ops[place].inputs[1] = Operand::Scalar((-0.003f32).to_bits());
	});
	let (outcome, leaf) = play(&referee, cheat, engine(&model, cpu(Path::Portable, 1)));
	assert_eq!(outcome, Outcome { winner: Side::Challenger, ground: Ground::Ruled });
	match leaf {
		Some(LeafClaim::Link { chunk, .. }) => assert_eq!(chunk.op.op as usize, place),
		other => panic!("{other:?}"),
	}
}

/// A cheat that alters the updates of a program: lying worker and lying verifier both end at the referee, who looks at the
/// leaf of `state`.
fn the_end_of_a_step_is_ruled(model: &assay_models::Model, state: TensorId, change: impl Fn(&mut Program)) {
	let referee = engine(model, cpu(Path::Auto, 1));
	let cheat = || altered(&referee, model, &change);
	let place = referee.program().state_tensors().position(|(id, _)| id == state).expect("state") as u32 + 1;
	let honest = || engine(model, cpu(Path::Portable, 1));
	let caught = play(&referee, cheat(), honest());
	let accused = accuse(&referee, honest(), cheat(), honest());
	for ((outcome, leaf), winner) in [(caught, Side::Challenger), (accused, Side::Defender)] {
		assert_eq!(outcome, Outcome { winner, ground: Ground::Ruled });
		match leaf {
			Some(LeafClaim::State { index, .. }) => assert_eq!(index, place),
			other => panic!("{other:?}"),
		}
	}
}

#[test]
fn a_skipped_update_is_ruled_on() {
	let (_, classifier) = small();
	let mut transformer = small_transformer(0.0);
	(transformer.program.header.steps, transformer.program.header.segment_steps) = (4, 2);
	// Two rounds of moves narrow the state of the second to one tensor.
	assert!(transformer.program.state_tensors().count() > 100);
	for model in [classifier, transformer] {
		let updates = model.program.updates.len();
		for index in [0, updates / 2, updates - 1] {
			let state = model.program.updates[index].state;
			the_end_of_a_step_is_ruled(&model, state, |program| {
				program.updates.remove(index);
			});
		}
	}
}

#[test]
fn an_update_from_another_op_is_ruled_on() {
	let (_, model) = small();
	let referee = engine(&model, cpu(Path::Auto, 1));
	let (start, end) = segment(&referee);
	let truth = root_after(&referee, &start, end);
	let program = &model.program;
	let spec = |id: TensorId| program.decl(id).expect("declared").spec();
	let mut ruled = 0;
	for (index, update) in program.updates.iter().enumerate() {
		// Another output of the same shape, such as a gradient.
		let others = program.ops.iter().map(|op| op.output).filter(|id| spec(*id) == spec(update.value));
		let claims = |value: &TensorId| {
			let with_other = altered(&referee, &model, |program| program.updates[index].value = *value);
			root_after(&with_other, &start, end).is_some_and(|root| Some(root) != truth)
		};
		if let Some(value) = others.filter(|id| *id != update.value).find(claims) {
			the_end_of_a_step_is_ruled(&model, update.state, |program| program.updates[index].value = value);
			ruled += 1;
		}
	}
	assert!(ruled > 2, "{ruled}");
}

/// A graph whose one product runs over an inner dimension of many links.
fn long_product() -> assay_models::Model {
	let mut graph = Graph::new(1);
	let a = graph.uniform_param("a", 40, 3000, 0.1);
	let b = graph.uniform_param("b", 3000, 50, 0.1);
	let (x, y) = (graph.neg(a), graph.mul(b, 0.5));
	let product = graph.matmul(x, y);
	let sums = graph.sum(product, assay_program::Axis::Cols);
	let next = graph.fma(sums, 0.001, a);
	graph.update(a, next);
	let header = Header { version: 1, lane: Lane::F32, seed: [8; 32], steps: 4, batch: 1, segment_steps: 2 };
	assay_models::Model { program: graph.finish(header).expect("valid"), data: Vec::new() }
}

#[test]
fn a_worker_with_another_operand_is_caught_inside_the_chain() {
	let model = long_product();
	let referee = engine(&model, cpu(Path::Auto, 1));
	let place = last_op(referee.program(), |kind| matches!(kind, OpKind::MatMul { .. }));
	// The claimed product has its right operand before scaling.
	let cheat = altered(&referee, &model, |program| {
		let b = program.ops[1].inputs[0];
		program.ops[place].inputs[1] = b;
	});
	let (outcome, leaf) = play(&referee, cheat, engine(&model, cpu(Path::Auto, 2)));
	assert_eq!(outcome, Outcome { winner: Side::Challenger, ground: Ground::Ruled });
	match leaf {
		Some(LeafClaim::Link { chunk, .. }) => {
			assert_eq!(chunk.op.op as usize, place);
			assert_eq!(chunk.op.links, 12);
		}
		other => panic!("{other:?}"),
	}
}

#[test]
fn a_worker_who_goes_on_after_an_overflow_is_caught_at_the_op() {
	let mut graph = Graph::new(1);
	let p = graph.uniform_param("p", 40, 50, 3.0);
	let power = graph.exp(p);
	let next = graph.add(power, p);
	graph.update(p, next);
	let header = Header { version: 1, lane: Lane::F32, seed: [8; 32], steps: 4, batch: 1, segment_steps: 2 };
	let model = assay_models::Model { program: graph.finish(header).expect("valid"), data: Vec::new() };
	let referee = engine(&model, cpu(Path::Auto, 1));
	// The job's own program fails here, in step 2; the worker claims a result all the same.
	let mut state = referee.initial_state();
	let failure = referee.run(&mut state, 4, &mut support::on).expect_err("overflows");
	assert!(matches!(failure, assay_engine::RunError::NonFinite { step: 2, op: 0, .. }), "{failure}");
	let cheat = altered(&referee, &model, |program| program.ops[0].kind = OpKind::Unary(UnaryKind::Relu));
	let (outcome, leaf) = play(&referee, cheat, engine(&model, cpu(Path::Portable, 1)));
	assert_eq!(outcome, Outcome { winner: Side::Challenger, ground: Ground::Ruled });
	match leaf {
		Some(LeafClaim::Link { chunk, .. }) => assert_eq!((chunk.op.trace.step.step, chunk.op.op), (2, 0)),
		other => panic!("{other:?}"),
	}
}

/// A challenger with a broken machine: from a chunk of an op's output on, it gets other values.
struct Broken {
	oracle: SegmentOracle,
	step: u64,
	op: u32,
}

fn flipped(value: &mut Option<Hash>) {
	if let Some(hash) = value {
		hash[0] ^= 1;
	}
}

impl TraceOracle for Broken {
	type Error = OracleError;

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, OracleError> {
		let mut root = self.oracle.state_root(steps)?;
		if steps > self.step {
			flipped(&mut root);
		}
		Ok(root)
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, OracleError> {
		let mut leaves = self.oracle.trace_leaves(step)?;
		if step == self.step {
			leaves.iter_mut().skip(self.op as usize).for_each(flipped);
		}
		Ok(leaves)
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, OracleError> {
		self.oracle.state_leaves(step)
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, OracleError> {
		let mut values = self.oracle.chunk_values(step, op)?;
		values.iter_mut().skip(1).for_each(flipped);
		Ok(values)
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, OracleError> {
		self.oracle.accumulators(step, op, chunk)
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, OracleError> {
		self.oracle.op_opening(op)
	}

	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, OracleError> {
		self.oracle.evidence(claim, proof)
	}
}

#[test]
fn a_false_challenge_loses() {
	let (_, model) = small();
	let referee = engine(&model, cpu(Path::Auto, 1));
	let ops = referee.program().ops.len() as u32;
	for (step, op) in [(4, 0), (5, 3), (6, ops / 2), (7, ops - 1)] {
		let (defender, challenger) = (engine(&model, cpu(Path::Auto, 1)), engine(&model, cpu(Path::Portable, 1)));
		let (outcome, leaf) =
			play_with(&referee, defender, |start, end| Broken { oracle: oracle(challenger, start, end), step, op });
		assert_eq!(outcome, Outcome { winner: Side::Defender, ground: Ground::Ruled });
		match leaf {
			Some(LeafClaim::Link { chunk, .. }) => assert_eq!((chunk.op.op, chunk.chunk), (op, 1)),
			other => panic!("{other:?}"),
		}
	}
}

#[test]
fn a_challenger_who_agrees_concedes() {
	let (_, model) = small();
	let referee = engine(&model, cpu(Path::Auto, 1));
	let (outcome, _) = play(&referee, engine(&model, cpu(Path::Auto, 1)), engine(&model, cpu(Path::Portable, 2)));
	assert_eq!(outcome, Outcome { winner: Side::Defender, ground: Ground::Conceded });
}

/// A verifier who runs another program, and knows the job's: what it has computed comes from the one, what it opens from the
/// other.
struct Wrong {
	computed: SegmentOracle,
	honest: SegmentOracle,
}

impl TraceOracle for Wrong {
	type Error = OracleError;

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, OracleError> {
		self.computed.state_root(steps)
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, OracleError> {
		self.computed.trace_leaves(step)
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, OracleError> {
		self.computed.state_leaves(step)
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, OracleError> {
		self.computed.chunk_values(step, op)
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, OracleError> {
		self.computed.accumulators(step, op, chunk)
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, OracleError> {
		self.honest.op_opening(op)
	}

	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, OracleError> {
		self.honest.evidence(claim, proof)
	}
}

/// The kind without what a cheat alters.
fn name(kind: OpKind) -> String {
	match kind {
		OpKind::Unary(kind) => format!("{kind:?}"),
		OpKind::Binary(kind) => format!("{kind:?}"),
		OpKind::Reduce { reduction, axis } => format!("{reduction:?} of {axis:?}"),
		OpKind::Hadamard { axis, .. } => format!("Hadamard of {axis:?}"),
		kind => format!("{kind:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned(),
	}
}

/// Another op of the same operands.
fn other_kind(kind: OpKind) -> Option<OpKind> {
	Some(match kind {
		OpKind::Unary(UnaryKind::Tanh) => OpKind::Unary(UnaryKind::Sigmoid),
		OpKind::Unary(_) => OpKind::Unary(UnaryKind::Tanh),
		OpKind::Binary(BinaryKind::Add) => OpKind::Binary(BinaryKind::Sub),
		OpKind::Binary(_) => OpKind::Binary(BinaryKind::Add),
		OpKind::Reduce { reduction: Reduction::Sum, axis } => OpKind::Reduce { reduction: Reduction::Max, axis },
		OpKind::Reduce { reduction: Reduction::Max, axis } => OpKind::Reduce { reduction: Reduction::Sum, axis },
		OpKind::GatherBatch { stream } => OpKind::GatherBatch { stream: stream + 1 },
		OpKind::NextBatch => OpKind::GatherBatch { stream: 0 },
		OpKind::Columns { first } => OpKind::Columns { first: first ^ 1 },
		OpKind::Causal { rows, offset, fill } => OpKind::Causal { rows, offset: offset + 1, fill },
		OpKind::Dropout { stream, keep, scale } => OpKind::Dropout { stream: stream + 1, keep, scale },
		OpKind::Gumbel { stream } => OpKind::Gumbel { stream: stream + 1 },
		OpKind::Hadamard { log2, axis } => OpKind::Hadamard { log2: log2 - 1, axis },
		_ => return None,
	})
}

/// What a cheat might do instead of the op at `at`: another kind or attribute, another scalar, another operand of the same
/// shape.
fn alterations(program: &Program, at: usize) -> Vec<Op> {
	let op = &program.ops[at];
	let kinds = other_kind(op.kind).map(|kind| Op { kind, ..op.clone() });
	let with = |input: usize, operand| {
		let mut op = op.clone();
		op.inputs[input] = operand;
		op
	};
	let mut scalars = Vec::new();
	let mut operands = Vec::new();
	let earlier = |id: TensorId| !program.ops[at..].iter().any(|op| op.output == id);
	let spec = |id: TensorId| -> TensorSpec { program.decl(id).expect("declared").spec() };
	for (input, operand) in op.inputs.iter().enumerate() {
		match operand {
			Operand::Scalar(bits) => {
				scalars.push(with(input, Operand::Scalar((f32::from_bits(*bits) * 1.5).to_bits())));
			}
			Operand::Tensor(id) => {
				let others = (0..program.tensors.len() as u32).map(TensorId);
				let others = others.filter(|other| other != id && spec(*other) == spec(*id) && earlier(*other));
				operands.extend(others.map(|other| with(input, Operand::Tensor(other))));
			}
		}
	}
	kinds.into_iter().chain(scalars).chain(operands).collect()
}

/// The ops that the state depends on, in order. What only a metric reads cannot be disputed, and harms nobody.
fn reaching_the_state(program: &Program) -> Vec<usize> {
	let mut wanted: BTreeSet<TensorId> = program.updates.iter().map(|update| update.value).collect();
	let mut ops = Vec::new();
	for (at, op) in program.ops.iter().enumerate().rev() {
		if wanted.contains(&op.output) {
			wanted.extend(op.tensor_operands());
			ops.push(at);
		}
	}
	ops.reverse();
	ops
}

/// The first alteration of an op at one of `places` that leads to another state at the end of segment 1.
fn cheat(model: &assay_models::Model, places: &[usize], start: &State, end: u64, truth: Hash) -> (usize, Program) {
	let candidates = places.iter().flat_map(|at| alterations(&model.program, *at).into_iter().map(|op| (*at, op)));
	for (at, op) in candidates {
		let mut program = model.program.clone();
		program.ops[at] = op;
		if program.validate(&Limits::default()).is_err() {
			continue;
		}
		let run = Engine::new(program.clone(), model.data.clone(), cpu(Path::Auto, 1)).expect("loads");
		if root_after(&run, start, end).is_some_and(|root| root != truth) {
			return (at, program);
		}
	}
	panic!("no alteration of {places:?} matters")
}

/// Cheats at one op of each kind that the state depends on, except `but`, as worker and as verifier. Returns the kinds.
fn every_kind_is_ruled_on(model: &assay_models::Model, but: &[&str]) -> BTreeSet<String> {
	let referee = engine(model, cpu(Path::Auto, 1));
	let (start, end) = segment(&referee);
	let truth = root_after(&referee, &start, end).expect("runs");
	let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
	for at in reaching_the_state(&model.program) {
		places.entry(name(model.program.ops[at].kind)).or_default().push(at);
	}
	places.retain(|kind, _| !but.contains(&kind.as_str()));
	for (kind, places) in &places {
		let (at, program) = cheat(model, places, &start, end, truth);
		let cheat = || Engine::new(program.clone(), model.data.clone(), cpu(Path::Auto, 1)).expect("loads");
		let honest = || engine(model, cpu(Path::Portable, 1));
		let caught = play(&referee, cheat(), honest());
		let accused = accuse(&referee, honest(), cheat(), honest());
		for ((outcome, leaf), winner) in [(caught, Side::Challenger), (accused, Side::Defender)] {
			assert_eq!(outcome, Outcome { winner, ground: Ground::Ruled }, "{kind}");
			match leaf {
				Some(LeafClaim::Link { chunk, .. }) => assert_eq!(chunk.op.op as usize, at, "{kind}"),
				other => panic!("{kind}: {other:?}"),
			}
		}
	}
	places.into_keys().collect()
}

#[test]
fn every_op_kind_of_a_transformer_is_ruled_on() {
	let mut model = small_transformer(0.1);
	(model.program.header.steps, model.program.header.segment_steps) = (4, 2);
	let kinds = every_kind_is_ruled_on(&model, &[]);
	assert!(kinds.len() >= 24, "{kinds:?}");
}

#[test]
fn every_op_kind_of_image_and_int8_models_is_ruled_on() {
	let data = digits();
	let images = CnnConfig {
		convolutions: vec![5, 33],
		batch: 6,
		steps: 4,
		segment_steps: 2,
		..CnnConfig::new(8, 8, 1, data.classes)
	};
	let bytes = MlpConfig {
		hidden: vec![40, 33],
		lane: Lane::I8,
		batch: 17,
		steps: 4,
		segment_steps: 2,
		..MlpConfig::new(data.features, data.classes)
	};
	let models = [cnn(&images, &data.train).expect("valid"), mlp(&bytes, &data.train).expect("valid")];
	let mut kinds = BTreeSet::new();
	for model in models {
		// There is no other column of labels to take.
		kinds.extend(every_kind_is_ruled_on(&model, &["OneHot"]));
	}
	for kind in ["Im2col", "Col2im", "Reshape", "Quantise", "MatMulI8", "Dequantise", "Abs"] {
		assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
	}
}

/// The ops that no model here trains with, each on its way to the state.
#[test]
fn sampling_rotation_and_further_functions_are_ruled_on() {
	let mut graph = Graph::new(1);
	let p = graph.uniform_param("p", 40, 64, 1.0);
	let mut sum = graph.hadamard(p, 3, Axis::Rows);
	let across = graph.hadamard(p, 5, Axis::Cols);
	sum = graph.add(sum, across);
	for kind in [UnaryKind::Erf, UnaryKind::Sin, UnaryKind::Cos] {
		let value = graph.unary(kind, p);
		sum = graph.add(sum, value);
	}
	let square = graph.fma(p, p, 1.0);
	let root = graph.rsqrt(square);
	let noisy = graph.gumbel(p);
	let quiet = graph.add(p, 0.5);
	let mut picked = graph.arg_max(noisy);
	for _ in 0..2 {
		// A second column of the same shape, for a cheat to take.
		let rows = graph.lookup(quiet, picked);
		picked = graph.arg_max(rows);
	}
	let hot = graph.one_hot(picked, 64);
	let sum = graph.fma(root, hot, sum);
	let next = graph.fma(sum, 0.001, p);
	graph.update(p, next);
	let header = Header { version: 1, lane: Lane::F32, seed: [8; 32], steps: 4, batch: 1, segment_steps: 2 };
	let model = assay_models::Model { program: graph.finish(header).expect("valid"), data: Vec::new() };
	let kinds = every_kind_is_ruled_on(&model, &[]);
	for kind in ["Erf", "Sin", "Cos", "Rsqrt", "Gumbel", "ArgMax", "Hadamard of Rows", "Hadamard of Cols"] {
		assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
	}
}
