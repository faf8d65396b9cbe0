//! What the referee is asked, and what it is shown.
//!
//! A dispute narrows a segment to one step, one leaf of that step's trace and then, for an op's output, one chunk and one
//! link, for the state after the step, one leaf of its tree. Everything before the leaf is agreed on, so inputs are proven against the defender's own roots: outputs of
//! earlier ops against its trace root, parameters and state against the step's state root, data against the program.

use alloc::{boxed::Box, vec::Vec};
use assay_commitment::{ChunkOpening, Hash, StateLeaf};
use assay_program::{Op, OpOpening, Opened, ProgramCommitment, TensorDecl, Update};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What the defender claims, as the dispute machine narrowed it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct MicroClaim {
	/// Root of the program; its commitment holds the seed.
	pub program_root: Hash,
	/// The step, counted from 0.
	pub step: u64,
	/// State root before the step; both sides agree on it.
	pub pre_state_root: Hash,
	/// The defender's trace root of the step.
	pub trace_root: Hash,
	/// What of the step is claimed.
	pub target: Target,
}

/// The claim at the leaf of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Target {
	/// The result of one micro-op.
	Micro {
		/// Position of the op in the program.
		op: u32,
		/// Chunk of the op's output.
		chunk: u32,
		/// Link of the chunk's chain.
		link: u32,
		/// Hash of the accumulator of the link before; both sides agree on it. Needed unless `link` is 0.
		previous: Option<Hash>,
		/// Chaining value of the output chunk for the last link, otherwise the hash of this link's accumulator.
		claimed: Hash,
	},
	/// A leaf of the tree under the state root after the step, which is the last leaf of the trace.
	StateLeaf {
		/// Position of the leaf: 0 is the meta data, `i` the parameter or state tensor `i - 1`.
		index: u32,
		/// Its hash.
		claimed: Hash,
	},
}

/// What is submitted at the leaf of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Evidence {
	/// For [`Target::Micro`].
	Micro(Box<MicroEvidence>),
	/// For [`Target::StateLeaf`].
	State(Box<StateEvidence>),
}

/// Everything a micro-op reads, with proofs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct MicroEvidence {
	/// The program's commitment.
	pub program: ProgramCommitment,
	/// The op and the declarations of its tensors.
	pub op: OpOpening,
	/// Where the root of each tensor operand comes from, in operand order.
	pub sources: Vec<Source>,
	/// The chunks that `OpGeometry::micro_inputs` lists, in that order.
	pub openings: Vec<ChunkOpening>,
	/// The accumulator of the link before; empty for link 0.
	pub accumulator: Vec<u8>,
}

/// Where the root of an operand comes from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Source {
	/// The declaration of a data tensor holds it.
	Data,
	/// The state before the step holds it. The state leaf binds the tensor's name, so a proof at any index is a proof of
	/// this tensor.
	State {
		/// The tensor's root.
		root: Hash,
		/// Tensors in the state.
		tensors: u32,
		/// The tensor's position among them.
		index: u32,
		/// Sibling hashes up to the state root.
		proof: Vec<Hash>,
	},
	/// An earlier op of the step defines it.
	Trace {
		/// The op that defines the operand.
		producer: Opened<Op>,
		/// The tensor's root.
		root: Hash,
		/// Sibling hashes from the op's trace leaf up to the trace root.
		proof: Vec<Hash>,
	},
}

/// What a leaf of the state after a step follows from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StateEvidence {
	/// The program's commitment.
	pub program: ProgramCommitment,
	/// For the leaf of a tensor; `None` for leaf 0, which follows from the step alone.
	pub tensor: Option<TensorEvidence>,
}

/// What the leaf of a tensor after a step follows from: the tensor before it, and what the step does to it.
///
/// The tree has the same tensors in the same order before and after. The leaf before therefore fixes the tensor's name, type
/// and shape, and the name, unique in a valid program, its declaration.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct TensorEvidence {
	/// The tensor before the step.
	pub before: StateLeaf,
	/// Sibling hashes from it up to the state root before the step.
	pub proof: Vec<Hash>,
	/// Its declaration.
	pub decl: Opened<TensorDecl>,
	/// What the step does to it.
	pub change: Change,
}

/// What a step does to a tensor of the state. A valid program proves exactly one of the two for each tensor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Change {
	/// An update assigns it the output of an op.
	Assigned {
		/// The update.
		update: Opened<Update>,
		/// The op that defines the update's value.
		producer: Opened<Op>,
		/// Root of the op's output.
		root: Hash,
		/// Sibling hashes from the op's trace leaf up to the trace root.
		proof: Vec<Hash>,
	},
	/// No update assigns it: updates ascend by state tensor, and these are neighbours with the tensor between them.
	Kept {
		/// The last update of an earlier tensor; `None` if the first update is of a later one.
		left: Option<Opened<Update>>,
		/// The first update of a later tensor; `None` if the last update is of an earlier one.
		right: Option<Opened<Update>>,
	},
}
