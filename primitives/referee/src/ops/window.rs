//! Windows over images, one link.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::{refine::Link, Window};
use assay_softfloat::F32;

/// Takes over the pixels under the link's rows of the window. `words` are the elements found so far; what lies in the
/// padding stays +0. `None` if a pixel is missing.
pub(crate) fn im2col(
	window: &Window,
	channels: u32,
	out: &Region,
	link: &Link,
	mut words: Vec<u32>,
	x: &[Patch],
) -> Option<Vec<u32>> {
	for (position, words) in (out.row0..).zip(words.chunks_exact_mut(out.cols as usize)) {
		for (col, word) in (out.col0..).zip(words) {
			let (place, channel) = (col.checked_div(channels)?, col.checked_rem(channels)?);
			let (y, x_in_window) = (place.checked_div(window.kernel_width)?, place.checked_rem(window.kernel_width)?);
			if !(link.start..link.end).contains(&y) {
				continue;
			}
			if let Some(pixel) = window.pixel(position, y, x_in_window) {
				*word = x.iter().find_map(|patch| patch.get(pixel, channel))?;
			}
		}
	}
	Some(words)
}

/// Adds what the link's places of the window hold for the pixels. `words` are the sums so far. `None` if an element is
/// missing.
pub(crate) fn col2im(
	window: &Window,
	channels: u32,
	out: &Region,
	link: &Link,
	mut words: Vec<u32>,
	x: &[Patch],
) -> Option<Vec<u32>> {
	for place in link.start..link.end {
		let (y, x_in_window) = (place.checked_div(window.kernel_width)?, place.checked_rem(window.kernel_width)?);
		for (pixel, words) in (out.row0..).zip(words.chunks_exact_mut(out.cols as usize)) {
			let Some(position) = window.position(pixel, y, x_in_window) else { continue };
			for (channel, word) in (out.col0..).zip(words) {
				let col = place.checked_mul(channels)?.checked_add(channel)?;
				let value = x.iter().find_map(|patch| patch.get(position, col))?;
				*word = F32(*word).add(F32(value)).0;
			}
		}
	}
	Some(words)
}
