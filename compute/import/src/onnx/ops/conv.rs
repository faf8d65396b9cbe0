//! Convolutions: products of the pixels under a window with weights of the file.

use assay_engine::Tensor;
use assay_models::Value;
use assay_program::{shape::MIN_HEAD, DType};

use super::{
	images::Images,
	matrix::product_with_known,
	window::{Outside, Sliding},
};
use crate::onnx::{
	array::{elements, Held, Lowering, Refusal},
	node::Call,
	tensor::Constant,
};

/// The weights of a convolution, `[outputs, channels of a group, places]`.
struct Kernels<'a> {
	bits: &'a [u32],
	outputs: usize,
	/// Channels of the images that each output sees.
	channels: usize,
	places: usize,
	groups: usize,
	name: Option<&'a str>,
}

impl Kernels<'_> {
	fn weight(&self, output: usize, place: usize, channel: usize) -> u32 {
		self.bits.get((output * self.channels + channel) * self.places + place).copied().unwrap_or(0)
	}

	/// `[outputs, places * channels]`, as the pixels under the window lie. `joined` groups see each other's channels, with
	/// weights of zero.
	fn matrix(&self, to: &mut Lowering, joined: usize) -> Result<Tensor, Refusal> {
		let (wide, per_group) = (joined * self.channels, self.outputs / self.groups);
		to.spend((self.outputs as u64 * self.places as u64).saturating_mul(wide as u64))?;
		let mut bits = Vec::with_capacity(self.outputs * self.places * wide);
		for output in 0..self.outputs {
			let first = output / per_group % joined * self.channels;
			for place in 0..self.places {
				let own = |channel: usize| channel.checked_sub(first).filter(|channel| *channel < self.channels);
				bits.extend((0..wide).map(|at| own(at).map_or(0, |channel| self.weight(output, place, channel))));
			}
		}
		tensor(self.outputs, self.places * wide, bits)
	}
}

fn tensor(rows: usize, cols: usize, bits: Vec<u32>) -> Result<Tensor, Refusal> {
	let small = |extent: usize| u32::try_from(extent).map_err(|_| "too large".to_owned());
	Tensor::new(DType::F32, small(rows)?, small(cols)?, bits).map_err(|error| error.to_string())
}

pub(super) fn conv(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (x, weights) = (call.input(0)?, call.input(1)?);
	let Held::Known(constant, name) = &weights else {
		return Err("the weights must be known when the program is built".into());
	};
	let Constant::Floats { shape, bits } = &**constant else {
		return Err("it takes floating-point weights where it is given integers".into());
	};
	let (groups, given) = (call.int("group", 1)?, call.int_list("kernel_shape")?);
	let ([_, all_channels, extents @ ..], [outputs, channels, sides @ ..]) = (x.shape(), shape.as_slice()) else {
		return Err(format!("shapes {:?} and {shape:?}: images and weights of as many axes are needed", x.shape()));
	};
	let sides: Vec<i64> = sides.iter().map(|side| i64::try_from(*side).unwrap_or(i64::MAX)).collect();
	if sides.len() != extents.len() || sides.is_empty() {
		return Err(format!("weights of shape {shape:?} for images of shape {:?}", x.shape()));
	}
	if given.is_some_and(|given| given != sides) {
		return Err(format!("attribute `kernel_shape` is not that of the weights, {sides:?}"));
	}
	let groups = usize::try_from(groups).ok().filter(|groups| {
		*groups > 0 && channels.checked_mul(*groups) == Some(*all_channels) && outputs.is_multiple_of(*groups)
	});
	let groups = groups.filter(|_| elements(shape) > 0).ok_or_else(|| {
		format!("weights of shape {shape:?} for {all_channels} channels: the groups do not come out even")
	})?;
	let window = Sliding::of(call, extents, &sides, false)?;
	let kernels = Kernels {
		bits,
		outputs: *outputs,
		channels: *channels,
		places: window.places() as usize,
		groups,
		name: name.as_deref(),
	};
	let images = Images::of(to, &x)?;
	let bias = match call.optional(2) {
		Some(bias) if bias.shape() == [*outputs] => {
			let bias = to.array(&bias)?;
			Some(to.matrix(&bias)?)
		}
		Some(bias) => return Err(format!("a bias of shape {:?} for {outputs} channels", bias.shape())),
		None => None,
	};
	let joined = joined(&kernels);
	let product = match (groups, *channels, groups / joined) {
		(groups, 1, _) if groups > 1 && groups == *outputs => depthwise(to, &images, &window, &kernels)?,
		(_, _, 1) => dense(to, &images, &window, &kernels, joined)?,
		(_, _, parts) => grouped(to, &images, &window, &kernels, (parts, joined))?,
	};
	let stored = bias.map_or(product, |bias| to.graph.add(product, bias));
	Ok(Images::array(images.images, *outputs as u32, &window.positions(), stored))
}

/// How many groups are computed as one, so that none is narrower than an op that splits channels takes.
fn joined(kernels: &Kernels<'_>) -> usize {
	let narrowest = kernels.channels.min(kernels.outputs / kernels.groups).max(1);
	let fits = |joined: &usize| kernels.groups.is_multiple_of(*joined) && narrowest * joined >= MIN_HEAD as usize;
	(1..kernels.groups).find(fits).unwrap_or(kernels.groups)
}

/// One product.
fn dense(
	to: &mut Lowering,
	images: &Images,
	window: &Sliding,
	kernels: &Kernels<'_>,
	joined: usize,
) -> Result<Value, Refusal> {
	let weights = kernels.matrix(to, joined)?;
	let rows = under(to, images, window)?;
	product_with_known(to, rows, weights, true, kernels.name)
}

fn under(to: &mut Lowering, images: &Images, window: &Sliding) -> Result<Value, Refusal> {
	match window.is_pixel() {
		true => Ok(images.value),
		false => window.under(to, images, Outside::Zero),
	}
}

/// Every channel by itself: each place of the window times its weight, added up in ascending order.
fn depthwise(to: &mut Lowering, images: &Images, window: &Sliding, kernels: &Kernels<'_>) -> Result<Value, Refusal> {
	to.spend(kernels.bits.len() as u64)?;
	let by_place = (0..kernels.places).flat_map(|place| (0..kernels.outputs).map(move |output| (output, place)));
	let bits = by_place.map(|(output, place)| kernels.weight(output, place, 0)).collect();
	let weights = to.declare(kernels.name, tensor(1, kernels.places * kernels.outputs, bits)?);
	let columns = under(to, images, window)?;
	let products = to.graph.mul(columns, weights);
	Ok(to.graph.fold_places(products, images.channels, |graph, a, b| graph.add(a, b)))
}

/// `parts` products, each of `joined` groups, whose channels are put below each other as heads are.
fn grouped(
	to: &mut Lowering,
	images: &Images,
	window: &Sliding,
	kernels: &Kernels<'_>,
	(parts, joined): (usize, usize),
) -> Result<Value, Refusal> {
	let weights = kernels.matrix(to, joined)?;
	let parts = u32::try_from(parts).map_err(|_| "too many groups".to_owned())?;
	let rows = to.graph.spec(images.value).rows;
	let apart = Images {
		value: to.graph.split_heads(images.value, rows, parts),
		images: images.images.checked_mul(parts).ok_or("too many groups")?,
		channels: images.channels / parts,
		extents: images.extents.clone(),
	};
	let below = under(to, &apart, window)?;
	let weights = to.declare(kernels.name, weights);
	let products = to.graph.block_matmul((below, false), (weights, true), parts, 1);
	let rows = to.graph.spec(products).rows / parts;
	Ok(to.graph.merge_heads(products, rows, parts))
}
