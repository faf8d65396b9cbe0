//! The instructions of the kernels `chain` and `chain_rows`.

use assay_program::{Axis, BinaryKind, DType, OpKind, Reduction, TensorSpec, UnaryKind};

const FETCH: u32 = 0;
const STORE: u32 = 1;
const STORE_ROW: u32 = 29;
const SECTION: u32 = 30;
const STORE_BYTE: u32 = 31;
const STORE_ROW_BYTE: u32 = 32;
/// Slots of a thread: part of the kernel.
pub(super) const SLOTS: u32 = 8;
/// In the place of a slot: the instruction's own constant.
pub(super) const IMMEDIATE: u32 = SLOTS;
/// Words of an instruction.
pub(super) const INSTRUCTION_WORDS: usize = 8;

/// A tensor on the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
	pub(crate) address: u64,
	pub(crate) spec: TensorSpec,
}

/// The number of an op in the kernels; `None` for kinds that they do not do.
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
		OpKind::Causal { .. } => 24,
		OpKind::Dropout { .. } => 25,
		OpKind::OneHot => 26,
		OpKind::Reduce { reduction: Reduction::Sum, axis: Axis::Cols } => 27,
		OpKind::Reduce { reduction: Reduction::Max, axis: Axis::Cols } => 28,
		_ => return None,
	})
}

/// An instruction, by fields as in `kernels/instruction.cuh`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instruction {
	code: u32,
	to: u32,
	from: [u32; 3],
	constant: u32,
	at: u64,
}

impl Instruction {
	/// The next `length` instructions are done once for a row, or for all its columns.
	pub(super) fn section(length: u32, across: bool) -> Self {
		Self { code: SECTION, from: [length, u32::from(across), 0], ..Self::default() }
	}

	/// The same bits for every element.
	pub(super) fn constant(to: u32, bits: u32) -> Self {
		Self { code: FETCH, to, from: [0, 0, bits], ..Self::default() }
	}

	/// A tensor's element, where an extent of 1 is repeated. `flat`: all elements are one row.
	pub(super) fn fetch(to: u32, place: Place, flat: bool) -> Self {
		let TensorSpec { rows, cols, .. } = place.spec;
		let (rows, cols) =
			if flat { (1, u32::try_from(place.spec.elements()).unwrap_or(u32::MAX)) } else { (rows, cols) };
		let row_stride = if rows == 1 { 0 } else { cols };
		Self { code: FETCH, to, from: [u32::from(cols != 1), row_stride, 0], at: place.address, ..Self::default() }
	}

	/// Writes an element, or what there is once for a row.
	pub(super) fn store(from: u32, place: Place, once: bool) -> Self {
		let code = match (place.spec.dtype, once) {
			(DType::F32 | DType::I32, false) => STORE,
			(DType::F32 | DType::I32, true) => STORE_ROW,
			(DType::I8, false) => STORE_BYTE,
			(DType::I8, true) => STORE_ROW_BYTE,
		};
		Self { code, from: [from, 0, 0], at: place.address, ..Self::default() }
	}

	/// One op on slots, of which [`IMMEDIATE`] stands for `constant`. `flag` is set where a number is infinite or NaN; integers
	/// never are.
	pub(super) fn apply(kind: OpKind, to: u32, from: [u32; 3], constant: u32, flag: u64) -> Self {
		let code = code_of(kind).unwrap_or(u32::MAX);
		let at = if output_type(kind) == DType::F32 { flag } else { 0 };
		let (from, constant) = match kind {
			OpKind::Causal { rows, offset, fill } => ([from[0], rows, fill], offset),
			OpKind::Dropout { stream, keep, scale } => ([from[0], keep, scale], stream),
			_ => (from, constant),
		};
		Self { code, to, from, constant, at }
	}

	/// As the kernels read it.
	pub(super) fn words(self) -> [u32; INSTRUCTION_WORDS] {
		let [a, b, c] = self.from;
		[self.code, self.to, a, b, c, self.constant, self.at as u32, (self.at >> 32) as u32]
	}
}

/// What an op gives.
fn output_type(kind: OpKind) -> DType {
	match kind {
		OpKind::Quantise => DType::I8,
		_ => DType::F32,
	}
}
