//! Random tensors, and the check of one op against the referee.

#![allow(dead_code)]

use assay_cuda::{Backend, Context, Device as _, Input, OpError};
use assay_cuda_emulation::{Emulated, Order};
use assay_program::{DType, OpGeometry, OpKind, OperandSpec, StepContext, TensorSpec};
use assay_referee::{run_op, whole};

pub(crate) const SEED: [u8; 32] = [42; 32];
pub(crate) const STEP: u64 = 3 + (5 << 32);

/// A linear congruential generator, so that a failure names the case that repeats it.
pub(crate) struct Random(pub(crate) u64);

impl Random {
	pub(crate) fn next(&mut self) -> u32 {
		self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		(self.0 >> 32) as u32
	}

	pub(crate) fn below(&mut self, n: u32) -> u32 {
		((u64::from(self.next()) * u64::from(n)) >> 32) as u32
	}

	/// A number of ordinary size.
	pub(crate) fn ordinary(&mut self) -> u32 {
		let value = (f64::from(self.next()) / f64::from(u32::MAX) * 4.0 - 2.0) as f32;
		value.to_bits()
	}

	/// Any bits, special ones often: zeros, subnormals, infinities, NaNs, ones.
	pub(crate) fn any(&mut self) -> u32 {
		let bits = self.next();
		match self.below(12) {
			0 => bits & 0x8000_0000,
			1 => bits & 0x807f_ffff,
			2 => (bits & 0x8000_0000) | 0x7f80_0000,
			3 => bits | 0x7f80_0000,
			4 => (bits & 0x8000_0000) | 0x3f80_0000,
			5 | 6 => bits,
			_ => self.ordinary(),
		}
	}
}

/// Devices of different sizes, so that kernels loop, cover, and split; threads in different orders.
pub(crate) fn devices() -> Vec<Backend<Emulated>> {
	[(1, Order::Scattered), (12, Order::Descending), (1000, Order::Ascending)]
		.map(|(multiprocessors, order)| Backend::on(Emulated::new(multiprocessors, order)).expect("memory"))
		.into()
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

pub(crate) fn same(a: u32, b: u32) -> bool {
	a == b || (f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}

/// Runs the op on every device: the bits, whether it fails, and that it leaves its inputs alone.
pub(crate) fn check(devices: &[Backend<Emulated>], kind: OpKind, given: &[Given], output: TensorSpec) {
	let specs: Vec<OperandSpec> = given
		.iter()
		.map(|given| match given {
			Given::Tensor(spec, _, data) => OperandSpec::Tensor { spec: *spec, data: *data },
			Given::Scalar(bits) => OperandSpec::Scalar(*bits),
		})
		.collect();
	let geometry = OpGeometry::new(kind, specs, output, output.rows).expect("well formed");
	let soft: Vec<whole::Input<'_>> = given
		.iter()
		.map(|given| match given {
			Given::Tensor(_, bits, _) => whole::Input::Tensor(bits),
			Given::Scalar(bits) => whole::Input::Scalar(*bits),
		})
		.collect();
	let expected = run_op(&geometry, &soft, &StepContext { seed: SEED, step: STEP }).expect("runs");
	let finite = output.dtype == DType::I32 || expected.iter().all(|bits| f32::from_bits(*bits).is_finite());

	for device in devices {
		let tensors: Vec<_> = given
			.iter()
			.map(|given| match given {
				Given::Tensor(spec, bits, _) => Some(device.upload(*spec, bits).expect("memory")),
				Given::Scalar(_) => None,
			})
			.collect();
		let inputs: Vec<Input<'_, Emulated>> = given
			.iter()
			.zip(&tensors)
			.map(|(given, tensor)| match (given, tensor) {
				(Given::Scalar(bits), _) => Input::Scalar(*bits),
				(_, tensor) => Input::Tensor(tensor.as_ref().expect("uploaded")),
			})
			.collect();
		let mut out = device.allocate(output).expect("memory");
		let result = device.run(kind, &inputs, &Context { seed: SEED, step: STEP }, &mut out);
		let place = format!(
			"{kind:?} {:?} -> {output:?}, {:?}, {:?}",
			geometry.inputs(),
			device.device().profile(),
			device.device().order()
		);
		assert_eq!(result, if finite { Ok(()) } else { Err(OpError::NonFinite) }, "{place}");
		let bits = device.download(&out).expect("reads");
		if let Some(index) = (0..bits.len()).find(|index| !same(bits[*index], expected[*index])) {
			panic!("{place}: element {index} is {:08x}, the referee says {:08x}", bits[index], expected[index]);
		}
		for (given, tensor) in given.iter().zip(&tensors) {
			if let (Given::Tensor(_, bits, _), Some(tensor)) = (given, tensor) {
				assert!(*bits == device.download(tensor).expect("reads"), "{place}: an input was written");
			}
		}
	}
}
