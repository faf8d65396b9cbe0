//! A case on devices, beside its answer.

use assay_program::{DType, OperandSpec};

use super::{Case, Given, CONTEXT};
use crate::{lower, Backend, Context, Device, DeviceTensor, Input, OpError, Profile};

/// Runs a case on every device: the bits, whether it fails, and that it leaves its inputs alone. `expected` are the bits of its
/// output, also where they are infinite or NaN. `Err` says what differs first.
pub fn compare<D: Device>(devices: &[Backend<D>], case: &Case, expected: &[u32]) -> Result<(), String> {
	compare_in(devices, case, expected, &CONTEXT)
}

/// The same where random numbers depend on `context`.
pub fn compare_in<D: Device>(
	devices: &[Backend<D>],
	case: &Case,
	expected: &[u32],
	context: &Context,
) -> Result<(), String> {
	let Case { kind, given, output } = case;
	if expected.len() as u64 != output.elements() {
		return Err(format!("{kind:?}: the answer has {} elements for {output:?}", expected.len()));
	}
	let finite = output.dtype != DType::F32 || expected.iter().all(|bits| f32::from_bits(*bits).is_finite());
	let text = |error: crate::CudaError| error.to_string();
	for device in devices {
		let upload = |given: &Given| match given {
			Given::Tensor(spec, bits, _) => device.upload(*spec, bits).map(Some),
			Given::Scalar(_) => Ok(None),
		};
		let tensors: Vec<Option<DeviceTensor<D>>> = given.iter().map(upload).collect::<Result<_, _>>().map_err(text)?;
		let pairs = given.iter().zip(&tensors);
		let inputs: Vec<Input<'_, D>> = pairs
			.map(|(given, tensor)| match (given, tensor) {
				(_, Some(tensor)) => Input::Tensor(tensor),
				(Given::Scalar(bits), None) => Input::Scalar(*bits),
				(Given::Tensor(..), None) => Input::Scalar(0),
			})
			.collect();
		let mut out = device.allocate(*output).map_err(text)?;
		let result = device.run(*kind, &inputs, context, &mut out);
		let shapes: Vec<_> = tensors.iter().map(|tensor| tensor.as_ref().map(DeviceTensor::spec)).collect();
		let profile = device.device().profile();
		let place =
			|| format!("{kind:?} {shapes:?} -> {output:?}, kernels {}, {profile:?}", kernels(case, &profile).join(" "));
		let wanted = if finite { Ok(()) } else { Err(OpError::NonFinite) };
		if result != wanted {
			return Err(format!("{}: {}, expected: {}", place(), said(&result), said(&wanted)));
		}
		let bits = device.download(&out).map_err(text)?;
		let differs = |(found, expected): (&u32, &u32)| !same(output.dtype, *found, *expected);
		if let Some(index) = bits.iter().zip(expected).position(differs) {
			return Err(format!(
				"{}: element {index} is {:08x}, expected {:08x}",
				place(),
				bits[index],
				expected[index]
			));
		}
		for (given, tensor) in given.iter().zip(&tensors) {
			if let (Given::Tensor(_, bits, _), Some(tensor)) = (given, tensor) {
				if *bits != device.download(tensor).map_err(text)? {
					return Err(format!("{}: an input was written", place()));
				}
			}
		}
	}
	Ok(())
}

fn said(result: &Result<(), OpError>) -> String {
	result.as_ref().map_or_else(ToString::to_string, |()| "every output element is finite".to_owned())
}

/// What an op is launched as.
fn kernels(case: &Case, profile: &Profile) -> Vec<&'static str> {
	let operand = |given: &Given| match *given {
		Given::Tensor(spec, _, data) => OperandSpec::Tensor { spec, data },
		Given::Scalar(bits) => OperandSpec::Scalar(bits),
	};
	let operands: Vec<OperandSpec> = case.given.iter().map(operand).collect();
	let lowered = lower(case.kind, &operands, case.output, &CONTEXT.seed, profile);
	lowered.map_or_else(|_| Vec::new(), |lowered| lowered.launches.iter().map(|launch| launch.kernel).collect())
}

/// Whether two elements are the same; NaNs are, whatever their payload, since no result may hold one.
fn same(dtype: DType, a: u32, b: u32) -> bool {
	a == b || (dtype == DType::F32 && f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}
