#![allow(missing_docs)]

use super::*;
use alloc::{borrow::Cow, boxed::Box, vec, vec::Vec};
use assay_commitment::{Combiner, Domain, Hash, Node, Tree};
use assay_program::{
	DType, Header, Init, Lane, Op, OpKind, Operand, Program, ProgramTrees, Role, TensorDecl, TensorId, Update,
};
use assay_protocol::{
	dispute::{
		rule, ChunkClaim, Clocks, Context, Descent, DisputeState, LeafClaim, LinkSpan, Move, OpClaim, Phase, Points,
		Proof, StepClaim, TraceClaim,
	},
	interfaces::Accusation,
};
use assay_referee::{build::state_tree, build_evidence, Evidence, StepData};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

const TRACE: Combiner = Combiner::Merkle(Domain::Trace);

fn bug<E>(what: &'static str) -> impl FnOnce(E) -> BenchmarkError {
	move |_| BenchmarkError::Stop(what)
}

fn none(what: &'static str) -> impl FnOnce() -> BenchmarkError {
	move || BenchmarkError::Stop(what)
}

/// A program whose first op is a product with a link of the greatest length.
fn program() -> Program {
	let decl = |name: &str, rows, cols, role| TensorDecl { name: name.into(), dtype: DType::F32, rows, cols, role };
	let t = |i| Operand::Tensor(TensorId(i));
	Program {
		header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 1, batch: 1, segment_steps: 1 },
		tensors: vec![
			decl("a", 32, 256, Role::Param(Init::Zeros)),
			decl("b", 256, 32, Role::Param(Init::Zeros)),
			decl("c", 32, 32, Role::Temp),
		],
		ops: vec![Op {
			kind: OpKind::MatMul { trans_a: false, trans_b: false },
			inputs: vec![t(0), t(1)],
			output: TensorId(2),
		}],
		updates: vec![Update { state: TensorId(0), value: TensorId(2) }],
		metrics: vec![],
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
		// 1.0 and its neighbours: products that round.
		let bytes = (0..len / 4).flat_map(|i| (0x3f80_0000u32 + (i as u32 & 0xffff)).to_le_bytes()).collect();
		Some(Cow::Owned(bytes))
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		[TensorId(0), TensorId(1)]
			.into_iter()
			.map(|id| Some(assay_commitment::tensor_root(&self.tensor(id)?)))
			.collect()
	}

	fn trace_leaf(&self, _: u32) -> Option<Hash> {
		None
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

/// Stores a dispute in this phase between the two accounts.
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
		let _ = open.try_push(0);
	});
	NextId::<T>::put(1);
	(defender, challenger)
}

/// The dispute at a leaf that is a whole link, and its evidence.
fn at_leaf<T: Config>() -> Result<(T::AccountId, Evidence), BenchmarkError> {
	let step = Step(program());
	let context = context(&step)?;
	let claim = StepClaim { step: 0, pre_root: context.pre_root, post_root: context.post_root };
	let trace = TraceClaim { step: claim, root: [6; 32], descent: Descent::default() };
	let op = OpClaim { trace, op: 0, output_root: [5; 32], chunks: 4, links: 1 };
	let chunk = ChunkClaim { op, chunk: 0, cv: [4; 32] };
	let leaf = LeafClaim::Link { chunk, span: LinkSpan { lo: 0, hi: 1, before: None, after: None } };
	let evidence = build_evidence(&step, &leaf.micro_claim(&context).target).map_err(bug("evidence"))?;
	let (defender, _) = store::<T>(context, Phase::Leaf(leaf));
	Ok((defender, evidence))
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// The choice of an op, which checks the most proofs.
	#[benchmark]
	fn play() -> Result<(), BenchmarkError> {
		let step = Step(program());
		let context = context(&step)?;
		let leaves = vec![[1; 32], context.post_root];
		let tree = Tree::build(TRACE, leaves.clone()).ok_or_else(none("leaves"))?;
		let claim = StepClaim { step: 0, pre_root: context.pre_root, post_root: context.post_root };
		let (defender, challenger) = store::<T>(context, Phase::TraceReveal(claim));
		let reveal = Move::RevealTrace {
			root: tree.root(),
			post_proof: tree.prove(Node::leaf(1)).and_then(Proof::new).ok_or_else(none("a leaf"))?,
			children: Points::new(leaves).ok_or_else(none("few"))?,
		};
		Pallet::<T>::do_play(defender, 0, reveal).map_err(bug("the trace is taken"))?;
		let trees = ProgramTrees::build(&step.0).ok_or_else(none("a program"))?;
		let opening = trees.open_op_with_decls(&step.0, 0).ok_or_else(none("an op"))?;
		let choice = Box::new(Move::ChooseOp { child: 0, opening });
		#[extrinsic_call]
		_(RawOrigin::Signed(challenger), 0, choice);
		let record = Disputes::<T>::get(0);
		assert!(record.is_some_and(|record| matches!(record.state.phase, Phase::TensorReveal { .. })));
		Ok(())
	}

	/// A micro-operation of 2^16 fused multiply-adds, with the verdict carried out by a receiver that has nothing to slash.
	#[benchmark]
	fn submit_evidence() -> Result<(), BenchmarkError> {
		let (caller, evidence) = at_leaf::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), 0, Box::new(evidence));
		assert!(!Disputes::<T>::contains_key(0));
		Ok(())
	}

	/// The referee alone.
	#[benchmark]
	fn judge() -> Result<(), BenchmarkError> {
		let (_, evidence) = at_leaf::<T>()?;
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
		let step = Step(program());
		let mut context = context(&step)?;
		context.clock = 0;
		let claim = StepClaim { step: 0, pre_root: context.pre_root, post_root: context.post_root };
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
