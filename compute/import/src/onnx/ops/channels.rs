//! What is added to images beside convolutions: normalisation by channel, padding.

use assay_engine::Tensor;
use assay_program::DType;

use super::images::{gathered, Images};
use crate::onnx::{
	array::{elements, Held, Lowering, Refusal},
	node::{axes, axis, Call},
	tensor::Constant,
};

/// Normalisation with known means and variances: `x * scale + shift` by channel, one fma. Scale and shift are computed in
/// binary64, `scale / sqrt(variance + epsilon)` and `bias - mean * scale`, and rounded once.
pub(super) fn batch_norm(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let epsilon = f64::from(call.float("epsilon", 1e-5)?);
	call.take("momentum");
	if call.int("training_mode", 0)? != 0 || call.int("spatial", 1)? != 1 {
		return Err("only means and variances by channel that the file holds are known".into());
	}
	let x = call.input(0)?;
	let images = Images::of(to, &x)?;
	let channels = images.channels as usize;
	let row = |index: usize| -> Result<Vec<f64>, Refusal> {
		let held = call.input(index)?;
		match &held {
			Held::Known(constant, _) if constant.shape() == [channels] => match &**constant {
				Constant::Floats { bits, .. } => Ok(bits.iter().map(|bits| f64::from(f32::from_bits(*bits))).collect()),
				Constant::Ints { .. } => Err("it takes floating-point numbers where it is given integers".into()),
			},
			_ => Err(format!("input {index} is not known, or not one number for each of {channels} channels")),
		}
	};
	let (scale, bias, mean, variance) = (row(1)?, row(2)?, row(3)?, row(4)?);
	to.spend(2 * channels as u64)?;
	let scale: Vec<f64> =
		scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
	let shift = bias.iter().zip(mean.iter().zip(&scale)).map(|(bias, (mean, scale))| bias - mean * scale).collect();
	let mut declared = |values: Vec<f64>| {
		let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
		if !values.iter().all(|value| value.is_finite()) {
			return Err("a variance and `epsilon` together are not above 0".to_owned());
		}
		let bits = values.iter().map(|value| value.to_bits()).collect();
		let tensor = Tensor::new(DType::F32, 1, images.channels, bits).map_err(|error| error.to_string())?;
		Ok(to.declare(None, tensor))
	};
	let (scale, shift) = (declared(scale)?, declared(shift)?);
	let stored = to.graph.fma(images.value, scale, shift);
	Ok(Images::array(images.images, images.channels, &images.extents, stored))
}

/// A border around the pixels of images: of one number, of the pixels at the edge, or of those mirrored there.
pub(super) fn pad(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let rank = x.shape().len();
	let mode = call.text("mode")?.unwrap_or(b"constant");
	let pads = call.ints("pads", 1)?.ok_or("`pads` is missing")?;
	let number = match call.optional(2) {
		Some(held) => held.scalar().ok_or("the number to pad with is not one that is known")?,
		None => call.float("value", 0.0)?,
	};
	let at = match call.optional(3) {
		Some(held) => {
			let list = held.ints()?;
			// Each once.
			axes(list, rank)?;
			list.iter().map(|at| axis(*at, rank)).collect::<Result<Vec<_>, _>>()?
		}
		None => (0..rank).collect(),
	};
	if pads.len() != 2 * at.len() || pads.iter().any(|pad| !(0..=1 << 16).contains(pad)) {
		return Err(format!("pads {pads:?}: two numbers from 0 to 65536 for each of {} axes are known", at.len()));
	}
	// By axis, before and after.
	let mut around = vec![(0u64, 0u64); rank];
	for (index, of) in at.iter().enumerate() {
		let pad = |index: usize| pads.get(index).copied().unwrap_or(0) as u64;
		if let Some(around) = around.get_mut(*of) {
			*around = (pad(index), pad(index + at.len()));
		}
	}
	if around.iter().all(|pads| *pads == (0, 0)) {
		return Ok(x);
	}
	let [(0, 0), channels, around @ ..] = around.as_slice() else {
		return Err(format!("pads {pads:?} of {:?}: only the channels and pixels of images are padded", x.shape()));
	};
	let images = Images::of(to, &x)?;
	if *channels != (0, 0) {
		if mode != b"constant" || number != 0.0 || around.iter().any(|pads| *pads != (0, 0)) {
			return Err("channels are padded with zeros only, and not together with pixels".into());
		}
		let cols = u64::from(images.channels) + channels.0 + channels.1;
		let stored = to.graph.pad_columns(images.value, channels.0 as u32, cols as u32);
		return Ok(Images::array(images.images, cols as u32, &images.extents, stored));
	}
	let wide = |extent: &usize, pads: &(u64, u64)| *extent as u64 + pads.0 + pads.1;
	let extents: Vec<usize> =
		images.extents.iter().zip(around).map(|(extent, pads)| wide(extent, pads) as usize).collect();
	let outside: fn(i64, i64) -> Option<i64> = match mode {
		b"constant" => |_: i64, _: i64| None,
		b"edge" => |at: i64, extent: i64| Some(at.clamp(0, extent - 1)),
		b"reflect" => |at: i64, extent: i64| {
			let mirrored = if at < 0 { -at } else { 2 * (extent - 1) - at };
			(0..extent).contains(&mirrored).then_some(mirrored)
		},
		_ => return Err("attribute `mode` is none of constant, edge, reflect".into()),
	};
	let reaches = |(extent, pads): (&usize, &(u64, u64))| pads.0.max(pads.1) < *extent as u64;
	if mode == b"reflect" && !images.extents.iter().zip(around).all(reaches) {
		return Err(format!("pads {pads:?} of {:?} mirror more than there is", x.shape()));
	}
	let count = elements(&extents);
	let pixel = |index: u64| {
		let (mut rest, mut sum, mut stride) = (index, 0, 1);
		for (extent, pads) in images.extents.iter().zip(around).rev() {
			let (at, extent) = ((rest % wide(extent, pads)) as i64 - pads.0 as i64, *extent as i64);
			let here = if (0..extent).contains(&at) { Some(at) } else { outside(at, extent) };
			sum += here? as u64 * stride;
			(rest, stride) = (rest / wide(&(extent as usize), pads), stride * extent as u64);
		}
		Some(sum)
	};
	let mut stored = gathered(to, &images, count, pixel)?;
	if number != 0.0 && mode == b"constant" {
		to.spend(count.saturating_mul(images.images.into()))?;
		let border = (0..count).map(|index| if pixel(index).is_none() { number.to_bits() } else { 0 });
		let bits: Vec<u32> = border.collect::<Vec<_>>().repeat(images.images as usize);
		let rows = u32::try_from(bits.len()).map_err(|_| "too large".to_owned())?;
		let border = Tensor::new(DType::F32, rows, 1, bits).map_err(|error| error.to_string())?;
		let border = to.declare(None, border);
		stored = to.graph.add(stored, border);
	} else if to.is_not_negative(images.value) {
		to.mark_not_negative(stored);
	}
	Ok(Images::array(images.images, images.channels, &extents, stored))
}
