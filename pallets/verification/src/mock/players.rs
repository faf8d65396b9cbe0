//! Both sides of a dispute, each moving by its own run only.

use super::program::Run;
use assay_commitment::{Combiner, Domain, Hash, Node, TensorTree, Tree};
use assay_program::TensorId;
use assay_protocol::{
	dispute::{points, Move, OpClaim, Phase},
	records::disputes::DisputeRecord,
};
use assay_referee::{build_evidence, run_chain, ClaimedTree, Evidence, StepData};
use std::borrow::Cow;

const TRACE: Combiner = Combiner::Merkle(Domain::Trace);

/// A step of a run, as the evidence builder and the chains read it.
struct Step<'a> {
	run: &'a Run,
	step: u64,
	claimed: Option<&'a ClaimedTree>,
}

impl StepData for Step<'_> {
	fn program(&self) -> &assay_program::Program {
		&self.run.program
	}

	fn step(&self) -> u64 {
		self.step
	}

	fn tensor(&self, id: TensorId) -> Option<Cow<'_, [u8]>> {
		let bits = self.run.data.get(&id).or_else(|| self.run.states[self.step as usize].get(&id)).or_else(|| {
			let op = self.run.program.ops.iter().position(|op| op.output == id)?;
			self.run.steps[self.step as usize].outputs.get(op)
		})?;
		self.run.program.decl(id)?.spec().layout().ok()?.to_canonical(bits).ok().map(Cow::Owned)
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		assay_referee::whole::state_roots(&self.run.program, &self.run.states[self.step as usize]).ok()
	}

	fn trace_leaf(&self, op: u32) -> Option<Hash> {
		self.claimed?.leaf(op).or_else(|| self.run.trace(self.step).get(op as usize).copied())
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		self.claimed?.prove(op)
	}
}

fn output_tree(run: &Run, op: &OpClaim) -> TensorTree {
	let id = run.program.ops[op.op as usize].output;
	let data = Step { run, step: op.trace.step.step, claimed: None };
	TensorTree::build(&data.tensor(id).expect("an output")).expect("whole chunks")
}

fn frontier_move(tree: &Tree, node: Node) -> Move {
	Move::Reveal(frontier(tree, node))
}

fn frontier(tree: &Tree, node: Node) -> assay_protocol::dispute::Points {
	assay_protocol::dispute::Points::new(tree.frontier(node).expect("a node")).expect("at most 16")
}

/// The worker's next move.
pub(crate) fn defend<A>(run: &Run, record: &DisputeRecord<A>) -> Move {
	match &record.state.phase {
		Phase::StepsReveal(span) => {
			let roots = points(span.lo, span.hi).into_iter().map(|step| run.roots[step as usize]).collect();
			Move::Reveal(assay_protocol::dispute::Points::new(roots).expect("at most 15"))
		},
		Phase::TraceReveal(step) => {
			let tree = Tree::build(TRACE, run.trace(step.step)).expect("leaves");
			let last = Node::leaf(tree.n() - 1);
			Move::RevealTrace {
				root: tree.root(),
				post_proof: assay_protocol::dispute::Proof::new(tree.prove(last).expect("a leaf")).expect("short"),
				children: frontier(&tree, Node::whole(tree.n())),
			}
		},
		Phase::TraceDescend { trace, node, .. } => {
			frontier_move(&Tree::build(TRACE, run.trace(trace.step.step)).expect("leaves"), *node)
		},
		Phase::TensorReveal { op, node, .. } => frontier_move(output_tree(run, op).tree(), *node),
		Phase::LinksReveal { chunk, span } => {
			let data = Step { run, step: chunk.op.trace.step.step, claimed: None };
			let hashes = run_chain(&data, chunk.op.op, chunk.chunk).expect("a chain").hashes(chunk.op.op, chunk.chunk);
			let ends = points(span.lo.into(), span.hi.into());
			let hashes = ends.into_iter().map(|end| hashes[end as usize - 1]).collect();
			Move::Reveal(assay_protocol::dispute::Points::new(hashes).expect("at most 15"))
		},
		other => panic!("not the worker's move: {other:?}"),
	}
}

/// A verifier in a dispute: its run and what the worker has revealed of its trace.
pub(crate) struct Challenger<'a> {
	run: &'a Run,
	claimed: Option<ClaimedTree>,
}

impl<'a> Challenger<'a> {
	pub(crate) fn new(run: &'a Run) -> Self {
		Self { run, claimed: None }
	}

	/// The verifier's next move.
	pub(crate) fn choose<A>(&mut self, record: &DisputeRecord<A>) -> Move {
		let first_wrong = |own: &[Hash], revealed: &[Hash]| {
			own.iter().zip(revealed).position(|(own, revealed)| own != revealed).unwrap_or(revealed.len()) as u8
		};
		match &record.state.phase {
			Phase::StepsChoose { span, interior } => {
				let own: Vec<Hash> =
					points(span.lo, span.hi).into_iter().map(|step| self.run.roots[step as usize]).collect();
				Move::Choose(first_wrong(&own, interior))
			},
			Phase::TraceChoose { trace, node, children } => {
				let own = self.run.trace(trace.step.step);
				let tree = self
					.claimed
					.get_or_insert_with(|| ClaimedTree::new(TRACE, trace.root, own.clone()).expect("leaves"));
				assert!(tree.reveal(*node, children), "the chain accepts only frontiers that recombine");
				let chosen = tree.first_difference(*node).expect("the roots differ");
				let child = assay_commitment::frontier(*node, own.len() as u32)
					.iter()
					.position(|child| *child == chosen)
					.expect("of this frontier") as u8;
				if !chosen.is_leaf() || chosen.start as usize + 1 == own.len() {
					return Move::Choose(child);
				}
				let opening = self.run.trees.open_op_with_decls(&self.run.program, chosen.start).expect("an op");
				Move::ChooseOp { child, opening }
			},
			Phase::TensorChoose { op, node, children } => {
				let own = output_tree(self.run, op).tree().frontier(*node).expect("a node");
				Move::Choose(first_wrong(&own, children))
			},
			Phase::LinksChoose { chunk, span, interior } => {
				let data = Step { run: self.run, step: chunk.op.trace.step.step, claimed: None };
				let hashes = run_chain(&data, chunk.op.op, chunk.chunk).expect("a chain").hashes(chunk.op.op, chunk.chunk);
				let own: Vec<Hash> =
					points(span.lo.into(), span.hi.into()).into_iter().map(|end| hashes[end as usize - 1]).collect();
				Move::Choose(first_wrong(&own, interior))
			},
			other => panic!("not the verifier's move: {other:?}"),
		}
	}

	/// Evidence for the leaf.
	pub(crate) fn evidence<A>(&self, record: &DisputeRecord<A>) -> Evidence {
		let claim = record.state.leaf().expect("at the leaf").micro_claim(&record.context);
		let data = Step { run: self.run, step: claim.step, claimed: self.claimed.as_ref() };
		build_evidence(&data, &claim.target).expect("the verifier has executed the step")
	}
}
