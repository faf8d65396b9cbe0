//! Elementwise ops with broadcast.
//!
//! Inputs are walked in blocks of one output row that fit the first-level cache. A constant stretch (a scalar, or an
//! input of one column) is spread into a buffer of block length, so every kernel loops over plain slices.

use core::marker::PhantomData;

use assay_program::{BinaryKind, UnaryKind};
use assay_softfloat::{functions, Real};

use crate::{
	hard::Hard,
	matrix::{is_raised, non_finite_flag, Input},
	path::{Kernel, Supported},
};

/// Elements of a block.
const BLOCK: usize = 1024;

/// One input as seen from an output of `[rows, cols]`.
#[derive(Clone, Copy)]
struct Source<'a> {
	bits: &'a [u32],
	/// Elements from one output row to the next: the input's columns, or 0 where its row is repeated.
	row_stride: usize,
	/// Whether the input has one element per output column, rather than one repeated along the row.
	along: bool,
}

/// The inputs of an elementwise op over an output `[rows, cols]`, unused ones being constants.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
	sources: [Source<'a>; 3],
	rows: usize,
	cols: usize,
}

impl<'a> Sources<'a> {
	/// `None` if an input cannot be broadcast to `[rows, cols]`.
	pub(crate) fn new(inputs: &'a [Input<'a>], rows: usize, cols: usize) -> Option<Self> {
		let mut sources = [Source { bits: &[0], row_stride: 0, along: false }; 3];
		for (source, input) in sources.iter_mut().zip(inputs) {
			*source = match input {
				Input::Scalar(bits) => Source { bits: core::slice::from_ref(bits), row_stride: 0, along: false },
				Input::Tensor(matrix) => {
					let (r, c) = (matrix.rows as usize, matrix.cols as usize);
					if (r != 1 && r != rows) || (c != 1 && c != cols) || matrix.bits.len() != r * c {
						return None;
					}
					Source { bits: matrix.bits, row_stride: if r == 1 { 0 } else { c }, along: c == cols && c != 1 }
				}
			};
		}
		Some(Self { sources, rows, cols }.flattened())
	}

	/// One long row, where every input is either whole or a constant.
	fn flattened(self) -> Self {
		let elements = self.rows * self.cols;
		if !self.sources.iter().all(|source| source.bits.len() == elements || source.bits.len() == 1) {
			return self;
		}
		let sources = self.sources.map(|source| {
			let along = source.bits.len() == elements && elements != 1;
			Source { bits: source.bits, row_stride: 0, along }
		});
		Self { sources, rows: 1, cols: elements }
	}

	/// Whether the work is one row, to be split by columns instead of rows.
	pub(crate) fn is_flat(&self) -> bool {
		self.rows == 1
	}

	/// Columns after flattening.
	pub(crate) fn cols(&self) -> usize {
		self.cols
	}

	/// The part of the work whose output is `len` elements from element `start`; whole rows unless flat.
	pub(crate) fn part(&self, start: usize, len: usize) -> Self {
		if self.is_flat() {
			let sources = self.sources.map(|source| match source.along {
				true => Source { bits: &source.bits[start..start + len], ..source },
				false => source,
			});
			return Self { sources, rows: 1, cols: len };
		}
		let (row, rows) = (start / self.cols, len / self.cols);
		let sources = self.sources.map(|source| Source { bits: &source.bits[row * source.row_stride..], ..source });
		Self { sources, rows, cols: self.cols }
	}
}

/// An elementwise function of up to three inputs.
trait Function {
	/// Inputs that matter; the others are passed any bits.
	const ARITY: usize;
	/// Whether the result is a number, which must be finite.
	const NUMBER: bool;

	/// The bits of the result from those of the inputs.
	fn apply<R: Real>(a: u32, b: u32, c: u32) -> u32;
}

/// The elementwise ops.
#[derive(Clone, Copy)]
pub(crate) enum Elementwise {
	Unary(UnaryKind),
	Binary(BinaryKind),
	Fma,
	Quantise,
	Dequantise,
}

macro_rules! functions {
	($($name:ident($arity:literal) = |$a:ident, $b:ident, $c:ident| $value:expr;)*) => {
		$(
			struct $name;
			impl Function for $name {
				const ARITY: usize = $arity;
				const NUMBER: bool = true;

				#[inline(always)]
				fn apply<R: Real>(a: u32, b: u32, c: u32) -> u32 {
					let ($a, $b, $c) = (R::from_bits(a), R::from_bits(b), R::from_bits(c));
					let value: R = $value;
					value.to_bits()
				}
			}
		)*
	};
}

functions! {
	Neg(1) = |a, _b, _c| a.neg();
	Abs(1) = |a, _b, _c| a.abs();
	Relu(1) = |a, _b, _c| R::select(R::from_bits(0).lt(a), a, R::from_bits(0));
	Exp(1) = |a, _b, _c| functions::exp(a);
	Log(1) = |a, _b, _c| functions::log(a);
	Tanh(1) = |a, _b, _c| functions::tanh(a);
	Sqrt(1) = |a, _b, _c| a.sqrt();
	Sigmoid(1) = |a, _b, _c| functions::sigmoid(a);
	Erf(1) = |a, _b, _c| functions::erf(a);
	Sin(1) = |a, _b, _c| functions::sin(a);
	Cos(1) = |a, _b, _c| functions::cos(a);
	Rsqrt(1) = |a, _b, _c| functions::rsqrt(a);
	Add(2) = |a, b, _c| a.add(b);
	Sub(2) = |a, b, _c| a.sub(b);
	Mul(2) = |a, b, _c| a.mul(b);
	Div(2) = |a, b, _c| a.div(b);
	Max(2) = |a, b, _c| a.max(b);
	Min(2) = |a, b, _c| a.min(b);
	Greater(2) = |a, b, _c| R::select(b.lt(a), R::from_bits(0x3f80_0000), R::from_bits(0));
	MultiplyAdd(3) = |a, b, c| a.fma(b, c);
}

/// The integer of a number at a scale.
struct Quantise;

impl Function for Quantise {
	const ARITY: usize = 2;
	const NUMBER: bool = false;

	#[inline(always)]
	fn apply<R: Real>(x: u32, scale: u32, _: u32) -> u32 {
		functions::quantise(R::from_bits(x), R::from_bits(scale)) as u32
	}
}

/// The number of an integer at two scales.
struct Dequantise;

impl Function for Dequantise {
	const ARITY: usize = 3;
	const NUMBER: bool = true;

	#[inline(always)]
	fn apply<R: Real>(value: u32, row: u32, col: u32) -> u32 {
		functions::dequantise(value as i32, R::from_bits(row), R::from_bits(col)).to_bits()
	}
}

/// Fills `out` and tells whether every element that is a number is finite.
pub(crate) fn run(path: Supported, op: Elementwise, sources: Sources<'_>, out: &mut [u32]) -> bool {
	fn on<F: Function>(path: Supported, sources: Sources<'_>, out: &mut [u32]) -> bool {
		path.run(Blocks::<F> { sources, out, function: PhantomData })
	}
	let function = match op {
		Elementwise::Unary(UnaryKind::Neg) => on::<Neg>,
		Elementwise::Unary(UnaryKind::Abs) => on::<Abs>,
		Elementwise::Unary(UnaryKind::Relu) => on::<Relu>,
		Elementwise::Unary(UnaryKind::Exp) => on::<Exp>,
		Elementwise::Unary(UnaryKind::Log) => on::<Log>,
		Elementwise::Unary(UnaryKind::Tanh) => on::<Tanh>,
		Elementwise::Unary(UnaryKind::Sqrt) => on::<Sqrt>,
		Elementwise::Unary(UnaryKind::Sigmoid) => on::<Sigmoid>,
		Elementwise::Unary(UnaryKind::Erf) => on::<Erf>,
		Elementwise::Unary(UnaryKind::Sin) => on::<Sin>,
		Elementwise::Unary(UnaryKind::Cos) => on::<Cos>,
		Elementwise::Unary(UnaryKind::Rsqrt) => on::<Rsqrt>,
		Elementwise::Binary(BinaryKind::Add) => on::<Add>,
		Elementwise::Binary(BinaryKind::Sub) => on::<Sub>,
		Elementwise::Binary(BinaryKind::Mul) => on::<Mul>,
		Elementwise::Binary(BinaryKind::Div) => on::<Div>,
		Elementwise::Binary(BinaryKind::Max) => on::<Max>,
		Elementwise::Binary(BinaryKind::Min) => on::<Min>,
		Elementwise::Binary(BinaryKind::Greater) => on::<Greater>,
		Elementwise::Fma => on::<MultiplyAdd>,
		Elementwise::Quantise => on::<Quantise>,
		Elementwise::Dequantise => on::<Dequantise>,
	};
	function(path, sources, out)
}

struct Blocks<'a, 'b, F> {
	sources: Sources<'a>,
	out: &'b mut [u32],
	function: PhantomData<F>,
}

impl<F: Function> Kernel for Blocks<'_, '_, F> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let Sources { sources, rows, cols } = self.sources;
		let width = cols.min(BLOCK);
		let mut spread = [[0u32; BLOCK]; 3];
		let mut flags = 0u32;
		for row in 0..rows {
			for (buffer, source) in spread.iter_mut().zip(&sources) {
				if !source.along && (row == 0 || source.row_stride != 0) {
					buffer[..width].fill(source.bits[row * source.row_stride]);
				}
			}
			let mut col = 0;
			while col < cols {
				let len = BLOCK.min(cols - col);
				let stretch = |i: usize| match sources[i].along {
					true => &sources[i].bits[row * sources[i].row_stride + col..][..len],
					false => &spread[i][..len],
				};
				let out = &mut self.out[row * cols + col..][..len];
				flags |= map::<F, FUSED>(stretch(0), stretch(1), stretch(2), out);
				col += len;
			}
		}
		!is_raised(flags)
	}
}

/// `out = F(a, b, c)` over slices of one length; returns the elements' flags. A loop for each arity, over nothing but the
/// slices that matter, is what the compiler vectorises.
#[inline(always)]
fn map<F: Function, const FUSED: bool>(a: &[u32], b: &[u32], c: &[u32], out: &mut [u32]) -> u32 {
	let flag = |bits: u32| if F::NUMBER { non_finite_flag(bits) } else { 0 };
	let mut flags = 0u32;
	if F::ARITY == 1 {
		for (a, out) in a.iter().zip(out) {
			*out = F::apply::<Hard<FUSED>>(*a, *a, *a);
			flags |= flag(*out);
		}
	} else if F::ARITY == 2 {
		for ((a, b), out) in a.iter().zip(b).zip(out) {
			*out = F::apply::<Hard<FUSED>>(*a, *b, *b);
			flags |= flag(*out);
		}
	} else {
		for (((a, b), c), out) in a.iter().zip(b).zip(c).zip(out) {
			*out = F::apply::<Hard<FUSED>>(*a, *b, *c);
			flags |= flag(*out);
		}
	}
	flags
}
