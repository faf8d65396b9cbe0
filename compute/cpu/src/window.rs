//! Windows over images. A band is whole rows of the output from row `first`.

use assay_program::Window;

use crate::{
	matrix::{floats, floats_mut, Matrix},
	path::Kernel,
};

/// The pixels under the window at each position, +0 in the padding. `across` is the positions across, `each` those of an
/// image.
pub(crate) fn im2col(
	window: &Window,
	(each, across): (usize, usize),
	x: &Matrix<'_>,
	first: usize,
	cols: usize,
	band: &mut [u32],
) {
	let channels = x.cols as usize;
	let [height, width, kernel_width, stride, padding] =
		[window.height, window.width, window.kernel_width, window.stride, window.padding].map(|side| side as usize);
	for (position, out) in (first..).zip(band.chunks_exact_mut(cols)) {
		let (image, row, col) = (position / each, position % each / across, position % across);
		// The window's first column in the padded image; its columns that lie in the image.
		let left = col * stride;
		let from = padding.saturating_sub(left).min(kernel_width);
		let to = (width + padding).saturating_sub(left).min(kernel_width).max(from);
		for (y, out) in out.chunks_exact_mut(kernel_width * channels).enumerate() {
			let pixel_row = (row * stride + y).checked_sub(padding).filter(|row| *row < height);
			let Some(pixel_row) = pixel_row.filter(|_| from < to) else {
				out.fill(0);
				continue;
			};
			let pixel = (image * height + pixel_row) * width + left + from - padding;
			let source = &x.bits[pixel * channels..][..(to - from) * channels];
			out[..from * channels].fill(0);
			out[from * channels..to * channels].copy_from_slice(source);
			out[to * channels..].fill(0);
		}
	}
}

/// Sums over the windows that lie over each pixel.
pub(crate) struct Col2im<'a, 'b> {
	pub(crate) window: Window,
	pub(crate) x: Matrix<'a>,
	pub(crate) channels: usize,
	/// Positions of an image, and across.
	pub(crate) positions: (usize, usize),
	pub(crate) first: usize,
	pub(crate) band: &'b mut [u32],
}

impl Kernel for Col2im<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let Col2im { window, x, channels, positions: (each, across), first, band } = self;
		let [width, kernel_height, kernel_width, stride, padding] =
			[window.width, window.kernel_height, window.kernel_width, window.stride, window.padding]
				.map(|side| side as usize);
		let (pixels, down) = (window.height as usize * width, each / across);
		let (x, cols) = (floats(x.bits), x.cols as usize);
		// The position, along one axis, at which place `within` of the window lies over a pixel.
		let along = |at: usize, within: usize, extent: usize| {
			let padded = (at + padding).checked_sub(within).filter(|padded| padded.is_multiple_of(stride))?;
			Some(padded / stride).filter(|position| *position < extent)
		};
		for (pixel, sums) in (first..).zip(floats_mut(band).chunks_exact_mut(channels)) {
			sums.fill(0.0);
			let (image, row, col) = (pixel / pixels, pixel % pixels / width, pixel % width);
			for y in 0..kernel_height {
				let Some(row) = along(row, y, down) else { continue };
				for x_in_window in 0..kernel_width {
					let Some(col) = along(col, x_in_window, across) else { continue };
					let position = image * each + row * across + col;
					let values = &x[position * cols + (y * kernel_width + x_in_window) * channels..][..channels];
					for (sum, value) in sums.iter_mut().zip(values) {
						*sum += *value;
					}
				}
			}
		}
	}
}
