//! The instructions that the interpreter knows.

/// A kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kernel {
	/// Bytes of each parameter, 4 or 8.
	pub(crate) parameters: Vec<usize>,
	/// Bytes of shared memory.
	pub(crate) shared: usize,
	/// Registers of a thread.
	pub(crate) registers: usize,
	/// What a thread does.
	pub(crate) code: Vec<Instruction>,
}

/// An instruction, done if its guard allows.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
	/// Line of the module, from 1.
	pub(crate) line: usize,
	/// A predicate register, and the value that it must have.
	pub(crate) guard: Option<(u32, bool)>,
	pub(crate) op: Op,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
	Register(u32),
	Constant(u64),
	/// `tid`, `ntid`, `ctaid`, `nctaid`; then x, y or z.
	Special(usize, usize),
}

/// An integer type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Int {
	pub(crate) bits: u32,
	pub(crate) signed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum IntOp {
	Add,
	Sub,
	MulLow,
	MulWide,
	Min,
	Max,
	Div,
	Rem,
	And,
	Or,
	Xor,
	Shl,
	Shr,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum FloatOp {
	Add,
	Sub,
	Mul,
	Div,
	Fma,
	Sqrt,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Compare {
	Eq,
	Ne,
	Lt,
	Le,
	Gt,
	Ge,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Space {
	Parameter,
	Global,
	Shared,
}

/// Memory that an instruction reads or writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
	pub(crate) space: Space,
	pub(crate) base: Source,
	pub(crate) offset: u64,
	/// Bytes of an element.
	pub(crate) width: usize,
}

/// Registers of a thread in a product of tiles.
#[derive(Clone, Debug)]
pub(crate) struct DotTile {
	pub(crate) to: [u32; 4],
	pub(crate) a: [Source; 4],
	pub(crate) b: [Source; 2],
	pub(crate) c: [Source; 4],
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
	Move {
		bits: u32,
		to: u32,
		from: Source,
	},
	Int {
		op: IntOp,
		of: Int,
		to: u32,
		a: Source,
		b: Source,
	},
	Not {
		bits: u32,
		to: u32,
		from: Source,
	},
	/// The upper half of `high:low` shifted left by `by` modulo 32.
	FunnelLeft {
		to: u32,
		low: Source,
		high: Source,
		by: Source,
	},
	/// `c` and the products of the signed bytes of `a` and `b`.
	DotBytes {
		to: u32,
		a: Source,
		b: Source,
		c: Source,
	},
	/// `into` with `len` bits from `first` on replaced by the low ones of `from`.
	InsertBits {
		bits: u32,
		to: u32,
		from: Source,
		into: Source,
		first: Source,
		len: Source,
	},
	/// `len` bits from `first` on.
	ExtractBits {
		bits: u32,
		to: u32,
		from: Source,
		first: Source,
		len: Source,
	},
	CompareInt {
		how: Compare,
		of: Int,
		to: u32,
		a: Source,
		b: Source,
	},
	/// `or_unordered`: also true if an operand is NaN.
	CompareFloat {
		how: Compare,
		or_unordered: bool,
		to: u32,
		a: Source,
		b: Source,
	},
	Select {
		bits: u32,
		to: u32,
		yes: Source,
		no: Source,
		condition: Source,
	},
	Convert {
		from_type: Int,
		to_bits: u32,
		to: u32,
		from: Source,
	},
	Float {
		op: FloatOp,
		to: u32,
		a: Source,
		b: Source,
		c: Source,
	},
	Load {
		place: Place,
		to: Vec<u32>,
	},
	Store {
		place: Place,
		from: Vec<Source>,
	},
	/// By all threads of a warp together: `to` is `c` plus 16 x 32 bytes times 32 x 8 bytes.
	DotTile(Box<DotTile>),
	Branch {
		to: usize,
	},
	Barrier,
	Return,
}
