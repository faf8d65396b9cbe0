//! One step with everything kept: what a dispute descends through.

use std::borrow::Cow;

use assay_commitment::{chunk_cv, layout::CHUNK_BYTES, Combiner, Domain, Hash, StateTree, Tree};
use assay_program::{shape::is_finite, DType, TensorId};

use crate::{plan::Place, tensor, workspace::Workspace, Engine, RunError, State, Tensor};

/// The outputs of all ops of one step, their roots, and the state after it.
///
/// If an op's output holds an infinity or NaN, the step has no state after it, and that op and later ones have no leaf:
/// whatever the other side of a dispute claims there is a difference.
#[derive(Debug)]
pub struct StepTrace {
	pre: State,
	post: Option<State>,
	failure: Option<u32>,
	workspace: Workspace,
	pre_tensor_roots: Vec<Hash>,
	pre_root: Hash,
	leaves: Vec<Option<Hash>>,
	post_leaves: Option<Vec<Hash>>,
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

	/// Root of the state after the step; `None` if an op failed.
	pub fn post_root(&self) -> Option<Hash> {
		self.leaves.last().copied().flatten()
	}

	/// Leaves of the trace tree: the tensor root of each op's output, then the root of the state after the step.
	pub fn leaves(&self) -> &[Option<Hash>] {
		&self.leaves
	}

	/// The trace tree; `None` if an op failed.
	pub fn tree(&self) -> Option<Tree> {
		let leaves = self.leaves.iter().copied().collect::<Option<Vec<_>>>()?;
		Tree::build(Combiner::Merkle(Domain::Trace), leaves)
	}

	/// Leaves of the tree under the root of the state after the step; `None` if an op failed.
	pub fn post_leaves(&self) -> Option<&[Hash]> {
		self.post_leaves.as_deref()
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
			leaves.push((!failed).then(|| tensor::root(&spec, bits)));
		}
		let post = failure.is_none().then(|| {
			let mut post = pre.clone();
			self.assign(&mut post, &workspace);
			post
		});
		let post_tree =
			post.as_ref().map(|post| self.state_tree(post.step, &self.state_tensor_roots(post))).transpose()?;
		leaves.push(post_tree.as_ref().map(StateTree::root));
		let post_leaves = post_tree.map(|tree| tree.leaves().to_vec());
		let pre_tensor_roots = self.state_tensor_roots(pre);
		let pre_root = self.root_of(pre.step, &pre_tensor_roots)?;
		Ok(StepTrace { pre: pre.clone(), post, failure, workspace, pre_tensor_roots, pre_root, leaves, post_leaves })
	}

	/// The tensor `id` as it was in the traced step: an op's output, data, or state before the step. `None` if the program
	/// has no such tensor.
	pub fn traced_tensor(&self, trace: &StepTrace, id: TensorId) -> Option<Tensor> {
		self.program().decl(id)?;
		Some(Tensor::from_words(self.spec(id), self.traced_words(trace, id).into_owned()))
	}

	/// Canonical bytes of [`Engine::traced_tensor`].
	pub(crate) fn traced_bytes(&self, trace: &StepTrace, id: TensorId) -> Option<Vec<u8>> {
		self.program().decl(id)?;
		Some(tensor::canonical(&self.spec(id), &self.traced_words(trace, id)))
	}

	fn traced_words<'a>(&'a self, trace: &'a StepTrace, id: TensorId) -> Cow<'a, [u32]> {
		match trace.workspace.plan.places[id.0 as usize] {
			Place::Data(position) => match self.data[position].tensor() {
				Cow::Borrowed(tensor) => Cow::Borrowed(tensor.words()),
				Cow::Owned(tensor) => Cow::Owned(tensor.into_words()),
			},
			_ => Cow::Borrowed(self.matrix(id, &trace.pre, &trace.workspace).bits),
		}
	}

	/// Chaining values of the chunks of an op's output in the traced step. Of the op that failed, chunks that hold an infinity
	/// or NaN have none. `None` if the program has no such op or an earlier one failed.
	pub fn traced_chunks(&self, trace: &StepTrace, op: u32) -> Option<Vec<Option<Hash>>> {
		let output = self.program().ops.get(op as usize)?.output;
		if trace.failure.is_some_and(|failure| op > failure) {
			return None;
		}
		let bytes = self.traced_bytes(trace, output)?;
		let must_be_finite = self.spec(output).dtype == DType::F32;
		let finite = |word: &[u8]| word.try_into().is_ok_and(|word| is_finite(u32::from_le_bytes(word)));
		let value = |(chunk, index): (&[u8], u32)| {
			let exists = !must_be_finite || chunk.chunks_exact(4).all(finite);
			exists.then(|| chunk_cv(index, chunk)).flatten()
		};
		Some(bytes.chunks_exact(CHUNK_BYTES).zip(0u32..).map(value).collect())
	}
}
