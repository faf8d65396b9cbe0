//! Elementwise ops with broadcast.
//!
//! The work goes by output rows, or as one long row where no input is repeated along an axis. What is constant along a row
//! (a scalar, or an input of one column) is read once for it.

use core::marker::PhantomData;

use assay_program::{BinaryKind, UnaryKind};
use assay_softfloat::{functions, Real};

use crate::{
	hard::Hard,
	matrix::{is_raised, non_finite_flag},
	path::{Kernel, Supported},
	sources::Sources,
};

/// An elementwise function of up to three inputs.
trait Function {
	/// Inputs that matter; the others are passed any bits.
	const ARITY: usize;
	/// The bits of a number, or an integer.
	type Output: Copy;

	/// The result from the bits of the inputs.
	fn apply<R: Real>(a: u32, b: u32, c: u32) -> Self::Output;

	/// [`non_finite_flag`] of a number.
	fn flag(value: Self::Output) -> u32;
}

/// The elementwise ops that give numbers.
#[derive(Clone, Copy)]
pub(crate) enum Elementwise {
	Unary(UnaryKind),
	Binary(BinaryKind),
	Fma,
	Dequantise,
}

macro_rules! functions {
	($($name:ident($arity:literal) = |$a:ident, $b:ident, $c:ident| $value:expr;)*) => {
		$(
			struct $name;
			impl Function for $name {
				const ARITY: usize = $arity;
				type Output = u32;

				#[inline(always)]
				fn apply<R: Real>(a: u32, b: u32, c: u32) -> u32 {
					let ($a, $b, $c) = (R::from_bits(a), R::from_bits(b), R::from_bits(c));
					let value: R = $value;
					value.to_bits()
				}

				#[inline(always)]
				fn flag(value: u32) -> u32 {
					non_finite_flag(value)
				}
			}
		)*
	};
}

functions! {
	Neg(1) = |a, _b, _c| a.neg();
	Abs(1) = |a, _b, _c| a.abs();
	Relu(1) = |a, _b, _c| a.relu();
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
	type Output = i8;

	#[inline(always)]
	fn apply<R: Real>(x: u32, scale: u32, _: u32) -> i8 {
		// In range: it is clamped.
		functions::quantise(R::from_bits(x), R::from_bits(scale)) as i8
	}

	#[inline(always)]
	fn flag(_: i8) -> u32 {
		0
	}
}

/// The number of an integer at two scales.
struct Dequantise;

impl Function for Dequantise {
	const ARITY: usize = 3;
	type Output = u32;

	#[inline(always)]
	fn apply<R: Real>(value: u32, row: u32, col: u32) -> u32 {
		functions::dequantise(value as i32, R::from_bits(row), R::from_bits(col)).to_bits()
	}

	#[inline(always)]
	fn flag(value: u32) -> u32 {
		non_finite_flag(value)
	}
}

/// Fills `out` and tells whether every element is finite.
pub(crate) fn run(path: Supported, op: Elementwise, sources: Sources<'_>, out: &mut [u32]) -> bool {
	let function = match op {
		Elementwise::Unary(UnaryKind::Neg) => one::<Neg>,
		Elementwise::Unary(UnaryKind::Abs) => one::<Abs>,
		Elementwise::Unary(UnaryKind::Relu) => one::<Relu>,
		Elementwise::Unary(UnaryKind::Exp) => one::<Exp>,
		Elementwise::Unary(UnaryKind::Log) => one::<Log>,
		Elementwise::Unary(UnaryKind::Tanh) => one::<Tanh>,
		Elementwise::Unary(UnaryKind::Sqrt) => one::<Sqrt>,
		Elementwise::Unary(UnaryKind::Sigmoid) => one::<Sigmoid>,
		Elementwise::Unary(UnaryKind::Erf) => one::<Erf>,
		Elementwise::Unary(UnaryKind::Sin) => one::<Sin>,
		Elementwise::Unary(UnaryKind::Cos) => one::<Cos>,
		Elementwise::Unary(UnaryKind::Rsqrt) => one::<Rsqrt>,
		Elementwise::Binary(BinaryKind::Add) => two::<Add>,
		Elementwise::Binary(BinaryKind::Sub) => two::<Sub>,
		Elementwise::Binary(BinaryKind::Mul) => two::<Mul>,
		Elementwise::Binary(BinaryKind::Div) => two::<Div>,
		Elementwise::Binary(BinaryKind::Max) => two::<Max>,
		Elementwise::Binary(BinaryKind::Min) => two::<Min>,
		Elementwise::Binary(BinaryKind::Greater) => two::<Greater>,
		Elementwise::Fma => three::<MultiplyAdd>,
		Elementwise::Dequantise => three::<Dequantise>,
	};
	function(path, sources, out)
}

/// Fills `out` with the integers of numbers at scales.
pub(crate) fn quantise(path: Supported, sources: Sources<'_>, out: &mut [i8]) {
	two::<Quantise>(path, sources, out);
}

fn one<F: Function>(path: Supported, sources: Sources<'_>, out: &mut [F::Output]) -> bool {
	match sources.along() {
		[true, ..] => path.run(Rows::<F, true, true, true>::new(sources, out)),
		[false, ..] => path.run(Rows::<F, false, false, false>::new(sources, out)),
	}
}

fn two<F: Function>(path: Supported, sources: Sources<'_>, out: &mut [F::Output]) -> bool {
	match sources.along() {
		[true, true, _] => path.run(Rows::<F, true, true, true>::new(sources, out)),
		[true, false, _] => path.run(Rows::<F, true, false, false>::new(sources, out)),
		[false, true, _] => path.run(Rows::<F, false, true, true>::new(sources, out)),
		[false, false, _] => path.run(Rows::<F, false, false, false>::new(sources, out)),
	}
}

fn three<F: Function>(path: Supported, sources: Sources<'_>, out: &mut [F::Output]) -> bool {
	match sources.along() {
		[true, true, true] => path.run(Rows::<F, true, true, true>::new(sources, out)),
		[true, true, false] => path.run(Rows::<F, true, true, false>::new(sources, out)),
		[true, false, true] => path.run(Rows::<F, true, false, true>::new(sources, out)),
		[true, false, false] => path.run(Rows::<F, true, false, false>::new(sources, out)),
		[false, true, true] => path.run(Rows::<F, false, true, true>::new(sources, out)),
		[false, true, false] => path.run(Rows::<F, false, true, false>::new(sources, out)),
		[false, false, true] => path.run(Rows::<F, false, false, true>::new(sources, out)),
		[false, false, false] => path.run(Rows::<F, false, false, false>::new(sources, out)),
	}
}

/// All rows. `A`, `B` and `C` tell whether an input has an element for each of a row or one for all; inputs that do not
/// matter are as the last one that does.
struct Rows<'a, 'b, F: Function, const A: bool, const B: bool, const C: bool> {
	sources: Sources<'a>,
	out: &'b mut [F::Output],
	function: PhantomData<F>,
}

impl<'a, 'b, F: Function, const A: bool, const B: bool, const C: bool> Rows<'a, 'b, F, A, B, C> {
	fn new(sources: Sources<'a>, out: &'b mut [F::Output]) -> Self {
		Self { sources, out, function: PhantomData }
	}
}

impl<F: Function, const A: bool, const B: bool, const C: bool> Kernel for Rows<'_, '_, F, A, B, C> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let Sources { sources: [a, b, c], cols, .. } = self.sources;
		// Inputs that do not matter are the last one that does, whose flag is also theirs.
		let b = if F::ARITY > 1 { b } else { a };
		let c = if F::ARITY > 2 { c } else { b };
		let mut flags = 0u32;
		for (row, out) in self.out.chunks_exact_mut(cols).enumerate() {
			let a = &a.bits[row * a.row_stride..][..if A { cols } else { 1 }];
			let b = &b.bits[row * b.row_stride..][..if B { cols } else { 1 }];
			let c = &c.bits[row * c.row_stride..][..if C { cols } else { 1 }];
			flags |= map::<F, FUSED, A, B, C>(a, b, c, out);
		}
		!is_raised(flags)
	}
}

/// `out = F(a, b, c)` over a row; returns the elements' flags. Nothing but slices that matter, of one length, and constants:
/// that is what the compiler vectorises.
#[inline(always)]
fn map<F: Function, const FUSED: bool, const A: bool, const B: bool, const C: bool>(
	a: &[u32],
	b: &[u32],
	c: &[u32],
	out: &mut [F::Output],
) -> u32 {
	let (first_a, first_b, first_c) = (a[0], b[0], c[0]);
	if !A && !B && !C {
		// Not in a loop: the compiler would make a loop for every way through the function.
		let value = F::apply::<Hard<FUSED>>(first_a, first_b, first_c);
		out.fill(value);
		return F::flag(value);
	}
	let len = out.len();
	let (a, b, c) = (&a[..if A { len } else { 1 }], &b[..if B { len } else { 1 }], &c[..if C { len } else { 1 }]);
	let mut flags = 0u32;
	for i in 0..len {
		let x = if A { a[i] } else { first_a };
		let y = if B { b[i] } else { first_b };
		let z = if C { c[i] } else { first_c };
		let value = F::apply::<Hard<FUSED>>(x, y, z);
		out[i] = value;
		flags |= F::flag(value);
	}
	flags
}
