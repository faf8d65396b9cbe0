//! Noise, and the column of the largest element.

use assay_cuda::{cases::Random, Backend, Device};
use assay_program::{DType, OpKind, TensorSpec};

use super::check::{check, f32s};

pub(crate) fn sampling<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(14);
	for (rows, cols) in [(1, 1), (1, 3000), (70, 1), (9, 31), (5, 256), (40, 257), (100, 600)] {
		let output = TensorSpec { dtype: DType::I32, rows, cols: 1 };
		for round in 0..5 {
			let x = f32s(rows, cols, || match round {
				0 => random.ordinary(),
				1 => random.any(),
				// Few different values, zeros of both signs among them.
				2 => [0, 0x8000_0000, 0x3f80_0000][random.below(3) as usize],
				3 => [0x7fc0_0000, 0xff80_0000, 0x7f80_0000, 0x8000_0000][random.below(4) as usize],
				_ => 0x8000_0000 | random.below(3),
			});
			check(devices, OpKind::ArgMax, core::slice::from_ref(&x), output)?;
			check(devices, OpKind::Gumbel { stream: round }, &[x], TensorSpec::f32(rows, cols))?;
		}
	}
	Ok(())
}
