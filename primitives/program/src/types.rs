//! The types a program is made of. Everything is SCALE-encoded and committed to on chain.

use crate::Window;
use alloc::vec::Vec;
pub use assay_commitment::DType;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Index of a tensor in [`Program::tensors`].
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct TensorId(pub u32);

/// The arithmetic a program runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Lane {
	/// IEEE-754 binary32, round to nearest even, subnormals kept.
	F32,
	/// The same, with matrix products of 8-bit integers beside, exact in 32 bits.
	I8,
}

/// What holds for the whole program.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Header {
	/// Version of the program format and of the numerics contract; 1.
	pub version: u16,
	/// Arithmetic of the program.
	pub lane: Lane,
	/// Key of every random draw: initial values, batches and dropout.
	pub seed: [u8; 32],
	/// Steps of the whole job.
	pub steps: u64,
	/// Rows drawn per step by each `GatherBatch`.
	pub batch: u32,
	/// Steps of one segment; the last segment may be shorter.
	pub segment_steps: u32,
}

/// How a parameter or state tensor starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Init {
	/// Every element +0.
	Zeros,
	/// Every element these bits; of an i8 tensor, sign-extended.
	Constant(u32),
	/// Uniform in `[-bound, bound)`: Philox output `u`, top 24 bits as integer `i`, `(i - 2^23) * 2^-23 * bound`.
	Uniform {
		/// Bits of the bound, a finite positive number.
		bound: u32,
		/// Separates tensors that share the seed.
		stream: u32,
	},
	/// The tensor with this root, such as a weight of an existing model. Whoever starts the job fetches it like data.
	Given {
		/// BLAKE3 of the canonical bytes.
		root: [u8; 32],
	},
}

/// What a tensor is for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Role {
	/// Trained value; part of the committed state and of the job's result.
	Param(Init),
	/// Optimiser or schedule value; part of the committed state.
	State(Init),
	/// Input data, fixed for the whole job and named by its tensor root.
	Data {
		/// BLAKE3 of the canonical bytes.
		root: [u8; 32],
	},
	/// Output of an op, lives for one step.
	Temp,
}

impl Role {
	/// The root of the tensor that whoever starts the job must have: of data, and of a given initial value.
	pub const fn given_root(&self) -> Option<&[u8; 32]> {
		match self {
			Role::Data { root } | Role::Param(Init::Given { root }) | Role::State(Init::Given { root }) => Some(root),
			_ => None,
		}
	}
}

/// Declaration of a tensor: a matrix of `rows` x `cols` elements.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct TensorDecl {
	/// Name, unique in the program, at most [`MAX_NAME`] bytes of UTF-8.
	pub name: Vec<u8>,
	/// Element type.
	pub dtype: DType,
	/// Rows, at least 1.
	pub rows: u32,
	/// Columns, at least 1.
	pub cols: u32,
	/// What the tensor is for.
	pub role: Role,
}

/// Longest tensor name, bytes.
pub const MAX_NAME: usize = 64;

/// An op's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Operand {
	/// A tensor of the program.
	Tensor(TensorId),
	/// The same f32 bits for every element.
	Scalar(u32),
}

/// Elementwise functions of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum UnaryKind {
	/// `-x`.
	Neg,
	/// `|x|`.
	Abs,
	/// `x > 0 ? x : +0`.
	Relu,
	/// Natural exponential, `assay_softfloat::functions::exp`.
	Exp,
	/// Natural logarithm, `assay_softfloat::functions::log`.
	Log,
	/// Hyperbolic tangent, `assay_softfloat::functions::tanh`.
	Tanh,
	/// Correctly rounded square root.
	Sqrt,
	/// Logistic function, `assay_softfloat::functions::sigmoid`.
	Sigmoid,
	/// Error function, `assay_softfloat::functions::erf`.
	Erf,
	/// Sine, `assay_softfloat::functions::sin`; the run fails beyond `±2^22`.
	Sin,
	/// Cosine, `assay_softfloat::functions::cos`; the run fails beyond `±2^22`.
	Cos,
	/// `1 / sqrt(x)`, `assay_softfloat::functions::rsqrt`.
	Rsqrt,
}

/// Elementwise functions of two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum BinaryKind {
	/// `a + b`.
	Add,
	/// `a - b`.
	Sub,
	/// `a * b`.
	Mul,
	/// `a / b`, correctly rounded.
	Div,
	/// Larger of the two; the first on a tie.
	Max,
	/// Smaller of the two; the first on a tie.
	Min,
	/// `a > b ? 1 : +0`.
	Greater,
}

/// How a reduction combines elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Reduction {
	/// Sum in the fixed order of the numerics contract.
	Sum,
	/// Maximum.
	Max,
}

/// The axis a reduction removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Axis {
	/// `[R, C] -> [1, C]`.
	Rows,
	/// `[R, C] -> [R, 1]`.
	Cols,
}

/// Every operation a program can use. A new meaning is a new kind, never a changed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum OpKind {
	/// `[M, K] x [K, N] -> [M, N]`; a transposed operand is stored `[K, M]` or `[N, K]`.
	MatMul {
		/// The first operand is stored `[K, M]`.
		trans_a: bool,
		/// The second operand is stored `[N, K]`.
		trans_b: bool,
	},
	/// One input, elementwise.
	Unary(UnaryKind),
	/// Two inputs, elementwise with broadcast.
	Binary(BinaryKind),
	/// Three inputs, elementwise with broadcast: `a * b + c` with one rounding.
	Fma,
	/// One input, removes an axis.
	Reduce {
		/// How elements are combined.
		reduction: Reduction,
		/// Which axis goes.
		axis: Axis,
	},
	/// One data input `[N, C] -> [batch, C]`: rows drawn with replacement by (seed, stream, step, element).
	GatherBatch {
		/// Gathers of the same stream draw the same rows.
		stream: u32,
	},
	/// `I32 [B, 1] -> F32 [B, C]`: 1 at the label's column, +0 elsewhere; a label outside `0..C` gives a zero row.
	OneHot,
	/// `[R, C] -> [R, n]`, any type: the `n` columns from `first`, as many as the output declares.
	Columns {
		/// First column taken.
		first: u32,
	},
	/// `F32 [R, n] -> [R, C]`: the input's columns from column `first` on, +0 in the others.
	PadColumns {
		/// Column of the input's first one.
		first: u32,
	},
	/// `[R, C] -> [R * C, 1]`, any type, row after row.
	Flatten,
	/// `F32 [V, D], I32 [N, 1] -> F32 [N, D]`: row `id` of the table for each id; an id outside `0..V` gives a zero row.
	Lookup,
	/// `I32 [N, 1], F32 [N, D] -> F32 [V, D]`: row `v` is the sum, from +0, of the rows whose id is `v`, ascending. The
	/// gradient of [`OpKind::Lookup`].
	ScatterRows,
	/// `F32 [B * rows, heads * d] -> [B * heads * rows, d]`: each head of each block of `rows` rows below the one before.
	SplitHeads {
		/// Rows of a block: positions of a sequence.
		rows: u32,
		/// Heads side by side in the input's columns.
		heads: u32,
	},
	/// The inverse of [`OpKind::SplitHeads`].
	MergeHeads {
		/// Rows of a block.
		rows: u32,
		/// Heads side by side in the output's columns.
		heads: u32,
	},
	/// `blocks` matrix products, stacked by rows: block `i` of the output is block `i` of the first operand times block
	/// `i / share` of the second. Order and rounding as in [`OpKind::MatMul`].
	BlockMatMul {
		/// Blocks of the first operand are stored `[K, M]`.
		trans_a: bool,
		/// Blocks of the second operand are stored `[N, K]`.
		trans_b: bool,
		/// Blocks of the first operand and of the output.
		blocks: u32,
		/// Consecutive blocks that share one block of the second operand; divides `blocks`.
		share: u32,
	},
	/// `F32 [R, C]`, in blocks of `rows` rows: element (r, c) of a block is kept where `c <= r + offset`, else `fill`.
	Causal {
		/// Rows of a block: positions of a sequence.
		rows: u32,
		/// Positions before the block's first row.
		offset: u32,
		/// Finite f32 bits of the other elements.
		fill: u32,
	},
	/// `F32 [R, C]`: `x * scale` where the draw of (seed, stream, step, element) is below `keep`, else +0.
	Dropout {
		/// Separates dropouts that share the seed; the same stream drops the same elements.
		stream: u32,
		/// Bound of the 32-bit draws that keep an element.
		keep: u32,
		/// Finite f32 bits that kept elements are multiplied by.
		scale: u32,
	},
	/// `[R, C]` to any shape of as many elements, in row-major order. F32 or I32.
	Reshape,
	/// F32 and F32, broadcast, to I8: `x / scale`, clamped to `-127..=127`, rounded; `assay_softfloat::functions::quantise`.
	Quantise,
	/// `I8 x I8 -> I32`, shapes as of [`OpKind::MatMul`]; exact, for inner dimensions up to
	/// [`crate::shape::MAX_INNER_I8`].
	MatMulI8 {
		/// The first operand is stored `[K, M]`.
		trans_a: bool,
		/// The second operand is stored `[N, K]`.
		trans_b: bool,
	},
	/// I32, F32 and F32, broadcast, to F32: `(x * a) * b`, `x` and each product rounded once.
	Dequantise,
	/// `F32 [R, C] -> I32 [R, 1]`: column of the row's largest element, the first of equal ones.
	ArgMax,
	/// `F32 [R, C]`: `x + g`, each `g` drawn from the standard Gumbel distribution by (seed, stream, step, element). The
	/// `ArgMax` of logits over a temperature and this noise samples from their softmax.
	Gumbel {
		/// Separates draws that share the seed; the same stream draws the same noise.
		stream: u32,
	},
	/// `F32 [B * height * width, C] -> [B * positions, kernel height * kernel width * C]`: for each position of the window the
	/// pixels under it, row after row, +0 outside of the image. A pixel is a row, its channels are columns.
	Im2col(Window),
	/// The sum, from +0, of what the windows over each pixel hold for it, ascending by their row and column in the window:
	/// `F32 [B * positions, kernel height * kernel width * C] -> [B * height * width, C]`. The gradient of
	/// [`OpKind::Im2col`].
	Col2im(Window),
	/// `F32 [R, C]`: each block of `2^log2` neighbours along an axis times the Hadamard matrix of that side, which is not
	/// scaled. For distances `h` = 1, 2, 4, ... below the side: elements `i` and `i + h` of a block, where `i` has no bit
	/// `h`, become their sum and their difference.
	Hadamard {
		/// Logarithm of a block's length, 1 to 5; whole blocks make up the axis.
		log2: u8,
		/// Neighbours are in a column for `Rows`, in a row for `Cols`.
		axis: Axis,
	},
	/// One data input `[N, C] -> [batch, C]`, any type: the rows in their order, `batch` more each step, and from the first
	/// again after the last: [`crate::shape::next_row`].
	NextBatch,
}

/// One operation: inputs, and the one tensor it defines.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Op {
	/// What it does.
	pub kind: OpKind,
	/// Its inputs, as many as the kind takes (at most 3).
	pub inputs: Vec<Operand>,
	/// The [`Role::Temp`] tensor it defines.
	pub output: TensorId,
}

/// At the end of a step, `state` takes the value of `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Update {
	/// A [`Role::Param`] or [`Role::State`] tensor.
	pub state: TensorId,
	/// A [`Role::Temp`] tensor of the same type and shape.
	pub value: TensorId,
}

/// A whole program.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Program {
	/// What holds for the whole program.
	pub header: Header,
	/// Every tensor.
	pub tensors: Vec<TensorDecl>,
	/// Every op, in topological order.
	pub ops: Vec<Op>,
	/// Assignments at the end of a step, at most one per tensor, ascending by state tensor id.
	pub updates: Vec<Update>,
	/// `[1, 1]` temps worth showing while the job runs, such as the loss. Not committed to by the state.
	pub metrics: Vec<TensorId>,
}
