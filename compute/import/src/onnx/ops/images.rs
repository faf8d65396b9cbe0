//! Images as programs hold them, and pixels of them picked one by one.

use assay_models::Value;

use crate::onnx::{
	array::{elements, Array, Held, Lowering, Refusal},
	turn::Turned,
};

/// Images with their pixels below each other, and their channels beside each other.
pub(super) struct Images {
	/// `[images * pixels, channels]`.
	pub(super) value: Value,
	pub(super) images: u32,
	pub(super) channels: u32,
	/// Pixels along each axis.
	pub(super) extents: Vec<usize>,
}

impl Images {
	/// Of an array of images, channels and pixels along axes, of which there may be none.
	pub(super) fn of(to: &mut Lowering, held: &Held) -> Result<Self, Refusal> {
		let array = to.array(held)?;
		let [images, channels, extents @ ..] = array.shape.as_slice() else {
			return Err(format!("shape {:?} where images, their channels and their pixels are needed", array.shape));
		};
		let small = |extent: u64| u32::try_from(extent).map_err(|_| "too large".to_owned());
		let pixels = elements(extents);
		small(elements(&array.shape) / (*channels as u64).max(1))?;
		let (images, channels) = (small(*images as u64)?, small(*channels as u64)?);
		let turned = to.turned_as(&array, Turned::new(channels as usize, pixels as usize))?;
		let value = to.with_columns(turned.stored, channels);
		Ok(Self { value, images, channels, extents: extents.to_vec() })
	}

	pub(super) fn pixels(&self) -> u32 {
		// Below the rows of the value.
		elements(&self.extents) as u32
	}

	/// The array of images of `channels` whose pixels are `value`.
	pub(super) fn array(images: u32, channels: u32, extents: &[usize], value: Value) -> Held {
		let shape = [&[images as usize, channels as usize], extents].concat();
		let turned = Turned::new(channels as usize, elements(extents) as usize);
		Held::Array(Array { stored: value, shape, turned })
	}
}

/// Of every image `count` pixels, each the one that `pixel` names; +0 for one that is none.
pub(super) fn gathered(
	to: &mut Lowering,
	of: &Images,
	count: u64,
	pixel: impl Fn(u64) -> Option<u64>,
) -> Result<Value, Refusal> {
	let (images, each) = (u64::from(of.images), u64::from(of.pixels()));
	if images * each > i32::MAX as u64 {
		return Err(format!("{images} images of {each} pixels are more rows than ids can name"));
	}
	// Before anything is allocated.
	to.spend(count.saturating_mul(images))?;
	// One that is none is outside of the table.
	let row = |image: u64, index: u64| pixel(index).map_or(u32::MAX, |pixel| (image * each + pixel) as u32);
	let row = &row;
	let ids = (0..images).flat_map(|image| (0..count).map(move |index| row(image, index))).collect();
	let ids = to.ids(ids)?;
	Ok(to.graph.lookup(of.value, ids))
}
