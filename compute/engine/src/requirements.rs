//! What a program needs besides itself.

use assay_program::{Program, TensorId, TensorSpec};

use crate::{EngineError, Hash, Tensor};

/// A tensor that a program needs and names by its root: data, or a given initial value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
	/// Id in the program.
	pub id: TensorId,
	/// Name in the program.
	pub name: String,
	/// Type and shape.
	pub spec: TensorSpec,
	/// Root of the tensor, which is the address of its blob.
	pub root: Hash,
}

/// The data tensors and given initial values that a program needs, ascending.
pub fn requirements(program: &Program) -> Vec<Requirement> {
	let needed = program.tensors.iter().zip(0u32..).filter_map(|(decl, id)| {
		let name = || String::from_utf8_lossy(&decl.name).into_owned();
		let root = decl.role.given_root()?;
		Some(Requirement { id: TensorId(id), name: name(), spec: decl.spec(), root: *root })
	});
	needed.collect()
}

/// Data tensors in the order of the program, and given initial values by id.
pub(crate) type Needed = (Vec<Tensor>, Vec<(TensorId, Tensor)>);

/// What the program needs out of what was given, checked by shape and root.
pub(crate) fn check_data(program: &Program, given: Vec<(TensorId, Tensor)>) -> Result<Needed, EngineError> {
	let mut given: Vec<(TensorId, Option<Tensor>)> = given.into_iter().map(|(id, tensor)| (id, Some(tensor))).collect();
	let (mut data, mut initial) = (Vec::new(), Vec::new());
	for (decl, id) in program.tensors.iter().zip(0u32..) {
		let Some(root) = decl.role.given_root() else { continue };
		let name = || String::from_utf8_lossy(&decl.name).into_owned();
		let tensor = given
			.iter_mut()
			.find(|(given, tensor)| given.0 == id && tensor.is_some())
			.and_then(|(_, tensor)| tensor.take())
			.ok_or_else(|| EngineError::DataMissing { name: name() })?;
		if tensor.spec() != decl.spec() {
			return Err(EngineError::DataShape { name: name() });
		}
		if tensor.root() != *root {
			return Err(EngineError::DataRoot { name: name() });
		}
		if decl.role.is_state() {
			initial.push((TensorId(id), tensor));
		} else {
			data.push(tensor);
		}
	}
	match given.iter().find(|(_, tensor)| tensor.is_some()) {
		Some((id, _)) => Err(EngineError::DataUnknown { id: id.0 }),
		None => Ok((data, initial)),
	}
}
