//! Sums and maxima over an axis, in the order of the numerics contract.
//!
//! Per segment of 4096 elements, lane `l` of 32 takes the elements whose position is `l` modulo 32, ascending; a halving
//! tree joins the lanes; segments are joined ascending. A sum's lanes start from +0; a maximum's start from their first
//! element, and a lane without one takes no part.

use assay_program::Reduction;
use assay_softfloat::Real;

use crate::{
	hard::Hard,
	matrix::{is_raised, non_finite_flag},
	path::{Kernel, Supported},
};
#[cfg(target_arch = "x86_64")]
use crate::{lanes, Path};

const LANES: usize = 32;
const SEGMENT: usize = 4096;
/// Columns that one pass of a reduction over rows carries; their lanes fit the first-level cache.
const STRIP: usize = 128;

/// `[rows, cols] -> [rows, 1]` over rows that `x` holds whole. Returns whether every output is finite.
pub(crate) fn over_cols(path: Supported, reduction: Reduction, x: &[u32], cols: usize, out: &mut [u32]) -> bool {
	match reduction {
		#[cfg(target_arch = "x86_64")]
		Reduction::Sum if path.vectors() == Path::Avx512 => by_vectors::<true>(path, x, cols, out),
		#[cfg(target_arch = "x86_64")]
		Reduction::Max if path.vectors() == Path::Avx512 => by_vectors::<false>(path, x, cols, out),
		Reduction::Sum => path.run(OverCols::<true> { x, cols, out }),
		Reduction::Max => path.run(OverCols::<false> { x, cols, out }),
	}
}

/// As the maximum over columns of the magnitudes of `x`. Returns whether all of these are finite.
pub(crate) fn magnitudes(path: Supported, x: &[u32], cols: usize, out: &mut [u32]) -> bool {
	#[cfg(target_arch = "x86_64")]
	if path.vectors() == Path::Avx512 {
		return rows::<false, true>(x, cols, out, |segment| match segment.len() {
			// SAFETY: the path is one that the processor was found to have.
			LANES.. => Hard::from_bits(unsafe { lanes::largest::<true>(segment) }),
			_ => of_magnitudes(segment),
		});
	}
	path.run(Magnitudes { x, cols, out })
}

struct Magnitudes<'a, 'b> {
	x: &'a [u32],
	cols: usize,
	out: &'b mut [u32],
}

impl Kernel for Magnitudes<'_, '_> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		rows::<false, FUSED>(self.x, self.cols, self.out, of_magnitudes)
	}
}

#[inline(always)]
fn of_magnitudes<const FUSED: bool>(segment: &[u32]) -> Hard<FUSED> {
	row_segment_of::<false, FUSED>(segment, |bits| bits & 0x7fff_ffff)
}

/// Rows by the vectors that the path has.
#[cfg(target_arch = "x86_64")]
fn by_vectors<const SUM: bool>(path: Supported, x: &[u32], cols: usize, out: &mut [u32]) -> bool {
	debug_assert_eq!(path.vectors(), Path::Avx512);
	rows::<SUM, true>(x, cols, out, |segment| match segment.len() {
		// SAFETY: the caller matched the path, which the processor was found to have.
		_ if SUM => Hard::from_bits(unsafe { lanes::sum(segment) }),
		// SAFETY: as above.
		LANES.. => Hard::from_bits(unsafe { lanes::largest::<false>(segment) }),
		_ => row_segment::<false, true>(segment),
	})
}

/// `[rows, cols] -> [1, cols]`, for the `out.len()` columns from `first`. Returns whether every output is finite.
pub(crate) fn over_rows(
	path: Supported,
	reduction: Reduction,
	x: &[u32],
	cols: usize,
	first: usize,
	out: &mut [u32],
) -> bool {
	match reduction {
		Reduction::Sum => path.run(OverRows::<true> { x, cols, first, out }),
		Reduction::Max => path.run(OverRows::<false> { x, cols, first, out }),
	}
}

#[inline(always)]
fn join<const SUM: bool, R: Real>(a: R, b: R) -> R {
	if SUM {
		a.add(b)
	} else {
		a.max(b)
	}
}

struct OverCols<'a, 'b, const SUM: bool> {
	x: &'a [u32],
	cols: usize,
	out: &'b mut [u32],
}

impl<const SUM: bool> Kernel for OverCols<'_, '_, SUM> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		rows::<SUM, FUSED>(self.x, self.cols, self.out, row_segment::<SUM, FUSED>)
	}
}

/// Joins what `of_segment` gives for the segments of each row. Returns whether every output is finite.
#[inline(always)]
fn rows<const SUM: bool, const FUSED: bool>(
	x: &[u32],
	cols: usize,
	out: &mut [u32],
	of_segment: impl Fn(&[u32]) -> Hard<FUSED>,
) -> bool {
	let mut flags = 0u32;
	for (row, out) in x.chunks_exact(cols).zip(out) {
		let mut total = Hard::<FUSED>::from_bits(0);
		for (index, segment) in row.chunks(SEGMENT).enumerate() {
			let value = of_segment(segment);
			total = if index == 0 { value } else { join::<SUM, _>(total, value) };
		}
		*out = total.to_bits();
		flags |= non_finite_flag(*out);
	}
	!is_raised(flags)
}

#[inline(always)]
fn row_segment<const SUM: bool, const FUSED: bool>(segment: &[u32]) -> Hard<FUSED> {
	row_segment_of::<SUM, FUSED>(segment, |bits| bits)
}

/// A segment of which `element` makes what is reduced.
#[inline(always)]
fn row_segment_of<const SUM: bool, const FUSED: bool>(segment: &[u32], element: impl Fn(u32) -> u32) -> Hard<FUSED> {
	let mut lanes = [Hard::<FUSED>::from_bits(0); LANES];
	let mut present = LANES;
	let mut groups = segment.chunks(LANES);
	if !SUM {
		// The first group is where the lanes start, and the only one that may leave lanes absent.
		let first = groups.next().unwrap_or(&[]);
		present = first.len();
		for (lane, bits) in lanes.iter_mut().zip(first) {
			*lane = Hard::from_bits(element(*bits));
		}
	}
	for group in groups {
		if let Ok(group) = <&[u32; LANES]>::try_from(group) {
			for l in 0..LANES {
				lanes[l] = join::<SUM, _>(lanes[l], Hard::from_bits(element(group[l])));
			}
		} else {
			for (lane, bits) in lanes.iter_mut().zip(group) {
				*lane = join::<SUM, _>(*lane, Hard::from_bits(element(*bits)));
			}
		}
	}
	let mut half = LANES / 2;
	while half > 0 {
		for l in 0..half {
			if l + half < present {
				lanes[l] = join::<SUM, _>(lanes[l], lanes[l + half]);
			}
		}
		present = present.min(half);
		half /= 2;
	}
	lanes[0]
}

struct OverRows<'a, 'b, const SUM: bool> {
	x: &'a [u32],
	cols: usize,
	first: usize,
	out: &'b mut [u32],
}

impl<const SUM: bool> Kernel for OverRows<'_, '_, SUM> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let rows = self.x.len() / self.cols;
		let mut flags = 0u32;
		let mut col = self.first;
		for out in self.out.chunks_mut(STRIP) {
			let mut totals = [Hard::<FUSED>::from_bits(0); STRIP];
			let mut start = 0;
			while start < rows {
				let end = rows.min(start + SEGMENT);
				let values = strip_segment::<SUM, FUSED>(self.x, self.cols, col, out.len(), start, end);
				for (total, value) in totals.iter_mut().zip(values) {
					*total = if start == 0 { value } else { join::<SUM, _>(*total, value) };
				}
				start = end;
			}
			for (out, total) in out.iter_mut().zip(totals) {
				*out = total.to_bits();
				flags |= non_finite_flag(*out);
			}
			col += out.len();
		}
		!is_raised(flags)
	}
}

/// One segment of `width` columns from `col`, rows `start..end`.
#[inline(always)]
fn strip_segment<const SUM: bool, const FUSED: bool>(
	x: &[u32],
	cols: usize,
	col: usize,
	width: usize,
	start: usize,
	end: usize,
) -> [Hard<FUSED>; STRIP] {
	let mut lanes = [[Hard::<FUSED>::from_bits(0); STRIP]; LANES];
	for row in start..end {
		let source = &x[row * cols + col..][..width];
		let position = row - start;
		let lane = &mut lanes[position % LANES];
		if !SUM && position < LANES {
			for (value, bits) in lane.iter_mut().zip(source) {
				*value = Hard::from_bits(*bits);
			}
		} else if let Ok(source) = <&[u32; STRIP]>::try_from(source) {
			for i in 0..STRIP {
				lane[i] = join::<SUM, _>(lane[i], Hard::from_bits(source[i]));
			}
		} else {
			for (value, bits) in lane.iter_mut().zip(source) {
				*value = join::<SUM, _>(*value, Hard::from_bits(*bits));
			}
		}
	}
	let mut present = if SUM { LANES } else { LANES.min(end - start) };
	let mut half = LANES / 2;
	while half > 0 {
		let (low, high) = lanes.split_at_mut(half);
		for l in 0..half {
			if l + half < present {
				for (a, b) in low[l].iter_mut().zip(&high[l]) {
					*a = join::<SUM, _>(*a, *b);
				}
			}
		}
		present = present.min(half);
		half /= 2;
	}
	lanes[0]
}
