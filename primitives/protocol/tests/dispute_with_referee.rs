//! Disputes over real executions: a program that uses every op kind, real evidence, the real referee.

#[path = "../../referee/tests/fixture/mod.rs"]
#[allow(unreachable_pub)]
mod fixture;

use assay_commitment::{Hash, StateTree, TensorTree};
use assay_program::{
	commitment::{OpOpening, ProgramTrees},
	shape::is_finite,
	DType, Operand, Program, StepContext, TensorId,
};
use assay_protocol::dispute::{
	player::{evidence, most_moves, next_move, Action, TraceOracle, TraceProof},
	rule, step, Context, DisputeState, Ground, LeafClaim, Outcome, Phase, Side, MAX_EVIDENCE,
};
use assay_referee::{
	build::state_tree, build_evidence, run_chain, run_op, whole, Evidence, Input, MicroClaim, StepData, Values,
};
use codec::{Decode, Encode};
use std::{borrow::Cow, rc::Rc};

const FIRST: u64 = 2;
const END: u64 = 5;
const LIE_AT: u64 = 3;

/// What a party gets wrong in step [`LIE_AT`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
	Nothing,
	/// One bit of one element of an op's output; everything after is computed from it.
	Element {
		op: usize,
		element: usize,
	},
	/// A byte of an op's output that is not an element.
	Padding {
		op: usize,
	},
	/// One bit of a tensor in the state after the step.
	State(TensorId),
	/// The state after the step counts one step more.
	Count,
	/// Claims 0 wherever a result is not finite.
	Finite,
}

struct Executed {
	before: Values,
	outputs: Vec<Vec<u32>>,
	after: Values,
	/// First op whose output is not finite.
	bad: Option<usize>,
}

struct Party {
	program: Rc<Program>,
	trees: ProgramTrees,
	data: Rc<Values>,
	lie: Lie,
	steps: Vec<Executed>,
}

fn execute(program: &Program, step: u64, before: &Values, data: &Values, lie: Lie) -> Executed {
	let mut temps = Values::new();
	let (mut outputs, mut bad) = (Vec::new(), None);
	for (index, op) in program.ops.iter().enumerate() {
		let geometry = program.geometry(index).unwrap();
		let inputs: Vec<Input<'_>> = op
			.inputs
			.iter()
			.map(|input| match input {
				Operand::Scalar(bits) => Input::Scalar(*bits),
				Operand::Tensor(id) => {
					Input::Tensor(temps.get(id).or_else(|| before.get(id)).or_else(|| data.get(id)).unwrap())
				}
			})
			.collect();
		let mut output = run_op(&geometry, &inputs, &StepContext { seed: program.header.seed, step }).unwrap();
		let wrong = |bits: &u32| geometry.output().dtype == DType::F32 && !is_finite(*bits);
		if lie == Lie::Finite {
			output.iter_mut().filter(|bits| wrong(bits)).for_each(|bits| *bits = 0);
		}
		match lie {
			Lie::Element { op, element } if op == index && step == LIE_AT => {
				let len = output.len();
				output[element % len] ^= 1;
			}
			_ => (),
		}
		if bad.is_none() && output.iter().any(wrong) {
			bad = Some(index);
		}
		temps.insert(op.output, output.clone());
		outputs.push(output);
	}
	let mut after = before.clone();
	for update in &program.updates {
		after.insert(update.state, temps[&update.value].clone());
	}
	match lie {
		Lie::State(id) if step == LIE_AT => after.get_mut(&id).unwrap()[0] ^= 1,
		_ => (),
	}
	Executed { before: before.clone(), outputs, after, bad }
}

impl Party {
	fn new(run: &fixture::Run, start: &Values, lie: Lie) -> Self {
		let mut steps: Vec<Executed> = Vec::new();
		for step in FIRST..END {
			let before = steps.last().map_or(start, |last: &Executed| &last.after).clone();
			steps.push(execute(&run.program, step, &before, &run.data, lie));
		}
		let trees = ProgramTrees::build(&run.program).unwrap();
		Self { program: Rc::new(run.program.clone()), trees, data: Rc::new(run.data.clone()), lie, steps }
	}

	fn at(&self, step: u64) -> &Executed {
		&self.steps[(step - FIRST) as usize]
	}

	/// Canonical bytes of an op's output, as the party claims them.
	fn bytes(&self, step: u64, op: usize) -> Vec<u8> {
		let decl = self.program.decl(self.program.ops[op].output).unwrap();
		let mut bytes = decl.spec().layout().unwrap().to_canonical(&self.at(step).outputs[op]).unwrap();
		if self.lie == (Lie::Padding { op }) && step == LIE_AT {
			*bytes.last_mut().unwrap() ^= 1;
		}
		bytes
	}

	fn leaves(&self, step: u64) -> Vec<Hash> {
		let ops = self.program.ops.len();
		let mut leaves: Vec<Hash> =
			(0..ops).map(|op| TensorTree::build(&self.bytes(step, op)).unwrap().root()).collect();
		leaves.push(self.root_after(step + 1));
		leaves
	}

	/// The tree under the state root.
	fn state_after(&self, steps: u64) -> StateTree {
		let state = if steps == FIRST { &self.steps[0].before } else { &self.at(steps - 1).after };
		let mut roots = whole::state_roots(&self.program, state).unwrap();
		if matches!(self.lie, Lie::Padding { .. }) && steps > LIE_AT {
			roots[0][0] ^= 1;
		}
		let counted = steps + u64::from(self.lie == Lie::Count && steps > LIE_AT);
		state_tree(&self.program, counted, &roots).unwrap()
	}

	fn root_after(&self, steps: u64) -> Hash {
		self.state_after(steps).root()
	}

	fn failed_before(&self, steps: u64) -> bool {
		(FIRST..steps).any(|step| self.at(step).bad.is_some())
	}
}

/// One step of a party, as evidence is made from.
struct View<'a> {
	party: &'a Party,
	step: u64,
	leaves: Vec<Hash>,
	proof: Option<TraceProof<'a>>,
}

impl StepData for View<'_> {
	fn program(&self) -> &Program {
		&self.party.program
	}

	fn step(&self) -> u64 {
		self.step
	}

	fn tensor(&self, id: TensorId) -> Option<Cow<'_, [u8]>> {
		if let Some(op) = self.party.program.ops.iter().position(|op| op.output == id) {
			return Some(self.party.bytes(self.step, op).into());
		}
		let bits = self.party.at(self.step).before.get(&id).or_else(|| self.party.data.get(&id))?;
		Some(self.party.program.decl(id)?.spec().layout().ok()?.to_canonical(bits).ok()?.into())
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		whole::state_roots(&self.party.program, &self.party.at(self.step).before).ok()
	}

	fn trace_leaf(&self, op: u32) -> Option<Hash> {
		self.leaves.get(op as usize).copied()
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		self.proof?(op)
	}
}

impl TraceOracle for Party {
	type Error = String;

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, String> {
		Ok((!self.failed_before(steps)).then(|| self.root_after(steps)))
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, String> {
		let bad = self.at(step).bad.unwrap_or(usize::MAX);
		Ok(self.leaves(step).into_iter().enumerate().map(|(op, leaf)| (op < bad).then_some(leaf)).collect())
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, String> {
		Ok((!self.failed_before(step + 1)).then(|| self.state_after(step + 1).leaves().to_vec()))
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, String> {
		let bytes = self.bytes(step, op as usize);
		let tree = TensorTree::build(&bytes).unwrap();
		let float = self.program.geometry(op as usize).unwrap().output().dtype == DType::F32;
		let finite =
			|chunk: &[u8]| !float || chunk.chunks(4).all(|w| is_finite(u32::from_le_bytes(w.try_into().unwrap())));
		Ok(tree
			.tree()
			.leaves()
			.iter()
			.zip(bytes.chunks(1024))
			.map(|(cv, chunk)| finite(chunk).then_some(*cv))
			.collect())
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, String> {
		let view = View { party: self, step, leaves: self.leaves(step), proof: None };
		Ok(run_chain(&view, op, chunk).map_err(|error| format!("{error:?}"))?.hashes(op, chunk))
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, String> {
		self.trees.open_op_with_decls(&self.program, op).ok_or_else(|| "no such op".into())
	}

	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, String> {
		let view = View { party: self, step: claim.step, leaves: self.leaves(claim.step), proof: Some(proof) };
		build_evidence(&view, &claim.target).map_err(|error| format!("{error:?}"))
	}
}

/// Plays between two parties until the referee rules or one side gives up.
fn play(defender: &mut Party, challenger: &mut Party) -> (Outcome, Option<LeafClaim>, u32) {
	let context = Context {
		program: defender.trees.commitment().clone(),
		first_step: FIRST,
		end_step: END,
		pre_root: defender.root_after(FIRST),
		post_root: defender.root_after(END),
		clock: 100,
	};
	let mut state = DisputeState::open(&context, 0).unwrap();
	for moves in 1.. {
		let by = state.phase.to_move();
		let action = match by {
			Side::Defender => next_move(&state, &context, by, defender),
			Side::Challenger => next_move(&state, &context, by, challenger),
		};
		match (action, &state.phase) {
			(Ok(Some(Action::Move(played))), _) => {
				let (next, outcome) = step(&state, &context, &played, by, 0).expect("a legal move");
				if let Some(outcome) = outcome {
					return (outcome, None, moves);
				}
				state = next;
			}
			(action, Phase::Leaf(leaf)) => {
				// Wrong evidence changes nothing; anyone else may submit.
				let first = match action {
					Ok(Some(Action::Evidence(evidence))) => check(&state, &context, &evidence),
					_ => None,
				};
				let outcome = first.unwrap_or_else(|| {
					let evidence = evidence(&state, &context, defender).unwrap().unwrap();
					check(&state, &context, &evidence).expect("the defender's own evidence")
				});
				return (outcome, Some(leaf.clone()), moves);
			}
			(action, phase) => panic!("{action:?} in {phase:?}"),
		}
	}
	unreachable!()
}

fn check(state: &DisputeState, context: &Context, evidence: &Evidence) -> Option<Outcome> {
	let bytes = evidence.encode();
	assert!(bytes.len() <= MAX_EVIDENCE, "{} bytes", bytes.len());
	assert_eq!(Evidence::decode(&mut &bytes[..]).as_ref(), Ok(evidence));
	rule(state, context, evidence).ok()
}

const CHALLENGER: Outcome = Outcome { winner: Side::Challenger, ground: Ground::Ruled };

#[test]
fn a_wrong_element_of_any_op_is_refuted() {
	let run = fixture::run();
	let mut honest = Party::new(&run, &run.before, Lie::Nothing);
	let mut refuted = 0;
	for op in 0..run.program.ops.len() {
		let element = op * 7919;
		let mut liar = Party::new(&run, &run.before, Lie::Element { op, element });
		if liar.root_after(END) == honest.root_after(END) {
			// Metrics and what does not reach the state cannot be disputed, and harm nobody.
			continue;
		}
		let (outcome, leaf, moves) = play(&mut liar, &mut honest);
		assert_eq!(outcome, CHALLENGER, "op {op}");
		let Some(LeafClaim::Link { chunk, span }) = leaf else { panic!("op {op}") };
		assert_eq!((chunk.op.trace.step.step, chunk.op.op as usize), (LIE_AT, op));
		// The accumulators are right, so the lie is in the last link.
		assert_eq!(span.after, None);
		assert!(moves <= most_moves(END - FIRST, run.program.ops.len() as u32, 5, 160, 10));
		refuted += 1;
	}
	assert!(refuted >= 15, "only {refuted} lies reached the state");
}

#[test]
fn a_state_that_does_not_follow_is_refuted_at_its_leaf() {
	let run = fixture::run();
	let mut honest = Party::new(&run, &run.before, Lie::Nothing);
	let tensors = run.program.state_tensors().map(|(id, _)| Lie::State(id));
	for (lie, place) in [Lie::Count].into_iter().chain(tensors).zip(0..) {
		let (outcome, leaf, moves) = play(&mut Party::new(&run, &run.before, lie), &mut honest);
		assert_eq!(outcome, CHALLENGER);
		let Some(LeafClaim::State { trace, index, .. }) = leaf else { panic!("{leaf:?}") };
		assert_eq!((trace.step.step, index), (LIE_AT, place));
		assert!(moves <= most_moves(END - FIRST, run.program.ops.len() as u32, 5, 1, 1));
	}
}

#[test]
fn nonzero_padding_is_refuted() {
	let run = fixture::run();
	let mut honest = Party::new(&run, &run.before, Lie::Nothing);
	// [33, 40], [33, 1], [1, 40] and [1, 1]: the last byte of each is padding.
	for op in [3, 7, 17, 23] {
		let (outcome, leaf, _) = play(&mut Party::new(&run, &run.before, Lie::Padding { op }), &mut honest);
		assert_eq!(outcome, CHALLENGER);
		assert!(matches!(leaf, Some(LeafClaim::Link { chunk, .. }) if chunk.op.op as usize == op));
	}
}

#[test]
fn a_finite_claim_where_the_result_is_not_is_refuted() {
	let run = fixture::run();
	let mut start = run.before.clone();
	let (rate, _) = run.program.state_tensors().last().unwrap();
	start.insert(rate, vec![f32::MAX.to_bits()]);
	let (w, _) = run.program.state_tensors().next().unwrap();
	start.get_mut(&w).unwrap().iter_mut().for_each(|bits| *bits = 1e30f32.to_bits());
	let mut honest = Party::new(&run, &start, Lie::Nothing);
	assert!(honest.failed_before(END));
	let (outcome, leaf, _) = play(&mut Party::new(&run, &start, Lie::Finite), &mut honest);
	assert_eq!(outcome, CHALLENGER);
	assert!(matches!(leaf, Some(LeafClaim::Link { .. })));
}

#[test]
fn an_honest_worker_is_upheld_against_any_wrong_verifier() {
	let run = fixture::run();
	let mut honest = Party::new(&run, &run.before, Lie::Nothing);
	let ops = run.program.ops.len();
	let wrong = (0..ops).step_by(4).map(|op| Lie::Element { op, element: op * 31 });
	let states = run.program.state_tensors().map(|(id, _)| Lie::State(id));
	let mut ruled = 0;
	for lie in wrong.chain(states).chain([Lie::Padding { op: 3 }, Lie::Count]) {
		let (outcome, leaf, _) = play(&mut honest, &mut Party::new(&run, &run.before, lie));
		assert_eq!(outcome.winner, Side::Defender, "{lie:?}");
		ruled += u32::from(leaf.is_some());
	}
	assert!(ruled > 5, "most reach the referee");
}
