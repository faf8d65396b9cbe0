//! The parts of a row joined, one after the other: what a window has under it, summed, or the largest of it.

use assay_program::Window;
use assay_softfloat::Real;

use crate::{
	hard::Hard,
	matrix::{is_raised, non_finite_flag},
	path::Kernel,
};

/// Most pixels under a window that is read in place.
pub(super) const MOST_PLACES: usize = 64;

/// Columns at a time, whose joined parts stay in registers.
const LANES: usize = 16;

/// Rows of `width` elements, each of them parts of `cols`.
pub(super) struct Places<'a, 'b> {
	pub(super) x: &'a [u32],
	pub(super) width: usize,
	/// What each element is multiplied by first, with a rounding of its own; a row for all.
	pub(super) weights: Option<&'a [u32]>,
	/// The maximum is taken instead of the sum.
	pub(super) is_max: bool,
	pub(super) cols: usize,
	pub(super) out: &'b mut [u32],
}

impl Kernel for Places<'_, '_> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let mut flags = 0;
		for (x, out) in self.x.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.cols)) {
			match (self.weights, self.is_max) {
				(None, false) => of_row::<FUSED>(x, x, out, |x, _| x, |a, b| a.add(b)),
				(None, true) => of_row::<FUSED>(x, x, out, |x, _| x, |a, b| a.max(b)),
				(Some(weights), _) => of_row::<FUSED>(x, weights, out, |x, w| x.mul(w), |a, b| a.add(b)),
			}
			flags |= out.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits));
		}
		!is_raised(flags)
	}
}

/// Joins what `part` makes of each element and its weight.
#[inline(always)]
fn of_row<const FUSED: bool>(
	x: &[u32],
	weights: &[u32],
	out: &mut [u32],
	part: impl Fn(Hard<FUSED>, Hard<FUSED>) -> Hard<FUSED>,
	join: impl Fn(Hard<FUSED>, Hard<FUSED>) -> Hard<FUSED>,
) {
	let cols = out.len();
	let part = |x: u32, w: u32| part(Hard::from_bits(x), Hard::from_bits(w));
	let (blocks, rest) = out.as_chunks_mut::<LANES>();
	let whole = blocks.len() * LANES;
	for (block, out) in blocks.iter_mut().enumerate() {
		// Arrays, not slices: with nothing to check, the sums stay in registers.
		let parts = x.chunks_exact(cols).zip(weights.chunks_exact(cols));
		let mut parts = parts.map(|(x, w)| (x.as_chunks::<LANES>().0[block], w.as_chunks::<LANES>().0[block]));
		let Some((x, w)) = parts.next() else { return };
		let mut joined: [Hard<FUSED>; LANES] = core::array::from_fn(|i| part(x[i], w[i]));
		for (x, w) in parts {
			for i in 0..LANES {
				joined[i] = join(joined[i], part(x[i], w[i]));
			}
		}
		for i in 0..LANES {
			out[i] = joined[i].to_bits();
		}
	}
	for (i, out) in rest.iter_mut().enumerate() {
		let at = |from: usize| part(x[from + whole + i], weights[from + whole + i]);
		*out = (cols..x.len()).step_by(cols).fold(at(0), |joined, from| join(joined, at(from))).to_bits();
	}
}

/// The pixels under a window at each position from `first` on, each times its weight, summed in their order; +0 stands for one
/// outside of the image. Of a product that is not finite neither is the sum.
pub(super) struct UnderWindow<'a, 'b> {
	pub(super) window: Window,
	/// Pixels of `channels`.
	pub(super) x: &'a [u32],
	/// A row for each pixel under the window, one after the other.
	pub(super) weights: &'a [u32],
	pub(super) first: usize,
	pub(super) channels: usize,
	pub(super) out: &'b mut [u32],
}

impl Kernel for UnderWindow<'_, '_> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let Self { window, x, weights, first, channels, out } = self;
		let (kernel_width, width) = (window.kernel_width as usize, window.width as usize);
		let Some((down, across)) = window.positions() else { return false };
		let (each, across) = (down as usize * across as usize, across as usize);
		let mut flags = 0;
		// Where each pixel under the window begins; nothing outside of the image.
		let mut pixels = [None; MOST_PLACES];
		let (mut image, mut row, mut col) = (first / each, first % each / across, first % across);
		for out in out.chunks_exact_mut(channels) {
			let along = |at: usize, within: usize, extent: usize| {
				let pixel = (at * window.stride as usize + within).checked_sub(window.padding as usize);
				pixel.filter(|pixel| *pixel < extent)
			};
			let mut places = pixels.iter_mut();
			for y in 0..window.kernel_height as usize {
				let y = along(row, y, window.height as usize);
				for (x, pixel) in (0..kernel_width).zip(&mut places) {
					let begin = |y: usize, x: usize| ((image * window.height as usize + y) * width + x) * channels;
					*pixel = y.zip(along(col, x, width)).map(|(y, x)| begin(y, x));
				}
			}
			let places = kernel_width * window.kernel_height as usize;
			of_position::<FUSED>(x, weights, &pixels[..places], out);
			flags |= out.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits));
			col += 1;
			if col == across {
				(row, col) = (row + 1, 0);
			}
			if row == down as usize {
				(image, row) = (image + 1, 0);
			}
		}
		!is_raised(flags)
	}
}

#[inline(always)]
fn of_position<const FUSED: bool>(x: &[u32], weights: &[u32], pixels: &[Option<usize>], out: &mut [u32]) {
	let channels = out.len();
	let product = |x: u32, w: u32| Hard::<FUSED>::from_bits(x).mul(Hard::from_bits(w));
	let (blocks, rest) = out.as_chunks_mut::<LANES>();
	let whole = blocks.len() * LANES;
	for (block, out) in blocks.iter_mut().enumerate() {
		let at = block * LANES;
		let mut sums = [Hard::<FUSED>::from_bits(0); LANES];
		for (place, (pixel, w)) in pixels.iter().zip(weights.chunks_exact(channels)).enumerate() {
			let x = pixel.map_or(&[0; LANES], |pixel| array(&x[pixel + at..]));
			let w = array(&w[at..]);
			for i in 0..LANES {
				let product = product(x[i], w[i]);
				sums[i] = if place == 0 { product } else { sums[i].add(product) };
			}
		}
		for i in 0..LANES {
			out[i] = sums[i].to_bits();
		}
	}
	for (i, out) in (whole..).zip(rest) {
		let mut products = pixels.iter().zip(weights.chunks_exact(channels)).map(|(pixel, w)| {
			let x = pixel.map_or(0, |pixel| x[pixel + i]);
			product(x, w[i])
		});
		let first = products.next().unwrap_or(Hard::from_bits(0));
		*out = products.fold(first, |sum, product| sum.add(product)).to_bits();
	}
}

/// The first elements of a slice that has them.
#[inline(always)]
fn array(x: &[u32]) -> &[u32; LANES] {
	x.first_chunk::<LANES>().unwrap_or(&[0; LANES])
}
