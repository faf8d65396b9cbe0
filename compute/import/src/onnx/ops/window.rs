//! Windows that slide over the pixels of images: their places and positions along each axis, and their pixels side by side.

use assay_models::Value;
use assay_program::Window;

use super::images::{gathered, Images};
use crate::onnx::{
	array::{elements, Lowering, Refusal},
	node::Call,
};

/// Largest side, stride, distance or padding of a window.
const MAX_SIDE: i64 = 1 << 16;

/// Most pixels under a window: each of them is at least an op where they are not multiplied.
const MAX_PLACES: u64 = 1 << 10;

/// A window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Along {
	/// Pixels of the image.
	pub(super) extent: u64,
	/// Places of the window.
	pub(super) kernel: u64,
	pub(super) stride: u64,
	/// Pixels from one place to the next.
	dilation: u64,
	/// Pixels of padding before and after the image.
	before: u64,
	after: u64,
	pub(super) positions: u64,
}

impl Along {
	/// The pixel under a place at a position, as far as it is one of the image; and whether it is one of the padded image.
	fn pixel(&self, position: u64, place: u64) -> (Option<u64>, bool) {
		let padded = position * self.stride + place * self.dilation;
		let pixel = padded.checked_sub(self.before).filter(|pixel| *pixel < self.extent);
		(pixel, padded < self.before + self.extent + self.after)
	}

	/// The pixel that stands for one outside of the image: the first under the same window.
	fn nearest(&self, position: u64, place: u64) -> Option<u64> {
		let (pixel, _) = self.pixel(position, place);
		pixel.or_else(|| (0..self.kernel).find_map(|place| self.pixel(position, place).0))
	}

	/// Pixels of the image under the window at a position, or of the padded image.
	fn count(&self, position: u64, padded: bool) -> u64 {
		let is_one = |place: &u64| {
			let (pixel, inside) = self.pixel(position, *place);
			pixel.is_some() || (padded && inside)
		};
		(0..self.kernel).filter(is_one).count() as u64
	}

	/// Whether the window takes one position, over the whole image and nothing else.
	fn is_whole(&self) -> bool {
		(self.kernel, self.dilation, self.before, self.positions) == (self.extent, 1, 0, 1)
	}
}

/// What stands for pixels outside of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
	/// +0.
	Zero,
	/// A pixel that is under the same window, which changes no maximum.
	Nearest,
}

/// A window along every axis of images.
pub(super) struct Sliding {
	pub(super) axes: Vec<Along>,
}

impl Sliding {
	/// The window that the attributes of a node describe; `kernel` are its sides.
	pub(super) fn of(call: &mut Call<'_>, extents: &[usize], kernel: &[i64], ceil: bool) -> Result<Self, Refusal> {
		let rank = extents.len();
		let mut list = |name: &str, each: usize, default: i64, least: i64| {
			let list = call.int_list(name)?.unwrap_or_else(|| vec![default; each * rank]);
			let fits = list.len() == each * rank && list.iter().all(|number| (least..=MAX_SIDE).contains(number));
			fits.then_some(list)
				.ok_or_else(|| format!("attribute `{name}` is not {} numbers from {least} to {MAX_SIDE}", each * rank))
		};
		let (strides, dilations, pads) =
			(list("strides", 1, 1, 1)?, list("dilations", 1, 1, 1)?, list("pads", 2, 0, 0)?);
		let auto = match call.text("auto_pad")? {
			None | Some(b"NOTSET") => None,
			Some(_) if pads.iter().any(|pad| *pad != 0) => return Err("both `pads` and `auto_pad`".into()),
			Some(b"VALID") => None,
			Some(b"SAME_UPPER") => Some(false),
			Some(b"SAME_LOWER") => Some(true),
			Some(_) => return Err("attribute `auto_pad` is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID".into()),
		};
		if kernel.len() != rank || !kernel.iter().all(|side| (1..=MAX_SIDE).contains(side)) {
			return Err(format!("a window of sides {kernel:?} over images of {rank} axes; sides are 1 to {MAX_SIDE}"));
		}
		let mut axes = Vec::new();
		for (at, extent) in extents.iter().enumerate() {
			let number = |list: &[i64], at: usize| list.get(at).copied().unwrap_or(0) as u64;
			let (kernel, stride, dilation) = (number(kernel, at), number(&strides, at), number(&dilations, at));
			let (extent, span) = (*extent as u64, (kernel - 1) * dilation + 1);
			let (before, after, same) = match auto {
				None => (number(&pads, at), number(&pads, at + rank), false),
				Some(lower) => {
					let total = ((extent.div_ceil(stride) - 1) * stride + span).saturating_sub(extent);
					let (less, more) = (total / 2, total - total / 2);
					if lower {
						(more, less, true)
					} else {
						(less, more, true)
					}
				}
			};
			let room = (extent + before + after).checked_sub(span).ok_or_else(|| {
				format!("a window over {span} pixels on an axis of {extent}, padded by {before} and {after}")
			})?;
			let positions = if ceil && !same { room.div_ceil(stride) } else { room / stride } + 1;
			// One more that begins in the padding behind the image is none.
			let begins = (positions - 1) * stride < extent + before;
			let positions = if ceil && !begins { positions - 1 } else { positions };
			axes.push(Along { extent, kernel, stride, dilation, before, after, positions });
		}
		let window = Self { axes };
		match window.places() {
			places if places > MAX_PLACES => Err(format!("a window over {places} pixels; at most {MAX_PLACES}")),
			_ => Ok(window),
		}
	}

	/// Pixels under the window.
	pub(super) fn places(&self) -> u64 {
		self.axes.iter().fold(1, |product, axis| product.saturating_mul(axis.kernel))
	}

	/// Positions along each axis.
	pub(super) fn positions(&self) -> Vec<usize> {
		self.axes.iter().map(|axis| axis.positions as usize).collect()
	}

	/// Whether every pixel is under the window of its own position only.
	pub(super) fn is_pixel(&self) -> bool {
		let is_pixel = |axis: &Along| {
			(axis.kernel, axis.stride, axis.before, axis.after, axis.positions) == (1, 1, 0, 0, axis.extent)
		};
		self.axes.iter().all(is_pixel)
	}

	/// Whether it is one position over the whole image.
	pub(super) fn is_whole(&self) -> bool {
		self.axes.iter().all(Along::is_whole)
	}

	/// Fails if the window lies beside the image somewhere.
	pub(super) fn check_touches(&self, to: &mut Lowering) -> Result<(), Refusal> {
		for axis in &self.axes {
			to.spend(axis.positions.saturating_mul(axis.kernel))?;
			if (0..axis.positions).any(|position| axis.count(position, false) == 0) {
				return Err("the window lies over nothing but padding somewhere".into());
			}
		}
		Ok(())
	}

	/// Pixels under the window at each position of an image, of the image or of the padded one; `None` where all are there at
	/// each.
	pub(super) fn counts(&self, to: &mut Lowering, padded: bool) -> Result<Option<Vec<u64>>, Refusal> {
		to.spend(elements(&self.positions()))?;
		let mut counts = vec![1u64];
		for axis in &self.axes {
			to.spend(axis.positions.saturating_mul(axis.kernel))?;
			let along: Vec<u64> = (0..axis.positions).map(|position| axis.count(position, padded)).collect();
			counts = counts.iter().flat_map(|count| along.iter().map(move |here| count * here)).collect();
		}
		let all = self.places();
		Ok(counts.iter().any(|count| *count != all).then_some(counts))
	}

	/// The pixels under the window at each position, side by side: `[images * positions, places * channels]`.
	pub(super) fn under(&self, to: &mut Lowering, of: &Images, outside: Outside) -> Result<Value, Refusal> {
		let cols = u32::try_from(self.places().saturating_mul(of.channels.into()));
		let cols = cols.map_err(|_| "too many pixels under the window".to_owned())?;
		u32::try_from(elements(&self.positions()).saturating_mul(of.images.into()))
			.map_err(|_| "too many positions of the window".to_owned())?;
		if let Some(window) = self.window(true) {
			if outside == Outside::Zero || window.padding == 0 {
				return Ok(to.graph.im2col(of.value, window));
			}
		}
		if let Some(window) = self.window(false) {
			// The pixels that a window without padding slides over.
			let pixel = |axis: &Along, at: u64| {
				let pixel = at.checked_sub(axis.before).filter(|pixel| *pixel < axis.extent);
				let nearest = || (axis.extent - 1).min(at.saturating_sub(axis.before));
				pixel.or_else(|| (outside == Outside::Nearest).then(nearest))
			};
			let count = self.axes.iter().fold(1u64, |count, axis| count.saturating_mul(needed(axis)));
			let rows = gathered(to, of, count, |index| {
				let (mut rest, mut sum, mut stride) = (index, 0, 1);
				for axis in self.axes.iter().rev() {
					sum += pixel(axis, rest % needed(axis))? * stride;
					(rest, stride) = (rest / needed(axis), stride * axis.extent);
				}
				Some(sum)
			})?;
			return Ok(to.graph.im2col(rows, window));
		}
		let places = self.places();
		let rows = gathered(to, of, elements(&self.positions()).saturating_mul(places), |index| {
			let (mut position, mut place, mut sum, mut stride) = (index / places, index % places, 0, 1);
			for axis in self.axes.iter().rev() {
				let (here, within) = (position % axis.positions, place % axis.kernel);
				let pixel = match outside {
					Outside::Zero => axis.pixel(here, within).0,
					Outside::Nearest => axis.nearest(here, within),
				};
				sum += pixel? * stride;
				(position, place) = (position / axis.positions, place / axis.kernel);
				stride *= axis.extent;
			}
			Some(sum)
		})?;
		Ok(to.with_columns(rows, cols))
	}

	/// The program's own window, with the padding or over an image that is padded already, if there is one.
	fn window(&self, padding: bool) -> Option<Window> {
		let [height, width] = match *self.axes.as_slice() {
			[across] => {
				let one = Along { extent: 1, kernel: 1, before: 0, after: 0, positions: 1, ..across };
				[one, across]
			}
			[down, across] => [down, across],
			_ => return None,
		};
		let is_plain = |axis: &Along| axis.dilation == 1 || axis.kernel == 1;
		let is_even = |axis: &Along| axis.before == height.before && axis.after == height.before;
		let both = |is: &dyn Fn(&Along) -> bool| is(&height) && is(&width);
		if !both(&is_plain) || height.stride != width.stride || (padding && !both(&is_even)) {
			return None;
		}
		let side = |extent: u64| u32::try_from(extent).ok();
		let extent = |axis: &Along| side(if padding { axis.extent } else { needed(axis) });
		let window = Window {
			height: extent(&height)?,
			width: extent(&width)?,
			kernel_height: side(height.kernel)?,
			kernel_width: side(width.kernel)?,
			stride: side(height.stride)?,
			padding: if padding { side(height.before)? } else { 0 },
		};
		let positions = (side(height.positions)?, side(width.positions)?);
		(window.positions() == Some(positions)).then_some(window)
	}
}

/// Pixels of the padded image that the window lies over anywhere.
fn needed(axis: &Along) -> u64 {
	(axis.positions - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1
}
