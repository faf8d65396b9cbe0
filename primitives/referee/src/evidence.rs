//! What the referee is asked, and what it is shown.
//!
//! A dispute narrows a segment to one step, one leaf of that step's trace and, for an op's output, one chunk and one
//! link. Everything before the leaf is agreed on, so inputs are proven against the defender's own roots: outputs of
//! earlier ops against its trace root, parameters and state against the step's state root, data against the program.

use alloc::{boxed::Box, vec::Vec};
use assay_commitment::{ChunkOpening, Hash};
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
	/// The state root after the step, which is the last leaf of the trace.
	StateAssembly {
		/// The state root.
		claimed: Hash,
	},
}

/// What is submitted at the leaf of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Evidence {
	/// For [`Target::Micro`].
	Micro(Box<MicroEvidence>),
	/// For [`Target::StateAssembly`].
	StateAssembly(Box<AssemblyEvidence>),
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

/// Everything the state root after a step follows from.
///
/// That a tensor has no update is provable only from all updates, so the evidence carries the program's lists whole, and
/// with them all roots. A program limit (`Limits::assembly_bytes`) bounds its size.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct AssemblyEvidence {
	/// The program's commitment.
	pub program: ProgramCommitment,
	/// All tensor declarations.
	pub tensors: Vec<TensorDecl>,
	/// All ops.
	pub ops: Vec<Op>,
	/// All updates.
	pub updates: Vec<Update>,
	/// Trace leaves of all ops, in order; the claimed state root is the leaf after them.
	pub outputs: Vec<Hash>,
	/// Roots of all parameter and state tensors before the step, in tensor-id order.
	pub state: Vec<Hash>,
}
