//! One step with everything kept: what a dispute descends through.

use assay_commitment::{layout::CHUNK_BYTES, Combiner, Domain, Hash, TensorTree, Tree};
use assay_program::{shape::is_finite, DType, TensorId};

use crate::{engine::Workspace, tensor, Engine, RunError, State, Tensor};

/// Stands where a hash would be if the run had not failed. No honest hash has this value, so whatever the other side
/// claims there is a difference.
pub const FAILED: Hash = [0xff; 32];

/// The outputs of all ops of one step, their roots, and the state after it.
///
/// If an op's output holds an infinity or NaN, the step has no state after it; the leaves from that op on are [`FAILED`],
/// and a dispute finds its first difference there.
#[derive(Debug)]
pub struct StepTrace {
	pre: State,
	post: Option<State>,
	failure: Option<u32>,
	workspace: Workspace,
	pre_tensor_roots: Vec<Hash>,
	pre_root: Hash,
	tree: Tree,
}

impl StepTrace {
	/// The state before the step.
	pub fn pre(&self) -> &State {
		&self.pre
	}

	/// The state after the step; `None` if an op failed.
	pub fn post(&self) -> Option<&State> {
		self.post.as_ref()
	}

	/// The op whose output holds an infinity or NaN.
	pub fn failure(&self) -> Option<u32> {
		self.failure
	}

	/// Root of the state before the step.
	pub fn pre_root(&self) -> Hash {
		self.pre_root
	}

	/// Root of the state after the step; [`FAILED`] if an op failed.
	pub fn post_root(&self) -> Hash {
		self.tree.leaves().last().copied().unwrap_or(FAILED)
	}

	/// The trace tree: the tensor root of each op's output, then the root of the state after the step.
	pub fn tree(&self) -> &Tree {
		&self.tree
	}

	/// Roots of the parameter and state tensors before the step, ascending by tensor id.
	pub fn pre_tensor_roots(&self) -> &[Hash] {
		&self.pre_tensor_roots
	}
}

impl Engine {
	/// Executes the step after `pre` and keeps everything. A step that fails at an op has a trace up to that op.
	pub fn trace(&self, pre: &State) -> Result<StepTrace, RunError> {
		self.check_state(pre)?;
		let end = self.program().header.steps;
		if pre.step >= end {
			return Err(RunError::OutOfRange { until: pre.step.saturating_add(1), at: pre.step, end });
		}
		let mut workspace = self.separate_workspace()?;
		let failure = match self.execute(pre, &mut workspace) {
			Ok(()) => None,
			Err(RunError::NonFinite { op, .. }) => Some(op),
			Err(error) => return Err(error),
		};
		let mut leaves = Vec::with_capacity(self.program().ops.len() + 1);
		for (op, index) in self.program().ops.iter().zip(0u32..) {
			let spec = self.spec(op.output);
			let bits = workspace.temp(op.output, &spec).ok_or(RunError::Commitment)?;
			let failed = failure.is_some_and(|failure| index >= failure);
			leaves.push(if failed { FAILED } else { tensor::root(&spec, bits) });
		}
		let post = failure.is_none().then(|| {
			let mut post = pre.clone();
			self.assign(&mut post, &workspace);
			post
		});
		leaves.push(match &post {
			Some(post) => self.state_root(post)?,
			None => FAILED,
		});
		let pre_tensor_roots = self.state_tensor_roots(pre);
		let pre_root = self.root_of(pre.step, &pre_tensor_roots)?;
		let tree = Tree::build(Combiner::Merkle(Domain::Trace), leaves).ok_or(RunError::Commitment)?;
		Ok(StepTrace { pre: pre.clone(), post, failure, workspace, pre_tensor_roots, pre_root, tree })
	}

	/// The tensor `id` as it was in the traced step: an op's output, data, or state before the step. `None` if the program
	/// has no such tensor.
	pub fn traced_tensor(&self, trace: &StepTrace, id: TensorId) -> Option<Tensor> {
		self.program().decl(id)?;
		let matrix = self.matrix(id, &trace.pre, &trace.workspace);
		Some(Tensor::from_parts(self.spec(id), matrix.bits.to_vec()))
	}

	/// Canonical bytes of [`Engine::traced_tensor`].
	pub(crate) fn traced_bytes(&self, trace: &StepTrace, id: TensorId) -> Option<Vec<u8>> {
		self.program().decl(id)?;
		let matrix = self.matrix(id, &trace.pre, &trace.workspace);
		Some(tensor::canonical(&self.spec(id), matrix.bits))
	}

	/// The BLAKE3 tree of an op's output in the traced step. Of the op that failed, chunks that hold an infinity or NaN are
	/// [`FAILED`]; later ops have no tree.
	pub fn traced_tree(&self, trace: &StepTrace, op: u32) -> Option<Tree> {
		let output = self.program().ops.get(op as usize)?.output;
		let bytes = self.traced_bytes(trace, output)?;
		let tree = TensorTree::build(&bytes)?.tree().clone();
		match trace.failure {
			Some(failure) if op > failure => None,
			Some(failure) if op == failure && self.spec(output).dtype == DType::F32 => {
				let leaves = tree.leaves().iter().zip(bytes.chunks_exact(CHUNK_BYTES)).map(|(leaf, chunk)| {
					let finite = |word: &[u8]| word.try_into().is_ok_and(|word| is_finite(u32::from_le_bytes(word)));
					if chunk.chunks_exact(4).all(finite) {
						*leaf
					} else {
						FAILED
					}
				});
				Tree::build(Combiner::Blake3Cv, leaves.collect())
			},
			_ => Some(tree),
		}
	}
}
