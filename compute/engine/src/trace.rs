//! One step with everything kept: what a dispute descends through.

use assay_commitment::{Combiner, Domain, Hash, Tree};
use assay_program::TensorId;

use crate::{engine::Workspace, tensor, Engine, RunError, State, Tensor};

/// The outputs of all ops of one step, their roots, and the state after it.
pub struct StepTrace {
	pre: State,
	post: State,
	workspace: Workspace,
	output_roots: Vec<Hash>,
	pre_tensor_roots: Vec<Hash>,
	pre_root: Hash,
	post_root: Hash,
	tree: Tree,
}

impl StepTrace {
	/// The state before the step.
	pub fn pre(&self) -> &State {
		&self.pre
	}

	/// The state after the step.
	pub fn post(&self) -> &State {
		&self.post
	}

	/// Root of the state before the step.
	pub fn pre_root(&self) -> Hash {
		self.pre_root
	}

	/// Root of the state after the step.
	pub fn post_root(&self) -> Hash {
		self.post_root
	}

	/// The trace tree: the tensor root of each op's output, then the root of the state after the step.
	pub fn tree(&self) -> &Tree {
		&self.tree
	}

	/// Tensor root of each op's output.
	pub fn output_roots(&self) -> &[Hash] {
		&self.output_roots
	}

	/// Roots of the parameter and state tensors before the step, ascending by tensor id.
	pub fn pre_tensor_roots(&self) -> &[Hash] {
		&self.pre_tensor_roots
	}

	pub(crate) fn workspace(&self) -> &Workspace {
		&self.workspace
	}
}

impl Engine {
	/// Executes the step after `pre` and keeps everything.
	pub fn trace(&self, pre: &State) -> Result<StepTrace, RunError> {
		self.check_state(pre)?;
		let end = self.program().header.steps;
		if pre.step >= end {
			return Err(RunError::OutOfRange { until: pre.step.saturating_add(1), at: pre.step, end });
		}
		let mut workspace = self.separate_workspace()?;
		self.execute(pre, &mut workspace)?;
		let output_roots: Vec<Hash> = self
			.program()
			.ops
			.iter()
			.map(|op| {
				let spec = self.spec(op.output);
				workspace.temp(op.output, &spec).map(|bits| tensor::root(&spec, bits)).ok_or(RunError::Commitment)
			})
			.collect::<Result<_, _>>()?;
		let mut post = pre.clone();
		self.assign(&mut post, &workspace);
		let pre_tensor_roots = self.state_tensor_roots(pre);
		let pre_root = self.root_of(pre.step, &pre_tensor_roots)?;
		let post_root = self.state_root(&post)?;
		let leaves = output_roots.iter().copied().chain([post_root]).collect();
		let tree = Tree::build(Combiner::Merkle(Domain::Trace), leaves).ok_or(RunError::Commitment)?;
		Ok(StepTrace { pre: pre.clone(), post, workspace, output_roots, pre_tensor_roots, pre_root, post_root, tree })
	}

	/// The tensor `id` as it was in the traced step: an op's output, data, or state before the step.
	pub fn traced_tensor(&self, trace: &StepTrace, id: TensorId) -> Option<Tensor> {
		self.program().decl(id)?;
		let matrix = self.matrix(id, &trace.pre, &trace.workspace);
		Some(Tensor::from_parts(self.spec(id), matrix.bits.to_vec()))
	}
}
