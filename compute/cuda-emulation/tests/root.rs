//! The root of a tensor, hashed where it lies, is the commitment's.

mod support;

use assay_commitment::{tensor_root, Layout};
use assay_cuda::Backend;
use assay_cuda_emulation::{Emulated, Order};
use assay_program::{DType, TensorSpec};
use support::{devices, Random};

fn check(devices: &[Backend<Emulated>], spec: TensorSpec, random: &mut Random) {
	let bits: Vec<u32> = (0..spec.elements()).map(|_| random.next()).collect();
	let bytes = Layout::new(spec.rows, spec.cols).and_then(|layout| layout.to_canonical(&bits)).expect("a layout");
	for device in devices {
		let tensor = device.upload(spec, &bits).expect("memory");
		assert_eq!(device.root(&tensor), Ok(tensor_root(&bytes)), "{spec:?}");
	}
}

#[test]
fn roots_are_those_of_the_canonical_bytes() {
	let (devices, mut random) = (devices(), Random(21));
	for cols in [1, 255, 256, 257, 1023, 1024, 1025, 2048, 3000, 9 * 1024] {
		check(&devices, TensorSpec::f32(1, cols), &mut random);
	}
	for (rows, cols) in [(2, 1), (7, 31), (8, 32), (32, 32), (33, 32), (32, 33), (40, 50), (97, 101), (1000, 1), (3, 999)] {
		check(&devices, TensorSpec::f32(rows, cols), &mut random);
		check(&devices, TensorSpec { dtype: DType::I32, rows, cols }, &mut random);
	}
	for _ in 0..15 {
		check(&devices, TensorSpec::f32(1 + random.below(200), 1 + random.below(200)), &mut random);
	}
}

/// More nodes than one block joins: two levels of blocks, the last group full, of one node, of an odd number.
#[test]
fn trees_of_several_groups() {
	let devices = [Backend::on(Emulated::new(3, Order::Scattered)).expect("memory")];
	let mut random = Random(22);
	for tiles in [127, 128, 129, 256, 257, 300] {
		check(&devices, TensorSpec::f32(1, tiles * 1024 - 5), &mut random);
	}
	check(&devices, TensorSpec::f32(700, 513), &mut random);
}

/// More groups than one block joins.
#[test]
fn trees_of_three_levels() {
	let devices = [Backend::on(Emulated::new(100, Order::Ascending)).expect("memory")];
	check(&devices, TensorSpec::f32(1, (512 * 512 / 4 + 1) * 1024), &mut Random(23));
}
