//! States as blobs.
//!
//! A checkpoint blob is, in order: the 8 bytes `ASSAYCKP`, a u16 version (1), the program root (32 bytes), the steps done
//! (u64), then the canonical bytes of every parameter and state tensor, ascending by tensor id. Integers are little
//! endian. The program fixes every length, so a blob of another length is refused before anything is allocated. The
//! blob's address is its BLAKE3 hash; what the chain knows is the state root, which loading recomputes.

use assay_commitment::{tensor_root, Hash};

use crate::{Engine, RunError, State, Tensor, TensorError};

const MAGIC: [u8; 8] = *b"ASSAYCKP";
const VERSION: u16 = 1;
/// Bytes before the tensors.
const HEADER: usize = 8 + 2 + 32 + 8;

/// Why bytes are not a checkpoint of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
	/// The length is not the one of this program's checkpoints.
	#[error("a checkpoint of this program has {expected} bytes, not {found}; fetch it again")]
	Length {
		/// Bytes of a checkpoint of the program.
		expected: u64,
		/// Bytes given.
		found: u64,
	},
	/// The blob is something else.
	#[error("not a checkpoint, or of another version")]
	Format,
	/// The checkpoint is of another program.
	#[error("the checkpoint is of another program")]
	Program,
	/// The checkpoint is of a step after the job's last.
	#[error("the checkpoint is of step {0}, after the end of the job")]
	Step(u64),
	/// A tensor's bytes are not canonical.
	#[error("tensor {id} of the checkpoint: {source}")]
	Tensor {
		/// Id of the tensor.
		id: u32,
		/// What is wrong.
		source: TensorError,
	},
	/// The state root is not the expected one.
	#[error("the checkpoint does not have the expected state root; it is of another run or was altered")]
	Root,
}

/// Address of a blob: the BLAKE3 hash of its bytes.
pub fn blob_hash(bytes: &[u8]) -> Hash {
	*blake3::hash(bytes).as_bytes()
}

impl Engine {
	/// Bytes of every checkpoint of this program.
	pub fn checkpoint_len(&self) -> u64 {
		let tensors = self.states().iter().filter_map(|id| Some(self.spec(*id).layout().ok()?.byte_len()));
		HEADER as u64 + tensors.sum::<u64>()
	}

	/// The state as a blob.
	pub fn encode_checkpoint(&self, state: &State) -> Result<Vec<u8>, RunError> {
		self.check_state(state)?;
		let mut blob = Vec::with_capacity(self.checkpoint_len() as usize);
		blob.extend_from_slice(&MAGIC);
		blob.extend_from_slice(&VERSION.to_le_bytes());
		blob.extend_from_slice(&self.commitment().root());
		blob.extend_from_slice(&state.step.to_le_bytes());
		state.tensors().iter().for_each(|tensor| blob.extend_from_slice(&tensor.to_canonical()));
		Ok(blob)
	}

	/// The state in a blob, and its root, recomputed. The caller compares the root with the one it trusts, or uses
	/// [`Engine::load_checkpoint`].
	pub fn decode_checkpoint(&self, blob: &[u8]) -> Result<(State, Hash), CheckpointError> {
		let expected = self.checkpoint_len();
		if blob.len() as u64 != expected {
			return Err(CheckpointError::Length { expected, found: blob.len() as u64 });
		}
		let (header, mut rest) = blob.split_at(HEADER);
		let (magic, header) = header.split_at(MAGIC.len());
		let (version, header) = header.split_at(2);
		let (program, step) = header.split_at(32);
		if magic != MAGIC || version != VERSION.to_le_bytes() {
			return Err(CheckpointError::Format);
		}
		if program != self.commitment().root() {
			return Err(CheckpointError::Program);
		}
		let step = u64::from_le_bytes(step.try_into().map_err(|_| CheckpointError::Format)?);
		if step > self.program().header.steps {
			return Err(CheckpointError::Step(step));
		}
		let mut tensors = Vec::with_capacity(self.states().len());
		let mut roots = Vec::with_capacity(self.states().len());
		for id in self.states() {
			let wrong = |source| CheckpointError::Tensor { id: id.0, source };
			let spec = self.spec(*id);
			let layout = spec.layout().map_err(TensorError::Layout).map_err(wrong)?;
			// In range: the length was checked against the sum of all layouts.
			let (bytes, after) = rest.split_at(layout.byte_len() as usize);
			rest = after;
			tensors.push(Tensor::from_canonical(spec.dtype, spec.rows, spec.cols, bytes).map_err(wrong)?);
			roots.push(tensor_root(bytes));
		}
		let root = self.root_of(step, &roots).map_err(|_| CheckpointError::Step(step))?;
		Ok((State::new(step, tensors), root))
	}

	/// The state in a blob, if it has the root `expected`.
	pub fn load_checkpoint(&self, blob: &[u8], expected: &Hash) -> Result<State, CheckpointError> {
		match self.decode_checkpoint(blob)? {
			(state, root) if root == *expected => Ok(state),
			_ => Err(CheckpointError::Root),
		}
	}
}
