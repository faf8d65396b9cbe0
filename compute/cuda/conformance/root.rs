//! The root of a tensor, hashed where it lies, is the commitment's.

use assay_commitment::{tensor_root, Layout};
use assay_cuda::{cases::Random, Backend, Device};
use assay_program::{DType, TensorSpec};

use super::check::text;

fn check<D: Device>(devices: &[Backend<D>], spec: TensorSpec, random: &mut Random) -> Result<(), String> {
	let element = |bits: u32| if spec.dtype == DType::I8 { bits as u8 as i8 as u32 } else { bits };
	let bits: Vec<u32> = (0..spec.elements()).map(|_| element(random.next() >> 3)).collect();
	let layout = Layout::new(spec.dtype, spec.rows, spec.cols).map_err(|error| error.to_string())?;
	let expected = tensor_root(&layout.to_canonical(&bits).map_err(|error| error.to_string())?);
	for device in devices {
		let tensor = device.upload(spec, &bits).map_err(text)?;
		let root = device.root(&tensor).map_err(|error| error.to_string())?;
		if root != expected {
			return Err(format!("the root of {spec:?}, {:?}, is another", device.device().profile()));
		}
	}
	Ok(())
}

pub(crate) fn roots<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(21);
	for cols in [1, 255, 256, 257, 1023, 1024, 1025, 2048, 3000, 9 * 1024] {
		check(devices, TensorSpec::f32(1, cols), &mut random)?;
	}
	for (rows, cols) in
		[(2, 1), (7, 31), (8, 32), (32, 32), (33, 32), (32, 33), (40, 50), (97, 101), (1000, 1), (3, 999)]
	{
		check(devices, TensorSpec::f32(rows, cols), &mut random)?;
		check(devices, TensorSpec { dtype: DType::I32, rows, cols }, &mut random)?;
	}
	for _ in 0..15 {
		check(devices, TensorSpec::f32(1 + random.below(200), 1 + random.below(200)), &mut random)?;
	}
	Ok(())
}

pub(crate) fn roots_of_bytes<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(23);
	let bytes = |rows, cols| TensorSpec { dtype: DType::I8, rows, cols };
	for cols in [1, 3, 63, 64, 1023, 1024, 1025, 4095, 4096, 4097, 3 * 4096 + 1] {
		check(devices, bytes(1, cols), &mut random)?;
	}
	for (rows, cols) in [(2, 1), (15, 63), (16, 64), (64, 64), (65, 64), (64, 65), (90, 130), (1000, 1), (3, 999)] {
		check(devices, bytes(rows, cols), &mut random)?;
	}
	for _ in 0..10 {
		check(devices, bytes(1 + random.below(200), 1 + random.below(200)), &mut random)?;
	}
	Ok(())
}

/// More nodes than one block joins: levels of blocks, the last group full, of one node, of an odd number.
pub(crate) fn roots_of_several_levels<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let (devices, mut random) = (&devices[..1], Random::new(22));
	for tiles in [127, 128, 129, 256, 257, 300] {
		check(devices, TensorSpec::f32(1, tiles * 1024 - 5), &mut random)?;
	}
	check(devices, TensorSpec::f32(700, 513), &mut random)?;
	check(devices, TensorSpec::f32(1, (512 * 512 / 4 + 1) * 1024), &mut random)
}
