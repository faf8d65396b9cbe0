//! The dearest move, the dearest evidence of both kinds, and an end of a dispute without what its receiver does.
#![allow(missing_docs)]

use super::*;
use alloc::{borrow::Cow, boxed::Box, vec, vec::Vec};
use assay_commitment::{frontier, ChunkOpening, Combiner, Domain, Hash, Node, TensorTree, Tree};
use assay_program::{
	types::MAX_NAME, DType, Header, Init, Lane, Op, OpKind, Operand, Program, ProgramTrees, Role, TensorDecl, TensorId,
	UnaryKind, Update,
};
use assay_protocol::{
	dispute::{
		rule, ChunkClaim, Clocks, Context, Descent, DisputeState, LeafClaim, LinkSpan, Move, OpClaim, Phase, Points,
		Revealed, StepClaim, TraceClaim, MAX_EVIDENCE,
	},
	interfaces::Accusation,
	plan::{MAX_OPS, MAX_TENSORS},
};
use assay_referee::{
	build::{run_chain, state_tree},
	build_evidence, Evidence, StepData,
};
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;

const KIB: usize = 1 << 10;
const MOST_OPENED: u32 = (MAX_EVIDENCE >> 10) as u32;

fn bug<E>(what: &'static str) -> impl FnOnce(E) -> BenchmarkError {
	move |_| BenchmarkError::Stop(what)
}

fn none(what: &'static str) -> impl FnOnce() -> BenchmarkError {
	move || BenchmarkError::Stop(what)
}

fn t(id: u32) -> Operand {
	Operand::Tensor(TensorId(id))
}

fn decl(name: &[u8], rows: u32, cols: u32, role: Role) -> TensorDecl {
	TensorDecl { name: name.to_vec(), dtype: DType::F32, rows, cols, role }
}

fn program(tensors: Vec<TensorDecl>, ops: Vec<Op>, updates: Vec<Update>) -> Program {
	let header = Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 1, batch: 1, segment_steps: 1 };
	Program { header, tensors, ops, updates, metrics: vec![] }
}

/// A product whose second link, the last, takes `inner` elements.
fn product(inner: u32) -> Program {
	let inner = LINK + inner;
	program(
		vec![
			decl(b"a", 32, inner, Role::Param(Init::Zeros)),
			decl(b"b", inner, 32, Role::Param(Init::Zeros)),
			decl(b"c", 32, 32, Role::Temp),
		],
		vec![Op {
			kind: OpKind::MatMul { trans_a: false, trans_b: false },
			inputs: vec![t(0), t(1)],
			output: TensorId(2),
		}],
		vec![Update { state: TensorId(0), value: TensorId(2) }],
	)
}

/// Inner elements of a link of [`product`], elements of its chunk, and operations that end a chain of each element.
const LINK: u32 = 256;
const ELEMENTS: u32 = 256;
const FOLD: u32 = 32;

/// As many ops and tensors as a program may have: the longest proofs.
fn longest() -> Program {
	let op = Op { kind: OpKind::Fma, inputs: vec![t(0), t(1), t(2)], output: TensorId(3) };
	program(
		(0..MAX_TENSORS).map(|_| decl(b"t", 32, 32, Role::Temp)).collect(),
		vec![op; MAX_OPS as usize],
		vec![Update { state: TensorId(0), value: TensorId(3) }],
	)
}

/// As many state tensors, ops and updates as a program may have, names of full length: the longest proofs about the end of a
/// step.
fn largest_state() -> Program {
	let last = MAX_TENSORS - 1;
	let name = [b'n'; MAX_NAME];
	let op = Op { kind: OpKind::Unary(UnaryKind::Neg), inputs: vec![t(0)], output: TensorId(last) };
	let params = (0..last).map(|_| decl(&name, 1, 1, Role::Param(Init::Zeros)));
	program(
		params.chain([decl(&name, 1, 1, Role::Temp)]).collect(),
		vec![op; MAX_OPS as usize],
		vec![Update { state: TensorId(0), value: TensorId(last) }; MAX_TENSORS as usize],
	)
}

/// The end of a step whose values nobody asks for.
struct End {
	program: Program,
	trace: Tree,
}

impl StepData for End {
	fn program(&self) -> &Program {
		&self.program
	}

	fn step(&self) -> u64 {
		0
	}

	fn tensor(&self, _: TensorId) -> Option<Cow<'_, [u8]>> {
		None
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		Some(vec![[2; 32]; self.program.state_tensors().count()])
	}

	fn trace_leaf(&self, op: u32) -> Option<Hash> {
		self.trace.leaves().get(op as usize).copied()
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		self.trace.prove(Node::leaf(op))
	}
}

/// The only step.
struct Step(Program);

impl StepData for Step {
	fn program(&self) -> &Program {
		&self.0
	}

	fn step(&self) -> u64 {
		0
	}

	fn tensor(&self, id: TensorId) -> Option<Cow<'_, [u8]>> {
		let len = self.0.decl(id)?.spec().layout().ok()?.byte_len();
		let mut random = id.0;
		// In [1, 2) and (-2, -1]: products round and sums cancel.
		let element = |_| {
			random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
			(0x3f80_0000 | (random & 0x807f_ffff)).to_le_bytes()
		};
		Some(Cow::Owned((0..len / 4).flat_map(element).collect()))
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		self.0.state_tensors().map(|(id, _)| Some(assay_commitment::tensor_root(&self.tensor(id)?))).collect()
	}

	fn trace_leaf(&self, op: u32) -> Option<Hash> {
		(op < self.0.ops.len() as u32).then_some([1; 32])
	}

	fn trace_proof(&self, _: u32) -> Option<Vec<Hash>> {
		None
	}
}

fn context(step: &Step) -> Result<Context, BenchmarkError> {
	let roots = step.state_roots().ok_or_else(none("roots"))?;
	let pre_root = state_tree(&step.0, 0, &roots).map_err(bug("a state"))?.root();
	let program = step.0.commitment().ok_or_else(none("a program"))?;
	Ok(Context { program, first_step: 0, end_step: 1, pre_root, post_root: [8; 32], clock: 1_000 })
}

fn claim(context: &Context) -> StepClaim {
	StepClaim { step: 0, pre_root: context.pre_root, post_root: context.post_root }
}

/// Stores a dispute in this phase between the two accounts, the first of as many as a job can have.
fn store<T: Config>(context: Context, phase: Phase) -> (T::AccountId, T::AccountId) {
	let (defender, challenger): (T::AccountId, T::AccountId) = (account("defender", 0, 0), account("challenger", 0, 0));
	let accusation = Accusation {
		job: 0,
		attempt: 0,
		milestone: 0,
		segment: 0,
		defender: defender.clone(),
		challenger: challenger.clone(),
		pre_root: context.pre_root,
		claimed_root: context.post_root,
		found_root: [7; 32],
	};
	let now = Pallet::<T>::now();
	let clocks = Clocks { defender: context.clock, challenger: context.clock, since: now };
	let state = DisputeState { phase, clocks };
	Disputes::<T>::insert(0, DisputeRecordOf::<T> { accusation, context, state, opened_at: now, moves: 0, bytes: 0 });
	OpenByJob::<T>::mutate(0, |open| {
		for id in 0..T::MaxOpenPerJob::get() {
			let _ = open.try_push(id.into());
		}
	});
	NextId::<T>::put(u64::from(T::MaxOpenPerJob::get()));
	(defender, challenger)
}

/// The dispute at a leaf whose micro-operation takes `ops` scalar operations, and its evidence.
fn at_link<T: Config>(ops: u32) -> Result<(T::AccountId, Evidence), BenchmarkError> {
	let step = Step(product(ops / ELEMENTS - FOLD));
	let context = context(&step)?;
	let before = run_chain(&step, 0, 0).map_err(bug("a chain"))?.hashes(0, 0).pop();
	let trace = TraceClaim { step: claim(&context), root: [6; 32], descent: Descent::default() };
	let op = OpClaim { trace, op: 0, output_root: [5; 32], chunks: 4, links: 2 };
	let chunk = ChunkClaim { op, chunk: 0, cv: [4; 32] };
	let leaf = LeafClaim::Link { chunk, span: LinkSpan { lo: 1, hi: 2, before, after: None } };
	let evidence = build_evidence(&step, &leaf.micro_claim(&context).target).map_err(bug("evidence"))?;
	let (defender, _) = store::<T>(context, Phase::Leaf(leaf));
	Ok((defender, evidence))
}

/// The dispute at a tensor of the state after a step, which an update assigns, and its evidence.
fn at_state<T: Config>() -> Result<(T::AccountId, Evidence), BenchmarkError> {
	let program = largest_state();
	let post_root = [8; 32];
	let mut leaves = vec![[1; 32]; program.ops.len()];
	leaves.push(post_root);
	let trace = Tree::build(Combiner::Merkle(Domain::Trace), leaves).ok_or_else(none("leaves"))?;
	let step = End { program, trace };
	let roots = step.state_roots().ok_or_else(none("roots"))?;
	let context = Context {
		program: step.program.commitment().ok_or_else(none("a program"))?,
		first_step: 0,
		end_step: 1,
		pre_root: state_tree(&step.program, 0, &roots).map_err(bug("a state"))?.root(),
		post_root,
		clock: 1_000,
	};
	let trace = TraceClaim { step: claim(&context), root: step.trace.root(), descent: Descent::default() };
	let leaf = LeafClaim::State { trace, index: 1, hash: [4; 32] };
	let evidence = build_evidence(&step, &leaf.micro_claim(&context).target).map_err(bug("evidence"))?;
	let (defender, _) = store::<T>(context, Phase::Leaf(leaf));
	Ok((defender, evidence))
}

/// The choice of the first op of a program, once everything above it in the trace is revealed.
fn at_choice<T: Config>(program: Program) -> Result<(T::AccountId, Move), BenchmarkError> {
	let step = Step(program);
	let context = Context {
		program: step.0.commitment().ok_or_else(none("a program"))?,
		first_step: 0,
		end_step: 1,
		pre_root: [7; 32],
		post_root: [8; 32],
		clock: 1_000,
	};
	let leaves = context.program.n_ops + 1;
	let mut descent = Descent::default();
	let mut node = Node::whole(leaves);
	while !node.is_leaf() {
		let below = frontier(node, leaves);
		let children = Points::new(vec![[1; 32]; below.len()]).ok_or_else(none("a frontier"))?;
		descent = descent.with(Revealed { node, children }).ok_or_else(none("a deep trace"))?;
		node = *below.first().ok_or_else(none("a frontier"))?;
	}
	let trees = ProgramTrees::build(&step.0).ok_or_else(none("a program"))?;
	let opening = trees.open_op_with_decls(&step.0, 0).ok_or_else(none("an op"))?;
	let trace = TraceClaim { step: claim(&context), root: [6; 32], descent };
	let (_, challenger) = store::<T>(context, Phase::TraceChoose(trace));
	Ok((challenger, Move::ChooseOp { child: 0, opening }))
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// The choice of an op, which checks the most proofs, in the largest program.
	#[benchmark]
	fn play() -> Result<(), BenchmarkError> {
		let (challenger, choice) = at_choice::<T>(longest())?;
		#[extrinsic_call]
		_(RawOrigin::Signed(challenger), 0, Box::new(choice));
		let record = Disputes::<T>::get(0);
		assert!(record.is_some_and(|record| matches!(record.state.phase, Phase::TensorReveal { .. })));
		Ok(())
	}

	/// A move of `b` KiB, refused for its size.
	#[benchmark]
	fn play_refused(b: Linear<9, 512>) -> Result<(), BenchmarkError> {
		let (challenger, mut choice) = at_choice::<T>(product(1))?;
		if let Move::ChooseOp { opening, .. } = &mut choice {
			opening.op.proof = vec![[1; 32]; b as usize * KIB / 32];
		}
		let choice = choice.encode();
		let result;
		#[block]
		{
			result = Move::decode(&mut choice.as_slice()).map(|choice| Pallet::<T>::do_play(challenger, 0, choice));
		}
		assert!(matches!(result, Ok(Err(_))));
		Ok(())
	}

	/// A micro-operation of `o` scalar operations, up to the largest that there is. What the receiver of the verdict does is
	/// not in it.
	#[benchmark]
	fn submit_evidence(
		o: Linear<{ ELEMENTS * (1 + FOLD) }, { ELEMENTS * (LINK + FOLD) }>,
	) -> Result<(), BenchmarkError> {
		let (caller, evidence) = at_link::<T>(o)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), 0, Box::new(evidence));
		assert!(!Disputes::<T>::contains_key(0));
		Ok(())
	}

	/// A tensor of the state after a step, in the largest program.
	#[benchmark]
	fn submit_state() -> Result<(), BenchmarkError> {
		let (caller, evidence) = at_state::<T>()?;
		#[extrinsic_call]
		submit_evidence(RawOrigin::Signed(caller), 0, Box::new(evidence));
		assert!(!Disputes::<T>::contains_key(0));
		Ok(())
	}

	/// Openings of `b` KiB of a tensor, decoded and verified: the part of evidence about a micro-operation that grows with
	/// its bytes and not with its operations.
	#[benchmark]
	fn openings(b: Linear<4, MOST_OPENED>) -> Result<(), BenchmarkError> {
		let tensor = vec![7; MOST_OPENED as usize * KIB];
		let tree = TensorTree::build(&tensor).ok_or_else(none("chunks"))?;
		let opened = (0..b / 4).map(|tile| tree.open(&tensor, tile * 4, 2)).collect::<Option<Vec<_>>>();
		let opened = opened.ok_or_else(none("tiles"))?.encode();
		let verified;
		#[block]
		{
			verified = Vec::<ChunkOpening>::decode(&mut opened.as_slice())
				.is_ok_and(|all| all.iter().all(|opening| opening.verify(&tree.root(), MOST_OPENED).is_ok()));
		}
		assert!(verified);
		Ok(())
	}

	/// The referee alone, on the largest micro-operation.
	#[benchmark(extra)]
	fn judge() -> Result<(), BenchmarkError> {
		let (_, evidence) = at_link::<T>(ELEMENTS * (LINK + FOLD))?;
		let record = Disputes::<T>::get(0).ok_or_else(none("a record"))?;
		let outcome;
		#[block]
		{
			outcome = rule(&record.state, &record.context, &evidence);
		}
		assert!(outcome.is_ok());
		Ok(())
	}

	#[benchmark]
	fn timeout() -> Result<(), BenchmarkError> {
		let step = Step(product(1));
		let mut context = context(&step)?;
		context.clock = 0;
		let claim = claim(&context);
		let (defender, _) = store::<T>(context, Phase::TraceReveal(claim));
		frame_system::Pallet::<T>::set_block_number(frame_system::Pallet::<T>::block_number() + 5u32.into());
		#[extrinsic_call]
		_(RawOrigin::Signed(defender), 0);
		assert!(!Disputes::<T>::contains_key(0));
		Ok(())
	}

	impl_benchmark_test_suite! {
		Pallet,
		crate::mock::ext(),
		crate::mock::Test
	}
}
