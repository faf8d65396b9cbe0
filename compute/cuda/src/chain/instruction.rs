//! The instructions of the kernel `chain`.

use assay_program::{BinaryKind, DType, OpKind, TensorSpec, UnaryKind};

const FETCH: u32 = 0;
const STORE: u32 = 1;
/// Words of an instruction.
pub(super) const INSTRUCTION_WORDS: usize = 8;

/// A tensor on the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
	pub(crate) address: u64,
	pub(crate) spec: TensorSpec,
}

/// The number of an elementwise op in the kernel; `None` for other kinds.
pub(super) fn code_of(kind: OpKind) -> Option<u32> {
	Some(match kind {
		OpKind::Unary(UnaryKind::Neg) => 2,
		OpKind::Unary(UnaryKind::Abs) => 3,
		OpKind::Unary(UnaryKind::Relu) => 4,
		OpKind::Unary(UnaryKind::Exp) => 5,
		OpKind::Unary(UnaryKind::Log) => 6,
		OpKind::Unary(UnaryKind::Tanh) => 7,
		OpKind::Unary(UnaryKind::Sqrt) => 8,
		OpKind::Unary(UnaryKind::Sigmoid) => 9,
		OpKind::Unary(UnaryKind::Erf) => 10,
		OpKind::Unary(UnaryKind::Sin) => 11,
		OpKind::Unary(UnaryKind::Cos) => 12,
		OpKind::Unary(UnaryKind::Rsqrt) => 13,
		OpKind::Binary(BinaryKind::Add) => 14,
		OpKind::Binary(BinaryKind::Sub) => 15,
		OpKind::Binary(BinaryKind::Mul) => 16,
		OpKind::Binary(BinaryKind::Div) => 17,
		OpKind::Binary(BinaryKind::Max) => 18,
		OpKind::Binary(BinaryKind::Min) => 19,
		OpKind::Binary(BinaryKind::Greater) => 20,
		OpKind::Fma => 21,
		OpKind::Quantise => 22,
		OpKind::Dequantise => 23,
		_ => return None,
	})
}

/// An instruction, by fields as in `kernels/chain.cu`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instruction {
	code: u32,
	to: u32,
	from: [u32; 3],
	at: u64,
}

impl Instruction {
	/// The same bits for every element.
	pub(super) fn constant(to: u32, bits: u32) -> Self {
		Self { code: FETCH, to, from: [0, 0, bits], at: 0 }
	}

	/// A tensor's element, where an extent of 1 is repeated.
	pub(super) fn fetch(to: u32, place: Place) -> Self {
		let TensorSpec { rows, cols, .. } = place.spec;
		let row_stride = if rows == 1 { 0 } else { cols };
		Self { code: FETCH, to, from: [u32::from(cols != 1), row_stride, 0], at: place.address }
	}

	/// Writes an element.
	pub(super) fn store(from: u32, address: u64) -> Self {
		Self { code: STORE, to: 0, from: [from, 0, 0], at: address }
	}

	/// One op. `flag` is set where a number is infinite or NaN; integers never are.
	pub(super) fn apply(kind: OpKind, to: u32, from: [u32; 3], flag: u64) -> Self {
		let at = if output_type(kind) == DType::F32 { flag } else { 0 };
		Self { code: code_of(kind).unwrap_or(u32::MAX), to, from, at }
	}

	/// As the kernel reads it.
	pub(super) fn words(self) -> [u32; INSTRUCTION_WORDS] {
		let [a, b, c] = self.from;
		[self.code, self.to, a, b, c, 0, self.at as u32, (self.at >> 32) as u32]
	}
}

/// What an elementwise op gives.
fn output_type(kind: OpKind) -> DType {
	match kind {
		OpKind::Quantise => DType::I8,
		_ => DType::F32,
	}
}
