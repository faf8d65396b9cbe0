//! Windows that slide over images: what positions they take, and which pixel lies where.
//!
//! Images are stacked by rows: image `b` of `height x width` pixels is rows `b * height * width` on, a pixel's channels are
//! the columns (batch, height, width, channels in row-major order). Positions are stacked the same way.

use crate::refine::Link;
use alloc::vec::Vec;
use assay_commitment::Region;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Channels below which the pixels of one row of a window are read as one rectangle.
const NARROW: u32 = 32;

/// A window over images of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Window {
	/// Rows of pixels of an image.
	pub height: u32,
	/// Columns of pixels of an image.
	pub width: u32,
	/// Rows of the window.
	pub kernel_height: u32,
	/// Columns of the window.
	pub kernel_width: u32,
	/// Pixels from one position to the next, down and across.
	pub stride: u32,
	/// Rows and columns of zeros on every side of an image; less than the window's sides.
	pub padding: u32,
}

impl Window {
	/// Positions down and across. `None` if the window does not fit: a side, a stride or an image of zero, padding that is not
	/// less than the window's sides, a window larger than the padded image.
	pub fn positions(&self) -> Option<(u32, u32)> {
		let Window { kernel_height, kernel_width, stride, padding, .. } = *self;
		if self.pixels()? == 0 || padding >= kernel_height.min(kernel_width) {
			return None;
		}
		let along = |image: u32, kernel: u32| {
			let padded = image.checked_add(padding.checked_mul(2)?)?;
			padded.checked_sub(kernel)?.checked_div(stride)?.checked_add(1)
		};
		let positions = (along(self.height, kernel_height)?, along(self.width, kernel_width)?);
		positions.0.checked_mul(positions.1)?;
		self.places()?;
		Some(positions)
	}

	/// Pixels of an image.
	pub fn pixels(&self) -> Option<u32> {
		self.height.checked_mul(self.width)
	}

	/// Pixels under the window.
	pub fn places(&self) -> Option<u32> {
		self.kernel_height.checked_mul(self.kernel_width)
	}

	/// Images in `rows` stacked pixels, which must be whole images.
	pub fn images(&self, rows: u32) -> Option<u32> {
		whole(rows, self.pixels()?)
	}

	/// Images in `rows` stacked positions, which must be those of whole images.
	pub fn images_of_positions(&self, rows: u32) -> Option<u32> {
		let (down, across) = self.positions()?;
		whole(rows, down.checked_mul(across)?)
	}

	/// The pixel, as a row of the stacked images, under row `y` and column `x` of the window at a position, as a row of the
	/// stacked positions. `None` in the padding.
	pub fn pixel(&self, position: u32, y: u32, x: u32) -> Option<u32> {
		let (down, across) = self.positions()?;
		let (image, place) = split(position, down.checked_mul(across)?)?;
		let (row, col) = split(place, across)?;
		let along = |at: u32, within: u32, extent: u32| {
			let padded = at.checked_mul(self.stride)?.checked_add(within)?;
			padded.checked_sub(self.padding).filter(|at| *at < extent)
		};
		join(image, self.pixels()?, join(along(row, y, self.height)?, self.width, along(col, x, self.width)?)?)
	}

	/// The position at which row `y` and column `x` of the window lie over a pixel. `None` if there is none.
	pub fn position(&self, pixel: u32, y: u32, x: u32) -> Option<u32> {
		let (down, across) = self.positions()?;
		let (image, place) = split(pixel, self.pixels()?)?;
		let (row, col) = split(place, self.width)?;
		let along = |at: u32, within: u32, extent: u32| {
			let (position, rest) = split(at.checked_add(self.padding)?.checked_sub(within)?, self.stride)?;
			(rest == 0 && position < extent).then_some(position)
		};
		join(image, down.checked_mul(across)?, join(along(row, y, down)?, across, along(col, x, across)?)?)
	}

	/// What `Im2col` reads of images of `channels` for the output rectangle and the rows of the window in `link`.
	pub(crate) fn pixel_regions(&self, channels: u32, out: &Region, link: &Link) -> Option<Vec<Region>> {
		let mut regions = Vec::new();
		let wide = self.kernel_width.checked_mul(channels)?;
		for y in link.start..link.end {
			let begin = y.checked_mul(wide)?;
			let first = out.col0.max(begin);
			let end = out.col0.checked_add(out.cols)?.min(begin.checked_add(wide)?);
			if first >= end {
				continue;
			}
			let ((x_first, from), (x_last, to)) = (split(first - begin, channels)?, split(end - 1 - begin, channels)?);
			for position in out.row0..out.row0.checked_add(out.rows)? {
				let mut under = (x_first..=x_last).filter_map(|x| Some((x, self.pixel(position, y, x)?)));
				if x_first < x_last && channels < NARROW {
					// Pixels next to each other, for padding is at the ends only.
					let Some((_, row0)) = under.next() else { continue };
					let last = under.next_back().map_or(row0, |(_, row)| row);
					regions.push(Region { row0, rows: last - row0 + 1, col0: 0, cols: channels });
				} else {
					regions.extend(under.map(|(x, row0)| {
						let col0 = if x == x_first { from } else { 0 };
						let end = if x == x_last { to + 1 } else { channels };
						Region { row0, rows: 1, col0, cols: end - col0 }
					}));
				}
			}
		}
		Some(regions)
	}

	/// What `Col2im` to images of `channels` reads for the output rectangle and the places of the window in `link`.
	pub(crate) fn position_regions(&self, channels: u32, out: &Region, link: &Link) -> Option<Vec<Region>> {
		let mut regions = Vec::new();
		for place in link.start..link.end {
			let (y, x) = split(place, self.kernel_width)?;
			let col0 = join(place, channels, out.col0)?;
			for pixel in out.row0..out.row0.checked_add(out.rows)? {
				if let Some(row0) = self.position(pixel, y, x) {
					regions.push(Region { row0, rows: 1, col0, cols: out.cols });
				}
			}
		}
		Some(regions)
	}
}

/// `value / by` and the rest.
fn split(value: u32, by: u32) -> Option<(u32, u32)> {
	Some((value.checked_div(by)?, value.checked_rem(by)?))
}

/// `value * by + rest`.
fn join(value: u32, by: u32, rest: u32) -> Option<u32> {
	value.checked_mul(by)?.checked_add(rest)
}

/// `value / by`, without a rest.
fn whole(value: u32, by: u32) -> Option<u32> {
	split(value, by).filter(|(_, rest)| *rest == 0).map(|(parts, _)| parts)
}
