//! Disputes over a toy computation: every value is a hash of its place, so a lie can sit anywhere. The program is real.

use super::{
	player::{most_moves, next_move, Action, TraceOracle, TraceProof},
	*,
};
use crate::{Hash, Reason};
use alloc::{boxed::Box, vec::Vec};
use assay_commitment::{Combiner, DType, Domain, Tree};
use assay_program::{
	commitment::{OpOpening, ProgramTrees},
	Axis, BinaryKind, Header, Init, Lane, Op, OpKind, Operand, Program, Reduction, Role, TensorDecl, TensorId, Update,
};
use assay_referee::{Evidence, MicroClaim};
use codec::{Decode, Encode, MaxEncodedLen};
use proptest::prelude::*;

const CLOCK: u32 = 100;

/// A chain of ops on `[rows, cols]` tensors: a product with a long inner dimension, a reduction, then sums.
fn program(ops: u32, rows: u32, cols: u32, inner: u32) -> Program {
	let decl = |name: &str, rows, cols, role| TensorDecl {
		name: name.as_bytes().to_vec(),
		dtype: DType::F32,
		rows,
		cols,
		role,
	};
	let mut tensors = alloc::vec![
		decl("a", rows, inner, Role::Param(Init::Zeros)),
		decl("b", inner, cols, Role::State(Init::Zeros)),
		decl("w", rows, cols, Role::Param(Init::Zeros)),
	];
	let mut list = Vec::new();
	for i in 0..ops {
		let output = TensorId(tensors.len() as u32);
		let previous = TensorId(output.0 - 1);
		let (kind, inputs, shape) = match i {
			0 => (
				OpKind::MatMul { trans_a: false, trans_b: false },
				alloc::vec![Operand::Tensor(TensorId(0)), Operand::Tensor(TensorId(1))],
				(rows, cols),
			),
			1 => (
				OpKind::Reduce { reduction: Reduction::Sum, axis: Axis::Cols },
				alloc::vec![Operand::Tensor(TensorId(0))],
				(rows, 1),
			),
			_ => (
				OpKind::Binary(BinaryKind::Add),
				alloc::vec![Operand::Tensor(previous), Operand::Tensor(TensorId(2))],
				(rows, cols),
			),
		};
		tensors.push(decl(&alloc::format!("t{i}"), shape.0, shape.1, Role::Temp));
		list.push(Op { kind, inputs, output });
	}
	let last = TensorId(tensors.len() as u32 - 1);
	Program {
		header: Header { version: 1, lane: Lane::F32, seed: [9; 32], steps: 1000, batch: 1, segment_steps: 16 },
		tensors,
		ops: list,
		updates: alloc::vec![Update { state: TensorId(2), value: last }],
		metrics: Vec::new(),
	}
}

/// The same with `more` parameters that no op touches.
fn with_states(mut program: Program, more: u32) -> Program {
	program.tensors.extend((0..more).map(|i| TensorDecl {
		name: alloc::format!("s{i}").into_bytes(),
		dtype: DType::F32,
		rows: 1,
		cols: 1,
		role: Role::Param(Init::Zeros),
	}));
	program
}

/// A value of the toy computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
enum Place {
	/// Leaf of the state after some steps.
	State(u64, u32),
	Chunk(u64, u32, u32),
	Accumulator(u64, u32, u32, u32),
}

impl Place {
	fn truth(self) -> Hash {
		*blake3::hash(&self.encode()).as_bytes()
	}
}

/// The root of the tree over these leaves of a state.
fn state_root(leaves: Vec<Hash>) -> Hash {
	Tree::build(Combiner::Merkle(Domain::State), leaves).unwrap().root()
}

/// The true state root after some steps.
fn true_root(n_state: u32, steps: u64) -> Hash {
	state_root((0..=n_state).map(|leaf| Place::State(steps, leaf).truth()).collect())
}

/// Answers truly except where `lies` says otherwise.
struct Toy {
	program: Program,
	trees: ProgramTrees,
	lies: Box<dyn Fn(Place) -> bool>,
	/// The post root that a defender has claimed for a step, which its trace must end in.
	post: Option<(u64, Hash)>,
}

impl Toy {
	fn new(program: &Program, lies: impl Fn(Place) -> bool + 'static) -> Self {
		let trees = ProgramTrees::build(program).unwrap();
		Self { program: program.clone(), trees, lies: Box::new(lies), post: None }
	}

	fn value(&self, place: Place) -> Hash {
		let mut hash = place.truth();
		if (self.lies)(place) {
			hash[0] ^= 1;
		}
		hash
	}

	fn leaves_after(&self, steps: u64) -> Vec<Hash> {
		(0..=self.trees.commitment().n_state).map(|leaf| self.value(Place::State(steps, leaf))).collect()
	}

	fn root_after(&self, steps: u64) -> Hash {
		state_root(self.leaves_after(steps))
	}

	fn shape(&self, op: u32) -> (u32, u32) {
		let geometry = self.program.geometry(op as usize).unwrap();
		(geometry.output_layout().chunks(), geometry.chain_len())
	}

	fn output_root(&self, step: u64, op: u32) -> Hash {
		let values = (0..self.shape(op).0).map(|chunk| self.value(Place::Chunk(step, op, chunk))).collect();
		Tree::build(Combiner::Blake3Cv, values).unwrap().root()
	}
}

impl TraceOracle for Toy {
	type Error = ();

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, ()> {
		Ok(Some(self.root_after(steps)))
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, ()> {
		let mut leaves: Vec<_> =
			(0..self.program.ops.len() as u32).map(|op| Some(self.output_root(step, op))).collect();
		let post = match self.post {
			Some((claimed_step, root)) if claimed_step == step => root,
			_ => self.root_after(step + 1),
		};
		leaves.push(Some(post));
		Ok(leaves)
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, ()> {
		Ok(Some(self.leaves_after(step + 1)))
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, ()> {
		Ok((0..self.shape(op).0).map(|chunk| Some(self.value(Place::Chunk(step, op, chunk)))).collect())
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, ()> {
		Ok((0..self.shape(op).1 - 1).map(|link| self.value(Place::Accumulator(step, op, chunk, link))).collect())
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, ()> {
		self.trees.open_op_with_decls(&self.program, op).ok_or(())
	}

	fn evidence(&mut self, _: &MicroClaim, _: TraceProof<'_>) -> Result<Evidence, ()> {
		Err(())
	}
}

/// The ruling of a referee that knows the truth. The challenger must have led to agreed inputs.
fn toy_ruling(leaf: &LeafClaim) -> Side {
	let upheld = match leaf {
		LeafClaim::State { trace, index, hash } => *hash == Place::State(trace.step.step + 1, *index).truth(),
		LeafClaim::Link { chunk, span } => {
			let (step, op) = (chunk.op.trace.step.step, chunk.op.op);
			let accumulator = |link| Place::Accumulator(step, op, chunk.chunk, link).truth();
			match span.after {
				Some(after) => after == accumulator(span.lo),
				None => chunk.cv == Place::Chunk(step, op, chunk.chunk).truth(),
			}
		}
	};
	if upheld {
		Side::Defender
	} else {
		Side::Challenger
	}
}

fn agreed(context: &Context, leaf: &LeafClaim) -> bool {
	let step = leaf.trace().step;
	let inside = match leaf {
		LeafClaim::State { .. } => true,
		LeafClaim::Link { chunk, span } => span.before.map_or(span.lo == 0, |before| {
			before == Place::Accumulator(step.step, chunk.op.op, chunk.chunk, span.lo - 1).truth()
		}),
	};
	inside && step.pre_root == true_root(context.program.n_state, step.step)
}

struct Game {
	winner: Side,
	moves: u32,
	largest: usize,
	leaf: Option<LeafClaim>,
}

/// Plays to the end, each side by its own policy.
fn play(
	context: &Context,
	mut defender: impl FnMut(&DisputeState) -> Move,
	mut challenger: impl FnMut(&DisputeState) -> Move,
) -> Game {
	let mut state = DisputeState::open(context, 10).unwrap();
	let (mut moves, mut largest) = (0, 0);
	loop {
		assert!(moves < 1000, "does not end");
		if let Some(leaf) = state.leaf() {
			return Game { winner: toy_ruling(leaf), moves: moves + 1, largest, leaf: Some(leaf.clone()) };
		}
		let by = state.phase.to_move();
		let played = match by {
			Side::Defender => defender(&state),
			Side::Challenger => challenger(&state),
		};
		let bytes = played.encode();
		assert_eq!(Move::decode(&mut &bytes[..]).as_ref(), Ok(&played));
		if !matches!(played, Move::ChooseOp { .. }) {
			largest = largest.max(bytes.len());
		}
		let (next, outcome) = step(&state, context, &played, by, 10).expect("a legal move");
		assert!(next.encode().len() <= DisputeState::max_encoded_len());
		moves += 1;
		if let Some(outcome) = outcome {
			return Game { winner: outcome.winner, moves, largest, leaf: None };
		}
		state = next;
	}
}

fn by_oracle<'a>(context: &'a Context, side: Side, oracle: &'a mut Toy) -> impl FnMut(&DisputeState) -> Move + 'a {
	move |state| {
		if let (Side::Defender, Phase::TraceReveal(claim)) = (side, &state.phase) {
			oracle.post = Some((claim.step, claim.post_root));
		}
		match next_move(state, context, side, oracle) {
			Ok(Some(Action::Move(played))) => played,
			other => panic!("no move: {other:?}"),
		}
	}
}

fn context(program: &Program, steps: core::ops::Range<u64>, post_root: Hash) -> Context {
	let program = program.commitment().unwrap();
	Context {
		pre_root: true_root(program.n_state, steps.start),
		program,
		first_step: steps.start,
		end_step: steps.end,
		post_root,
		clock: CLOCK,
	}
}

/// A liar claims `lies` over `steps`; the honest challenger plays against it.
fn catch(program: &Program, steps: core::ops::Range<u64>, lies: impl Fn(Place) -> bool + 'static) -> Game {
	let mut liar = Toy::new(program, lies);
	let context = context(program, steps.clone(), liar.root_after(steps.end));
	let mut honest = Toy::new(program, |_| false);
	let game = play(
		&context,
		by_oracle(&context, Side::Defender, &mut liar),
		by_oracle(&context, Side::Challenger, &mut honest),
	);
	assert_eq!(game.winner, Side::Challenger);
	if let Some(leaf) = &game.leaf {
		assert!(agreed(&context, leaf), "inputs are not agreed: {leaf:?}");
	}
	game
}

#[test]
fn every_single_divergence_is_found() {
	let program = with_states(program(5, 70, 40, 1300), 30);
	let toy = Toy::new(&program, |_| false);
	let steps = 100..103u64;
	for at in steps.clone() {
		// The op outputs are right, the state after the step is not.
		for leaf in 0..=33 {
			let wrong = move |place| matches!(place, Place::State(s, l) if s > at && l >= leaf);
			let game = catch(&program, steps.clone(), wrong);
			let Some(LeafClaim::State { trace, index, .. }) = game.leaf else { panic!("no leaf") };
			assert_eq!((trace.step.step, index), (at, leaf));
		}
		for op in 0..5 {
			let (chunks, links) = toy.shape(op);
			for chunk in [0, 1, chunks / 2, chunks - 1] {
				for link in 0..links {
					let game = catch(&program, steps.clone(), move |place| match place {
						Place::State(s, _) => s > at,
						// Everything after the lie follows from it.
						Place::Chunk(s, o, c) => s == at && (o > op || o == op && c == chunk),
						Place::Accumulator(s, o, c, l) => (s, o, c) == (at, op, chunk) && l >= link,
					});
					let Some(LeafClaim::Link { chunk: found, span }) = game.leaf else { panic!("no leaf") };
					let place = (found.op.trace.step.step, found.op.op, found.chunk, span.lo);
					assert_eq!(place, (at, op, chunk, link));
				}
			}
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

	#[test]
	fn honest_challenger_wins_however_the_lie_is_defended(
		ops in 1u32..40, rows in 1u32..120, cols in 1u32..70, inner in 1u32..5000,
		states in 0u32..400, start in 0u64..1000, len in 1u64..600, seed: u64, rate in 0u8..=255,
	) {
		let program = with_states(program(ops, rows, cols, inner), states);
		let end = start + len;
		let coin = move |place: Place| blake3::hash(&(seed, place).encode()).as_bytes()[0] <= rate;
		let game = catch(&program, start..end, move |place| match place {
			// Agreed at the start, wrong at the end; anything in between.
			Place::State(s, leaf) => s == end && u64::from(leaf) == seed % 3 || s > start && coin(place),
			_ => coin(place),
		});
		let (chunks, links) = (rows.div_ceil(32) * cols.div_ceil(32) * 4, inner.div_ceil(64));
		prop_assert!(game.moves <= most_moves(len, ops, states + 3, chunks.max(4), links));
		prop_assert!(game.largest <= 740, "{} bytes", game.largest);
	}

	#[test]
	fn honest_defender_wins_against_any_choices(
		ops in 1u32..40, rows in 1u32..120, cols in 1u32..70, inner in 1u32..5000,
		states in 0u32..400, start in 0u64..1000, len in 1u64..600, choices in prop::collection::vec(any::<u8>(), 64),
	) {
		let program = with_states(program(ops, rows, cols, inner), states);
		let context = context(&program, start..start + len, true_root(states + 3, start + len));
		let mut honest = Toy::new(&program, |_| false);
		let mut openings = Toy::new(&program, |_| false);
		let mut choices = choices.into_iter();
		let mut challenge = |state: &DisputeState| {
			let pick = choices.next().unwrap();
			match &state.phase {
				Phase::StepsChoose { interior, .. } | Phase::LinksChoose { interior, .. } => {
					Move::Choose(pick % (interior.len() as u8 + 1))
				}
				Phase::TensorChoose { revealed, .. } | Phase::StateChoose { revealed, .. } => Move::Choose(pick % revealed.children.len() as u8),
				Phase::TraceChoose(trace) => {
					let revealed = trace.descent.last().unwrap();
					let child = pick % revealed.children.len() as u8;
					let node = assay_commitment::frontier(revealed.node, ops + 1)[usize::from(child)];
					if node.is_leaf() && node.start < ops {
						Move::ChooseOp { child, opening: openings.op_opening(node.start).unwrap() }
					} else {
						Move::Choose(child)
					}
				}
				phase => panic!("not the challenger's move: {phase:?}"),
			}
		};
		let game = play(&context, by_oracle(&context, Side::Defender, &mut honest), &mut challenge);
		prop_assert_eq!(game.winner, Side::Defender);
		prop_assert!(game.leaf.is_some());
	}

	#[test]
	fn honest_defender_wins_against_a_wrong_computation(
		ops in 1u32..20, rows in 1u32..70, cols in 1u32..70, inner in 1u32..3000, len in 1u64..300, seed: u64, rate in 0u8..=255,
	) {
		let program = program(ops, rows, cols, inner);
		let context = context(&program, 5..5 + len, true_root(3, 5 + len));
		let mut honest = Toy::new(&program, |_| false);
		let mut wrong = Toy::new(&program, move |place| blake3::hash(&(seed, place).encode()).as_bytes()[0] <= rate);
		let game = play(
			&context,
			by_oracle(&context, Side::Defender, &mut honest),
			by_oracle(&context, Side::Challenger, &mut wrong),
		);
		prop_assert_eq!(game.winner, Side::Defender);
	}

	#[test]
	fn random_moves_never_panic_and_the_clock_ends_it(
		ops in 1u32..40, len in 1u64..300, noise in prop::collection::vec((any::<u8>(), any::<u8>(), any::<bool>(), 0u32..9), 1..200),
	) {
		let program = program(ops, 40, 40, 700);
		let context = context(&program, 0..len, [7; 32]);
		let mut defender = Toy::new(&program, |place| matches!(place, Place::State(s, _) if s > 0));
		let mut state = DisputeState::open(&context, 0).unwrap();
		let mut now = 0;
		for (kind, pick, honest, wait) in noise {
			now += wait;
			if time_out(&state, now).is_ok() {
				prop_assert!(now > state.clocks.since);
				return Ok(());
			}
			let by = state.phase.to_move();
			if let Phase::TraceReveal(claim) = &state.phase {
				defender.post = Some((claim.step, claim.post_root));
			}
			let played = match (honest, by) {
				(true, Side::Defender) => match next_move(&state, &context, by, &mut defender) {
					Ok(Some(Action::Move(Move::Concede))) | Ok(None) | Err(()) => continue,
					Ok(Some(Action::Move(played))) => played,
					Ok(Some(Action::Evidence(_))) => continue,
				},
				_ => match kind % 4 {
					0 => Move::Choose(pick % 20),
					1 => Move::Reveal(Points::new(alloc::vec![[kind; 32]; usize::from(pick % 17)]).unwrap()),
					2 => Move::RevealTrace { root: [kind; 32], post_proof: Proof::default(), children: Points::default() },
					_ => Move::ChooseOp { child: pick % 20, opening: defender.op_opening(u32::from(pick) % ops).unwrap() },
				},
			};
			prop_assert_eq!(step(&state, &context, &played, by.opponent(), now).err(), Some(Reason::NotYourMove));
			match step(&state, &context, &played, by, now) {
				Ok((next, None)) => {
					prop_assert!(next != state);
					prop_assert!(next.clocks.defender <= state.clocks.defender);
					prop_assert!(next.clocks.challenger <= state.clocks.challenger);
					state = next;
				}
				Ok((_, Some(_))) => return Ok(()),
				Err(_) => (),
			}
		}
		let outcome = time_out(&state, now + CLOCK + 1).unwrap();
		prop_assert_eq!(outcome, Outcome { winner: state.phase.to_move().opponent(), ground: Ground::TimedOut });
	}

	#[test]
	fn random_bytes_decode_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
		let _ = Move::decode(&mut &bytes[..]);
		let _ = DisputeState::decode(&mut &bytes[..]);
	}

	#[test]
	fn points_split_evenly(lo in 0u64..1 << 40, len in 2u64..1 << 33) {
		let hi = lo + len;
		let mut ends = points(lo, hi);
		prop_assert!(ends.len() <= 15);
		ends.insert(0, lo);
		ends.push(hi);
		let parts: Vec<u64> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
		let (least, most) = (parts.iter().min().unwrap(), parts.iter().max().unwrap());
		prop_assert!(*least >= 1 && most - least <= 1);
	}
}

#[test]
fn thirteen_moves_for_the_shapes_of_the_design() {
	// 16 steps, 255 ops, outputs of 256 chunks (256 x 256), 16 links (inner dimension 4096).
	assert_eq!(most_moves(16, 255, 3, 256, 16), 13);
	// The state's tree is as deep as an output's and its links.
	assert_eq!(most_moves(16, 255, 4095, 256, 16), 13);
	assert_eq!(most_moves(16, 255, 4096, 256, 16), 15);
	let program = program(255, 256, 256, 4096);
	let game = catch(&program, 0..16, |place| match place {
		Place::State(s, _) => s > 7,
		Place::Chunk(s, o, c) => s == 7 && (o > 0 || c == 99),
		Place::Accumulator(s, o, c, l) => (s, o, c) == (7, 0, 99) && l >= 5,
	});
	assert_eq!(game.moves, 13);
	assert!(game.largest <= 850, "{} bytes", game.largest);
	// A large model: 64 steps, 4095 ops, a 4096 x 4096 output, inner dimension 16384.
	assert_eq!(most_moves(64, 4095, 1024, 65_536, 64), 23);
}

#[test]
fn an_op_opening_stays_small() {
	let program = program(255, 256, 256, 4096);
	let opening = Toy::new(&program, |_| false).op_opening(200).unwrap();
	assert!(Move::ChooseOp { child: 0, opening }.encode().len() <= 2048);
}

#[test]
fn clocks_are_charged_to_the_mover() {
	let program = program(3, 40, 40, 10);
	let context = context(&program, 0..16, [7; 32]);
	let state = DisputeState::open(&context, 50).unwrap();
	assert_eq!(state.deadline(), 150);
	assert_eq!(time_out(&state, 150), Err(Reason::ClockStillRuns));
	assert_eq!(time_out(&state, 151).unwrap().reason(), Reason::WorkerClockRanOut);
	let reveal = Move::Reveal(Points::new(alloc::vec![[1; 32]; 15]).unwrap());
	assert_eq!(step(&state, &context, &reveal, Side::Defender, 151).err(), Some(Reason::ClockRanOut));
	let (state, _) = step(&state, &context, &reveal, Side::Defender, 80).unwrap();
	assert_eq!(state.clocks, Clocks { defender: 70, challenger: 100, since: 80 });
	let (state, _) = step(&state, &context, &Move::Choose(0), Side::Challenger, 90).unwrap();
	assert_eq!(state.clocks, Clocks { defender: 70, challenger: 90, since: 90 });
	assert_eq!(state.deadline(), 160);
	let (_, outcome) = step(&state, &context, &Move::Concede, Side::Challenger, 1000).unwrap();
	assert_eq!(outcome.unwrap().reason(), Reason::VerifierConceded);
}

#[test]
fn a_wrong_opening_is_refused_and_a_malformed_op_loses() {
	let good = program(3, 40, 40, 10);
	let mut broken = good.clone();
	// The output has not the shape of the sum: no claim about it can be right.
	broken.tensors[5].rows = 7;
	let context = context(&broken, 0..1, [7; 32]);
	let mut defender = Toy::new(&good, |_| false);
	defender.post = Some((0, [7; 32]));
	let state = DisputeState::open(&context, 0).unwrap();
	let Ok(Some(Action::Move(reveal))) = next_move(&state, &context, Side::Defender, &mut defender) else { panic!() };
	let (state, _) = step(&state, &context, &reveal, Side::Defender, 0).unwrap();
	let mut challenger = Toy::new(&broken, |_| false);
	let choose = |opening| Move::ChooseOp { child: 2, opening };
	let foreign = choose(defender.op_opening(2).unwrap());
	assert_eq!(step(&state, &context, &foreign, Side::Challenger, 0).err(), Some(Reason::ProofInvalid));
	let other = choose(challenger.op_opening(1).unwrap());
	assert_eq!(step(&state, &context, &other, Side::Challenger, 0).err(), Some(Reason::ProofInvalid));
	assert_eq!(step(&state, &context, &Move::Choose(2), Side::Challenger, 0).err(), Some(Reason::OpRequired));
	let opened = choose(challenger.op_opening(2).unwrap());
	let (_, outcome) = step(&state, &context, &opened, Side::Challenger, 0).unwrap();
	assert_eq!(outcome, Some(Outcome { winner: Side::Challenger, ground: Ground::Malformed }));
}

#[test]
fn a_trace_must_end_in_the_claimed_state() {
	let program = program(3, 40, 40, 10);
	let context = context(&program, 0..1, [7; 32]);
	let state = DisputeState::open(&context, 0).unwrap();
	let leaves = alloc::vec![[1; 32], [2; 32], [3; 32], [8; 32]];
	let tree = Tree::build(Combiner::Merkle(Domain::Trace), leaves.clone()).unwrap();
	let proof = tree.prove(assay_commitment::Node::leaf(3)).and_then(Proof::new).unwrap();
	let children = Points::new(leaves).unwrap();
	let wrong = Move::RevealTrace { root: tree.root(), post_proof: proof.clone(), children: children.clone() };
	assert_eq!(step(&state, &context, &wrong, Side::Defender, 0).err(), Some(Reason::ProofInvalid));
	let wrong = Move::RevealTrace { root: [0; 32], post_proof: proof, children };
	assert_eq!(step(&state, &context, &wrong, Side::Defender, 0).err(), Some(Reason::DoesNotRecombine));
}

/// A dispute that has come to the state after its only step, by a defender who claims `post_root`.
fn at_the_state(program: &Program, post_root: Hash) -> (Context, DisputeState) {
	let context = context(program, 0..1, post_root);
	let mut defender = Toy::new(program, |_| false);
	defender.post = Some((0, post_root));
	let state = DisputeState::open(&context, 0).unwrap();
	let Ok(Some(Action::Move(reveal))) = next_move(&state, &context, Side::Defender, &mut defender) else { panic!() };
	let (state, _) = step(&state, &context, &reveal, Side::Defender, 0).unwrap();
	let last = Move::Choose(program.ops.len() as u8);
	let (state, _) = step(&state, &context, &last, Side::Challenger, 0).unwrap();
	(context, state)
}

#[test]
fn a_root_of_no_state_cannot_be_revealed_and_loses_by_the_clock() {
	let program = program(3, 40, 40, 10);
	let leaves = |n: u32| (0..n).map(|leaf| Place::State(1, leaf).truth()).collect::<Vec<_>>();
	// Three tensors and the meta data make four leaves: no hash at all, and trees of other shapes.
	for (root, revealed) in
		[([7; 32], leaves(4)), (state_root(leaves(3)), leaves(3)), (state_root(leaves(5)), leaves(5))]
	{
		let (context, state) = at_the_state(&program, root);
		assert!(matches!(&state.phase, Phase::StateReveal { node, hash, .. } if node.len == 4 && *hash == root));
		let reveal = |hashes| step(&state, &context, &Move::Reveal(Points::new(hashes).unwrap()), Side::Defender, 0);
		let refused = if revealed.len() == 4 { Reason::DoesNotRecombine } else { Reason::WrongCount };
		assert_eq!(reveal(revealed).err(), Some(refused));
		assert_eq!(reveal(leaves(4)).err(), Some(Reason::DoesNotRecombine));
		let outcome = time_out(&state, CLOCK + 1).unwrap();
		assert_eq!(outcome, Outcome { winner: Side::Challenger, ground: Ground::TimedOut });
	}
}

#[test]
fn a_state_is_descended_like_a_tensor() {
	let program = program(3, 40, 40, 10);
	let (context, state) = at_the_state(&program, true_root(3, 1));
	let reveal = Move::Reveal(Points::new((0..4).map(|leaf| Place::State(1, leaf).truth()).collect()).unwrap());
	assert_eq!(step(&state, &context, &reveal, Side::Challenger, 0).err(), Some(Reason::NotYourMove));
	assert_eq!(step(&state, &context, &Move::Choose(0), Side::Defender, 0).err(), Some(Reason::WrongMove));
	let (state, _) = step(&state, &context, &reveal, Side::Defender, 0).unwrap();
	assert_eq!(step(&state, &context, &Move::Choose(4), Side::Challenger, 0).err(), Some(Reason::ChoiceOutOfRange));
	assert_eq!(step(&state, &context, &reveal, Side::Challenger, 0).err(), Some(Reason::WrongMove));
	let (state, _) = step(&state, &context, &Move::Choose(2), Side::Challenger, 0).unwrap();
	let Some(LeafClaim::State { index, hash, .. }) = state.leaf() else { panic!("no leaf") };
	assert_eq!((*index, *hash), (2, Place::State(1, 2).truth()));
	// A challenger who computed the same has nothing to point at.
	let mut same = Toy::new(&program, |_| false);
	let (context, state) = at_the_state(&program, true_root(3, 1));
	let (state, _) = step(&state, &context, &reveal, Side::Defender, 0).unwrap();
	let action = next_move(&state, &context, Side::Challenger, &mut same).unwrap();
	assert_eq!(action, Some(Action::Move(Move::Concede)));
}

#[test]
fn a_program_without_state_or_with_too_much_opens_no_dispute() {
	let mut context = context(&program(3, 40, 40, 10), 0..1, [7; 32]);
	for n_state in [0, u32::MAX] {
		context.program.n_state = n_state;
		assert_eq!(DisputeState::open(&context, 0).err(), Some(Reason::ProgramEmpty));
	}
}

#[test]
fn old_phases_keep_their_indices() {
	let (_, state) = at_the_state(&program(3, 40, 40, 10), true_root(3, 1));
	assert_eq!(state.phase.encode()[0], 10);
	let Phase::StateReveal { trace, .. } = state.phase else { panic!("phase") };
	let leaf = LeafClaim::State { trace, index: 0, hash: [0; 32] };
	assert_eq!((Phase::Leaf(leaf.clone()).encode()[0], leaf.encode()[0]), (9, 1));
}
