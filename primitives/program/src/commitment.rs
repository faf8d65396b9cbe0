//! Commitment to a program, and openings of its parts.
//!
//! The program root covers the header, the counts and Merkle roots over the SCALE-encoded tensor declarations, ops and
//! updates. Metrics are for display and not covered; the blob address of the encoded program covers them.

use crate::{
	refine::{GeometryError, OpGeometry},
	Header, Op, Operand, Program, TensorDecl, TensorId, Update,
};
use alloc::vec::Vec;
use assay_commitment::{verify_node, Combiner, Domain, Hash, Node, Tree};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Everything the chain keeps of a program: what its root hashes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ProgramCommitment {
	/// The program's header.
	pub header: Header,
	/// Number of tensors.
	pub n_tensors: u32,
	/// Number of ops.
	pub n_ops: u32,
	/// Number of updates.
	pub n_updates: u32,
	/// Number of parameter and state tensors, which fixes the shape of the tree under a state root. Nothing here proves it:
	/// who is given the program compares it with the commitment.
	pub n_state: u32,
	/// Merkle root over the tensor declarations.
	pub tensors_root: Hash,
	/// Merkle root over the ops.
	pub ops_root: Hash,
	/// Merkle root over the updates.
	pub updates_root: Hash,
}

/// One item of a program and the proof that it is item `index`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Opened<T> {
	/// Position in its list.
	pub index: u32,
	/// The item.
	pub item: T,
	/// Sibling hashes from the item up to the list's root.
	pub proof: Vec<Hash>,
}

/// An op with the declarations of everything it touches.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OpOpening {
	/// The op.
	pub op: Opened<Op>,
	/// Declaration of the op's output.
	pub output: Opened<TensorDecl>,
	/// Declarations of the op's tensor operands, in operand order, one each even when they repeat.
	pub inputs: Vec<Opened<TensorDecl>>,
}

/// Why an opening of a part of a program is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ProgramOpeningError {
	/// The op and its proof do not lead to the program's ops root.
	Op,
	/// The output's declaration is another tensor's or does not lead to the tensors root.
	OutputDecl,
	/// The number of input declarations is not the number of the op's tensor operands.
	InputCount,
	/// This input's declaration is another tensor's or does not lead to the tensors root.
	InputDecl {
		/// Position among the tensor operands.
		input: u8,
	},
	/// The op breaks the program rules: the program was never valid.
	Geometry,
}

impl From<GeometryError> for ProgramOpeningError {
	fn from(_: GeometryError) -> Self {
		ProgramOpeningError::Geometry
	}
}

impl ProgramCommitment {
	/// The program root.
	pub fn root(&self) -> Hash {
		Domain::Program.hash(&[&self.encode()])
	}

	/// Whether `opened` is a tensor declaration of the program.
	pub fn has_tensor(&self, opened: &Opened<TensorDecl>) -> bool {
		holds(Domain::ProgramTensors, &self.tensors_root, self.n_tensors, opened)
	}

	/// Whether `opened` is an op of the program.
	pub fn has_op(&self, opened: &Opened<Op>) -> bool {
		holds(Domain::ProgramOps, &self.ops_root, self.n_ops, opened)
	}

	/// Whether `opened` is an update of the program.
	pub fn has_update(&self, opened: &Opened<Update>) -> bool {
		holds(Domain::ProgramUpdates, &self.updates_root, self.n_updates, opened)
	}

	/// Whether `left` and `right` are the updates next to each other between which one of `state` would stand, so that a
	/// valid program, whose updates ascend, has none. `None` stands for an end of the list.
	pub fn has_no_update(
		&self,
		state: TensorId,
		left: Option<&Opened<Update>>,
		right: Option<&Opened<Update>>,
	) -> bool {
		let below = left.is_none_or(|left| left.item.state < state && self.has_update(left));
		let above = right.is_none_or(|right| state < right.item.state && self.has_update(right));
		// An index below the number of updates has a successor.
		let next = left.map_or(Some(0), |left| left.index.checked_add(1));
		below && above && next == Some(right.map_or(self.n_updates, |right| right.index))
	}

	/// Checks all parts of an op's opening and returns the op's geometry, from which chain lengths and the op's
	/// micro-ops follow.
	pub fn verify_op(&self, opening: &OpOpening) -> Result<OpGeometry, ProgramOpeningError> {
		if !self.has_op(&opening.op) {
			return Err(ProgramOpeningError::Op);
		}
		let op = &opening.op.item;
		if op.output != TensorId(opening.output.index) || !self.has_tensor(&opening.output) {
			return Err(ProgramOpeningError::OutputDecl);
		}
		if op.tensor_operands().count() != opening.inputs.len() {
			return Err(ProgramOpeningError::InputCount);
		}
		for ((id, decl), input) in op.tensor_operands().zip(&opening.inputs).zip(0u8..) {
			if id != TensorId(decl.index) || !self.has_tensor(decl) {
				return Err(ProgramOpeningError::InputDecl { input });
			}
		}
		let decls = || core::iter::once(&opening.output).chain(&opening.inputs);
		Ok(OpGeometry::of(op, self.header.batch, |id| decls().find(|decl| decl.index == id.0).map(|decl| &decl.item))?)
	}
}

impl Op {
	/// The tensors among the operands, in operand order.
	pub fn tensor_operands(&self) -> impl Iterator<Item = TensorId> + '_ {
		self.inputs.iter().filter_map(|input| match input {
			Operand::Tensor(id) => Some(*id),
			Operand::Scalar(_) => None,
		})
	}
}

/// The trees of a program's commitment, for openings.
#[derive(Clone, Debug)]
pub struct ProgramTrees {
	commitment: ProgramCommitment,
	tensors: Tree,
	ops: Tree,
	updates: Tree,
}

impl ProgramTrees {
	/// Hashes a program. `None` if a list has 2^32 items or more.
	pub fn build(program: &Program) -> Option<ProgramTrees> {
		let tensors = list(Domain::ProgramTensors, leaves(Domain::ProgramTensors, &program.tensors))?;
		let ops = list(Domain::ProgramOps, leaves(Domain::ProgramOps, &program.ops))?;
		let updates = list(Domain::ProgramUpdates, leaves(Domain::ProgramUpdates, &program.updates))?;
		let commitment = ProgramCommitment {
			header: program.header.clone(),
			n_tensors: tensors.n(),
			n_ops: ops.n(),
			n_updates: updates.n(),
			n_state: u32::try_from(program.state_tensors().count()).ok()?,
			tensors_root: tensors.root(),
			ops_root: ops.root(),
			updates_root: updates.root(),
		};
		Some(ProgramTrees { commitment, tensors, ops, updates })
	}

	/// The commitment.
	pub fn commitment(&self) -> &ProgramCommitment {
		&self.commitment
	}

	/// Opens a tensor declaration of `program`, which is the one the trees were built from.
	pub fn open_tensor(&self, program: &Program, id: TensorId) -> Option<Opened<TensorDecl>> {
		open(&self.tensors, &program.tensors, id.0)
	}

	/// Opens an op.
	pub fn open_op(&self, program: &Program, index: u32) -> Option<Opened<Op>> {
		open(&self.ops, &program.ops, index)
	}

	/// Opens an update.
	pub fn open_update(&self, program: &Program, index: u32) -> Option<Opened<Update>> {
		open(&self.updates, &program.updates, index)
	}

	/// Opens an op and the declarations of everything it touches.
	pub fn open_op_with_decls(&self, program: &Program, index: u32) -> Option<OpOpening> {
		let op = self.open_op(program, index)?;
		let output = self.open_tensor(program, op.item.output)?;
		let inputs = op.item.tensor_operands().map(|id| self.open_tensor(program, id)).collect::<Option<Vec<_>>>()?;
		Some(OpOpening { op, output, inputs })
	}
}

impl Program {
	/// The program's commitment. `None` if a list has 2^32 items or more, which no valid program has.
	pub fn commitment(&self) -> Option<ProgramCommitment> {
		ProgramTrees::build(self).map(|trees| trees.commitment)
	}
}

fn leaves<T: Encode>(domain: Domain, items: &[T]) -> Vec<Hash> {
	items.iter().map(|item| domain.leaf(&item.encode())).collect()
}

fn list(domain: Domain, leaves: Vec<Hash>) -> Option<Tree> {
	Tree::build(Combiner::Merkle(domain), leaves)
}

fn open<T: Clone>(tree: &Tree, items: &[T], index: u32) -> Option<Opened<T>> {
	let item = items.get(index as usize)?.clone();
	Some(Opened { index, item, proof: tree.prove(Node::leaf(index))? })
}

fn holds<T: Encode>(domain: Domain, root: &Hash, n: u32, opened: &Opened<T>) -> bool {
	let leaf = domain.leaf(&opened.item.encode());
	verify_node(Combiner::Merkle(domain), root, n, Node::leaf(opened.index), &leaf, &opened.proof)
}
