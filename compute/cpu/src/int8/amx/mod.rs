//! The innermost kernel for Intel's AMX: sums in registers of 16 x 16, called tiles.
//!
//! Nobody has run it on a processor that has AMX, and its speed is not known. What is known: the kernel is written over
//! [`Tiles`], a handful of instructions, and the same code gives the right bits on a model of them in software; and it is not
//! used in a process before it gave the bits of portable code there ([`standing`]).
//!
//! Panels of `B` are those of VNNI: row `w` of one holds word `w` of 32 columns, four bytes of the inner dimension each, which is
//! how the instruction takes its second operand. Its first operand is stored as rows, so panels of `A` are ([`pack`]).

#[cfg(not(feature = "modelled-tiles"))]
mod detection;
#[cfg(any(test, feature = "modelled-tiles"))]
mod model;
mod pack;
#[cfg(not(feature = "modelled-tiles"))]
mod processor;
mod standing;
#[cfg(test)]
mod tests;
mod tiles;

use core::marker::PhantomData;

use super::{
	kernel::{fold, four_bytes, Micro},
	pack::Source,
	Region,
};
use crate::{aligned::Aligned, path::Supported};
#[cfg(not(feature = "modelled-tiles"))]
use detection::usable;
#[cfg(feature = "modelled-tiles")]
use model::{usable, Model as Here};
#[cfg(not(feature = "modelled-tiles"))]
use processor::Processor as Here;
pub(crate) use standing::standing;
use tiles::{Config, Shape, Tiles};

/// The kernel of [`crate::Path::Amx`].
pub(super) type Kernel = Amx<Here>;

/// Rows of a tile, its words across, and the most words of the inner dimension in one.
const SIDE: usize = 16;
/// The same kernel on the model.
#[cfg(test)]
pub(super) type Modelled = Amx<model::Model>;

/// Side of the square of sums, two by two tiles.
const SQUARE: usize = 2 * SIDE;

/// 32 x 32 sums of products of four bytes, in four of the eight tiles; the others hold two of `A` and two of `B`.
pub(super) struct Amx<T>(PhantomData<T>);

impl<T: Tiles> Micro for Amx<T> {
	const ROWS: usize = SQUARE;
	const COLS: usize = SQUARE;
	const GROUP: usize = 4;
	const A_MASK: u32 = 0;
	/// A panel of `A` is 32 KiB then, which the first-level cache of these processors holds.
	const BLOCK_WORDS: usize = 256;

	#[inline(always)]
	fn word(elements: &[i8]) -> u32 {
		four_bytes(elements)
	}

	fn pack_rows(path: Supported, rows: Source<'_>, panels: &mut Aligned) {
		pack::run::<Self>(path, rows, panels);
	}

	#[inline(always)]
	unsafe fn enter(rows: usize, words: usize) {
		let (rows, depth) = (rows.min(SIDE) as u8, words.min(SIDE) as u8);
		let sums = Shape { rows, words: SIDE as u8 };
		let (a, b) = (Shape { rows, words: depth }, Shape { rows: depth, words: SIDE as u8 });
		// SAFETY: the caller vouches for the instructions.
		unsafe { T::configure(&Config::new([sums, sums, sums, sums, a, a, b, b])) };
	}

	#[inline(always)]
	unsafe fn leave() {
		// SAFETY: as above.
		unsafe { T::release() };
	}

	#[inline(always)]
	unsafe fn run(a: &[u32], b: &[u32], _: &[u32], first: bool, out: Region<'_, u32>) {
		let mut sums = Square([0; SQUARE * SQUARE]);
		// SAFETY: as above; `enter` configured the tiles.
		unsafe {
			match (out.rows() > SIDE, out.cols() > SIDE) {
				(false, false) => multiply::<T, false, false>(a, b, &mut sums),
				(false, true) => multiply::<T, false, true>(a, b, &mut sums),
				(true, false) => multiply::<T, true, false>(a, b, &mut sums),
				(true, true) => multiply::<T, true, true>(a, b, &mut sums),
			}
		}
		fold(&sums.0, SQUARE, first, out);
	}
}

/// Sums on their way from the tiles, none across two cache lines.
#[repr(align(64))]
struct Square([u32; SQUARE * SQUARE]);

/// The sums of a panel of `A`, its lower half only if `TALL`, and a panel of `B`, its right half only if `WIDE`.
///
/// # Safety
///
/// The tiles can be used and are configured by [`Micro::enter`] for panels of this size.
#[inline(always)]
unsafe fn multiply<T: Tiles, const TALL: bool, const WIDE: bool>(a: &[u32], b: &[u32], sums: &mut Square) {
	let words = b.len() / SQUARE;
	let depth = words.min(SIDE);
	// SAFETY: the caller vouches for the tiles.
	unsafe {
		T::zero::<0>();
		T::zero::<1>();
		T::zero::<2>();
		T::zero::<3>();
		for (at, a) in a.chunks_exact(SQUARE * depth).enumerate() {
			let (upper, lower) = a.split_at(SIDE * depth);
			// The last one ends with the panel; where it begins before the last but one ends, `A` holds zeros.
			let b = &b[(at * SIDE).min(words - depth) * SQUARE..][..depth * SQUARE];
			T::load::<4>(upper, depth);
			T::load::<6>(b, SQUARE);
			T::add_products::<0, 4, 6>();
			if WIDE {
				T::load::<7>(&b[SIDE..], SQUARE);
				T::add_products::<1, 4, 7>();
			}
			if TALL {
				T::load::<5>(lower, depth);
				T::add_products::<2, 5, 6>();
			}
			if TALL && WIDE {
				T::add_products::<3, 5, 7>();
			}
		}
		let (upper, lower) = sums.0.split_at_mut(SIDE * SQUARE);
		T::store::<0>(upper, SQUARE);
		if WIDE {
			T::store::<1>(&mut upper[SIDE..], SQUARE);
		}
		if TALL {
			T::store::<2>(lower, SQUARE);
		}
		if TALL && WIDE {
			T::store::<3>(&mut lower[SIDE..], SQUARE);
		}
	}
}
