//! States: the first one, their tensors, their roots.

use assay_commitment::{Hash, StateLeaf, StateMeta, StateTree};
use assay_program::{philox::Key, Init, Role, TensorId, TensorSpec};
use rayon::prelude::*;

use crate::{Engine, RunError, State, Tensor};

impl Engine {
	/// The state before the first step.
	pub fn initial_state(&self) -> State {
		let key = Key::init(&self.program.header.seed);
		let tensors = self
			.program
			.state_tensors()
			.map(|(id, decl)| {
				let spec = decl.spec();
				match decl.role {
					Role::Param(Init::Constant(bits)) | Role::State(Init::Constant(bits)) => Tensor::filled(spec, bits),
					// Of f32 tensors only.
					Role::Param(Init::Uniform { bound, stream }) | Role::State(Init::Uniform { bound, stream }) => {
						let element = |element| key.uniform(stream, element as u32, bound);
						Tensor::from_words(spec, (0..spec.elements()).map(element).collect())
					}
					Role::Param(Init::Given { .. }) | Role::State(Init::Given { .. }) => self.given_value(id, spec),
					_ => Tensor::filled(spec, 0),
				}
			})
			.collect();
		State::new(0, tensors)
	}

	/// The given initial value of a tensor: [`Engine::with_limits`] found one for each that needs one.
	fn given_value(&self, id: TensorId, spec: TensorSpec) -> Tensor {
		self.data_tensor(id).unwrap_or_else(|| Tensor::filled(spec, 0))
	}

	/// A parameter or state tensor of a state of this program.
	pub fn state_tensor(&self, state: &State, id: TensorId) -> Option<Tensor> {
		let position = self.states.iter().position(|state| *state == id)?;
		state.tensors().get(position).cloned()
	}

	/// A data tensor of the program, or a given initial value.
	pub fn data_tensor(&self, id: TensorId) -> Option<Tensor> {
		if let Ok(position) = self.given.binary_search_by_key(&id, |(id, _)| *id) {
			return self.given.get(position).map(|(_, tensor)| tensor.clone());
		}
		let data = self.program.tensors.iter().zip(0u32..).filter(|(decl, _)| matches!(decl.role, Role::Data { .. }));
		let position = data.map(|(_, id)| id).position(|data| data == id.0)?;
		self.data.get(position).map(|data| data.tensor().into_owned())
	}

	/// A parameter or state tensor by name.
	pub fn state_tensor_named(&self, state: &State, name: &str) -> Option<Tensor> {
		let (id, _) = self.program.state_tensors().find(|(_, decl)| decl.name == name.as_bytes())?;
		self.state_tensor(state, id)
	}

	/// The initial state with the tensors that `source` returns by name put in place. Carries trained parameters into
	/// another program. [`RunError::ForeignState`] if one has another type or shape.
	pub fn initial_state_with(&self, source: impl Fn(&str) -> Option<Tensor>) -> Result<State, RunError> {
		let mut state = self.initial_state();
		for (position, (_, decl)) in self.program.state_tensors().enumerate() {
			let name = core::str::from_utf8(&decl.name).map_err(|_| RunError::ForeignState)?;
			if let Some(tensor) = source(name) {
				if tensor.spec() != decl.spec() {
					return Err(RunError::ForeignState);
				}
				state.assign(position, tensor.words());
			}
		}
		Ok(state)
	}

	/// As [`Engine::initial_state_with`], after `step` steps.
	pub fn state_at(&self, step: u64, source: impl Fn(&str) -> Option<Tensor>) -> Result<State, RunError> {
		let mut state = self.initial_state_with(source)?;
		state.step = step;
		self.check_state(&state)?;
		Ok(state)
	}

	/// The root of a state, hashed on the device that holds it, or on the CPU.
	pub fn state_root(&self, state: &State) -> Result<Hash, RunError> {
		self.check_state(state)?;
		let roots = self.device_roots(state).unwrap_or_else(|| self.state_tensor_roots(state));
		self.root_of(state.step, &roots)
	}

	/// Roots of the parameter and state tensors, ascending by tensor id.
	pub(crate) fn state_tensor_roots(&self, state: &State) -> Vec<Hash> {
		let elements: u64 = state.tensors().iter().map(|tensor| tensor.spec().elements()).sum();
		if elements < 1 << 16 {
			return state.tensors().iter().map(Tensor::root).collect();
		}
		self.cpu.pool().install(|| state.tensors().par_iter().map(Tensor::root).collect())
	}

	pub(crate) fn root_of(&self, step: u64, roots: &[Hash]) -> Result<Hash, RunError> {
		self.state_tree(step, roots).map(|tree| tree.root())
	}

	/// The state tree after `step` steps over these tensor roots.
	pub(crate) fn state_tree(&self, step: u64, roots: &[Hash]) -> Result<StateTree, RunError> {
		StateTree::build(&self.meta(step)?, &self.state_leaves(roots)).ok_or(RunError::Commitment)
	}

	pub(crate) fn meta(&self, step: u64) -> Result<StateMeta, RunError> {
		StateMeta::after(step, self.program.header.batch).ok_or(RunError::Commitment)
	}

	/// Leaves of the state tree over these tensor roots.
	pub(crate) fn state_leaves(&self, roots: &[Hash]) -> Vec<StateLeaf> {
		self.program
			.state_tensors()
			.zip(roots)
			.map(|((_, decl), root)| StateLeaf {
				name: decl.name.clone(),
				dtype: decl.dtype,
				rows: decl.rows,
				cols: decl.cols,
				root: *root,
			})
			.collect()
	}
}
