//! The check of one op against the referee.

use assay_cuda::{Backend, Context, CudaError, Device, Input, OpError};
use assay_program::{DType, OpGeometry, OpKind, OperandSpec, StepContext, TensorSpec};
use assay_referee::{run_op, whole};

use super::random::Random;

const SEED: [u8; 32] = [42; 32];
/// Above 32 bits, so that both words matter.
const STEP: u64 = 3 + (5 << 32);

/// An error as the reason why a check fails.
pub(crate) fn text(error: CudaError) -> String {
	error.to_string()
}

#[derive(Clone)]
pub(crate) enum Given {
	Tensor(TensorSpec, Vec<u32>, bool),
	Scalar(u32),
}

pub(crate) fn f32s(rows: u32, cols: u32, mut element: impl FnMut() -> u32) -> Given {
	Given::Tensor(TensorSpec::f32(rows, cols), (0..rows * cols).map(|_| element()).collect(), false)
}

pub(crate) fn i32s(rows: u32, cols: u32, mut element: impl FnMut() -> u32) -> Given {
	let spec = TensorSpec { dtype: DType::I32, rows, cols };
	Given::Tensor(spec, (0..rows * cols).map(|_| element()).collect(), false)
}

/// Bytes, the extremes often.
pub(crate) fn i8s(rows: u32, cols: u32, random: &mut Random) -> Given {
	let spec = TensorSpec { dtype: DType::I8, rows, cols };
	let mut element = || match random.below(8) {
		0 => -128i32 as u32,
		1 => 127,
		_ => (random.next() >> 24) as u8 as i8 as u32,
	};
	Given::Tensor(spec, (0..rows * cols).map(|_| element()).collect(), false)
}

/// Whether two elements are the same; NaNs are, whatever their payload, since no result may hold one.
fn same(dtype: DType, a: u32, b: u32) -> bool {
	a == b || (dtype == DType::F32 && f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}

/// Runs the op on every device: the bits, whether it fails, and that it leaves its inputs alone.
pub(crate) fn check<D: Device>(
	devices: &[Backend<D>],
	kind: OpKind,
	given: &[Given],
	output: TensorSpec,
) -> Result<(), String> {
	let specs: Vec<OperandSpec> = given
		.iter()
		.map(|given| match given {
			Given::Tensor(spec, _, data) => OperandSpec::Tensor { spec: *spec, data: *data },
			Given::Scalar(bits) => OperandSpec::Scalar(*bits),
		})
		.collect();
	let geometry = OpGeometry::new(kind, specs, output, output.rows).map_err(|error| format!("{error:?}"))?;
	let soft: Vec<whole::Input<'_>> = given
		.iter()
		.map(|given| match given {
			Given::Tensor(_, bits, _) => whole::Input::Tensor(bits),
			Given::Scalar(bits) => whole::Input::Scalar(*bits),
		})
		.collect();
	let expected =
		run_op(&geometry, &soft, &StepContext { seed: SEED, step: STEP }).map_err(|error| format!("{error:?}"))?;
	let finite = output.dtype != DType::F32 || expected.iter().all(|bits| f32::from_bits(*bits).is_finite());

	for device in devices {
		let tensors: Vec<_> = given
			.iter()
			.map(|given| match given {
				Given::Tensor(spec, bits, _) => device.upload(*spec, bits).map(Some),
				Given::Scalar(_) => Ok(None),
			})
			.collect::<Result<_, _>>()
			.map_err(text)?;
		let inputs: Vec<Input<'_, D>> = given
			.iter()
			.zip(&tensors)
			.map(|(given, tensor)| match (given, tensor) {
				(_, Some(tensor)) => Input::Tensor(tensor),
				(Given::Scalar(bits), None) => Input::Scalar(*bits),
				(Given::Tensor(..), None) => Input::Scalar(0),
			})
			.collect();
		let mut out = device.allocate(output).map_err(text)?;
		let result = device.run(kind, &inputs, &Context { seed: SEED, step: STEP }, &mut out);
		let profile = device.device().profile();
		let place = format!("{kind:?} {:?} -> {output:?}, {profile:?}", geometry.inputs());
		let wanted = if finite { Ok(()) } else { Err(OpError::NonFinite) };
		if result != wanted {
			return Err(format!("{place}: {result:?}, the referee says {wanted:?}"));
		}
		let bits = device.download(&out).map_err(text)?;
		if let Some(index) = (0..bits.len()).find(|index| !same(output.dtype, bits[*index], expected[*index])) {
			return Err(format!(
				"{place}: element {index} is {:08x}, the referee says {:08x}",
				bits[index], expected[index]
			));
		}
		for (given, tensor) in given.iter().zip(&tensors) {
			if let (Given::Tensor(_, bits, _), Some(tensor)) = (given, tensor) {
				if *bits != device.download(tensor).map_err(text)? {
					return Err(format!("{place}: an input was written"));
				}
			}
		}
	}
	Ok(())
}
