//! What a program takes of a device's memory.

use assay_program::{Operand, OperandSpec, Program, Role};

use crate::{
	bytes::device_words,
	chain::{pieces, Piece},
	launch::{Lowered, Profile},
	lower::{lower, lower_root},
	placement::Placement,
	session::SessionError,
	OpError,
};

/// Words of a hash.
const ROOT_WORDS: u64 = 8;
/// Memory is given out in pieces of so many bytes at least.
const GRAIN: u64 = 512;

/// What a session of a program takes.
pub(crate) struct SessionMemory {
	/// Data, state, temps, and what launches need beside them.
	pub(crate) bytes: u64,
	/// Words of each scratch memory, which all launches share.
	pub(crate) scratch: Vec<u64>,
}

impl SessionMemory {
	/// Of a program.
	pub(crate) fn of(program: &Program, profile: &Profile) -> Result<Self, SessionError> {
		let pieces = pieces(program);
		let mut memory = Self { bytes: 0, scratch: Vec::new() };
		Placement::of(program, &pieces).words.iter().for_each(|words| memory.take(*words));
		let lasting = program.tensors.iter().filter(|decl| !matches!(decl.role, Role::Temp));
		lasting.for_each(|decl| memory.take(device_words(decl.spec())));
		for piece in &pieces {
			match piece {
				Piece::Chain(chain) => memory.take(chain.word_count()),
				Piece::Op(index) => memory.grow(&lowered_op(program, *index, profile)?.scratch),
			}
		}
		let mut states = 0;
		for (_, decl) in program.state_tensors() {
			states += 1;
			memory.grow(&lower_root(&decl.spec(), profile).map_err(|_| SessionError::State)?.scratch);
		}
		for words in [program.ops.len() as u64, 2, program.metrics.len() as u64, states * ROOT_WORDS] {
			memory.take(words);
		}
		memory.scratch.clone().into_iter().for_each(|words| memory.take(words));
		Ok(memory)
	}

	fn take(&mut self, words: u64) {
		let bytes = words.max(1).saturating_mul(4);
		self.bytes = self.bytes.saturating_add(bytes.checked_next_multiple_of(GRAIN).unwrap_or(bytes));
	}

	fn grow(&mut self, words: &[u64]) {
		self.scratch.resize(self.scratch.len().max(words.len()), 0);
		for (scratch, words) in self.scratch.iter_mut().zip(words) {
			*scratch = (*scratch).max(*words);
		}
	}
}

/// The launches of an op by itself.
pub(crate) fn lowered_op(program: &Program, index: usize, profile: &Profile) -> Result<Lowered, SessionError> {
	let wrong = |source| SessionError::Op { op: index as u32, source };
	let absent = || wrong(OpError::Shape("a tensor of the op is not declared"));
	let op = program.ops.get(index).ok_or_else(absent)?;
	let operands = op.inputs.iter().map(|input| match *input {
		Operand::Scalar(bits) => Ok(OperandSpec::Scalar(bits)),
		Operand::Tensor(id) => {
			let decl = program.decl(id).ok_or_else(absent)?;
			Ok(OperandSpec::Tensor { spec: decl.spec(), data: false })
		}
	});
	let operands: Vec<OperandSpec> = operands.collect::<Result<_, SessionError>>()?;
	let output = program.decl(op.output).ok_or_else(absent)?.spec();
	lower(op.kind, &operands, output, &program.header.seed, profile).map_err(wrong)
}
