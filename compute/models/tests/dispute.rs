//! Disputes over real runs: whoever computed the job's program wins.

mod support;

use std::sync::Arc;

use assay_engine::{Engine, Hash, OracleError, Path, SegmentOracle};
use assay_program::{OpKind, OpOpening, Operand, Program};
use assay_protocol::dispute::{
	player::{next_move, Action, TraceOracle, TraceProof},
	rule, step, Context, DisputeState, Ground, LeafClaim, Outcome, Side,
};
use assay_referee::{Evidence, MicroClaim};
use support::{cpu, engine, small};

/// An engine of the program altered by `change`; its data stays.
fn altered(honest: &Engine, model: &assay_models::Model, change: impl FnOnce(&mut Program)) -> Engine {
	let mut program = model.program.clone();
	change(&mut program);
	assert_ne!(&program, honest.program());
	Engine::new(program, model.data.clone(), cpu(Path::Auto, 1)).expect("loads")
}

/// Plays segment 1 of the job of `referee`'s program between two engines.
fn play(referee: &Engine, defender: Engine, challenger: Engine) -> (Outcome, Option<LeafClaim>) {
	play_with(referee, defender, challenger, |oracle| oracle)
}

/// As [`play`], the challenger's answers passing through `wrap`.
fn play_with<O: TraceOracle<Error = OracleError>>(
	referee: &Engine,
	defender: Engine,
	challenger: Engine,
	wrap: impl FnOnce(SegmentOracle) -> O,
) -> (Outcome, Option<LeafClaim>) {
	let mut start = referee.initial_state();
	referee.run_segment(&mut start, 0, &mut support::on).expect("runs");
	let steps = referee.segment_steps(1).expect("a second segment");
	let post_root = {
		let mut state = start.clone();
		defender.run(&mut state, steps.end, &mut support::on).expect("runs");
		defender.state_root(&state).expect("a root")
	};
	let context = Context {
		program: referee.commitment().clone(),
		first_step: steps.start,
		end_step: steps.end,
		pre_root: referee.state_root(&start).expect("a root"),
		post_root,
		clock: 1000,
	};
	let mut defender = SegmentOracle::new(Arc::new(defender), start.clone(), steps.end).expect("a segment");
	let mut challenger = wrap(SegmentOracle::new(Arc::new(challenger), start, steps.end).expect("a segment"));
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

#[test]
fn a_worker_who_skips_an_update_is_caught_at_the_assembly() {
	let (_, model) = small();
	let referee = engine(&model, cpu(Path::Auto, 1));
	let cheat = altered(&referee, &model, |program| {
		program.updates.remove(0);
	});
	let (outcome, leaf) = play(&referee, cheat, engine(&model, cpu(Path::Auto, 1)));
	assert_eq!(outcome, Outcome { winner: Side::Challenger, ground: Ground::Ruled });
	assert!(matches!(leaf, Some(LeafClaim::Assembly(_))), "{leaf:?}");
}

/// A graph whose one product runs over an inner dimension of many links.
fn long_product() -> assay_models::Model {
	use assay_models::Graph;
	use assay_program::{Header, Lane};
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
	use assay_models::Graph;
	use assay_program::{Header, Lane, UnaryKind};
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
		let (outcome, leaf) = play_with(&referee, defender, challenger, |oracle| Broken { oracle, step, op });
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
