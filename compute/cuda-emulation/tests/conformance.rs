//! The suites that every device must pass, on emulated devices of several sizes with threads in several orders.

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;

use std::collections::BTreeSet;

use assay_cuda::{cases::label, Backend, MODULES};
use assay_cuda_emulation::{Emulated, Order};
use assay_program::OpKind;
use codec::Decode;

/// Sizes at which kernels loop, cover, and split; one with tensor cores.
fn devices() -> Vec<Backend<Emulated>> {
	[Emulated::new(1, Order::Scattered), tensor_cores(12), Emulated::new(1000, Order::Descending)]
		.map(|device| Backend::on(device).expect("memory"))
		.into()
}

fn tensor_cores(multiprocessors: u32) -> Emulated {
	Emulated::new(multiprocessors, Order::Scattered).with_int8_tiles()
}

/// Large tiles, and parts of the inner dimension.
#[test]
fn tensor_cores_of_small_and_large_devices() {
	let devices = [1, 1000].map(|multiprocessors| Backend::on(tensor_cores(multiprocessors)).expect("memory"));
	let suite = conformance::suites().into_iter().find(|(suite, _)| *suite == "int8_products");
	assert_eq!(suite.expect("a suite").1(&devices), Ok(()));
	let launches = devices.map(|device| device.device().launches());
	assert!(launches[0].contains_key("mma_i8_large") && launches[1].contains_key("add_parts"), "{launches:?}");
	assert!(launches.iter().all(|launches| !launches.contains_key("matmul_i8_small")), "{launches:?}");
}

macro_rules! tests {
	($($name:ident)*) => {
		$(
			#[test]
			fn $name() {
				let suite = conformance::suites().into_iter().find(|(name, _)| *name == stringify!($name));
				let (_, suite) = suite.expect("a suite");
				if let Err(error) = suite(&devices()) {
					panic!("{error}");
				}
			}
		)*

		#[test]
		fn every_suite_is_run() {
			let names: Vec<_> = conformance::suites::<Emulated>().into_iter().map(|(name, _)| name).collect();
			assert_eq!(names, [$(stringify!($name)),*]);
		}
	};
}

tests! {
	matrix_products products_of_long_inner_dimension subnormal_products chains_that_end_in_minus_zero elementwise
	functions_over_their_whole_range reductions zeros_keep_the_sign_that_the_order_gives batches_and_labels
	copies_and_heads rows_by_id block_products masks int8_products to_and_from_integers rotations sampling windows
	random_ops roots roots_of_bytes roots_of_several_levels training training_in_int8 training_on_images
	chains rows long_rows
}

/// All kinds there are, found by decoding: a kind that is added is found without a change here, and must then be among the
/// random ops, which both emulations compare with the referee.
#[test]
fn random_ops_are_of_every_kind() {
	let numbers = || 0..=u8::MAX;
	let kinds =
		numbers().flat_map(|kind| (0..32).flat_map(move |first| (0..2).map(move |second| [kind, first, second])));
	let decoded = kinds.filter_map(|start| {
		let bytes: Vec<u8> = start.into_iter().chain([0; 64]).collect();
		OpKind::decode(&mut bytes.as_slice()).ok()
	});
	let all: BTreeSet<String> = decoded.map(label).collect();
	for known in ["MatMul", "Unary(Rsqrt)", "Binary(Greater)", "Reduce { reduction: Max, axis: Cols }", "Hadamard"] {
		assert!(all.contains(known), "{known} was not found: {all:?}");
	}
	let checked: BTreeSet<String> = conformance::fuzz::kinds().map(label).collect();
	assert_eq!(checked, all);
}

/// A kernel that no suite launches would be unchecked.
#[test]
fn the_suites_launch_every_kernel() {
	let devices = [Emulated::new(1, Order::Ascending), tensor_cores(1), Emulated::new(1000, Order::Ascending)];
	let devices = devices.map(|device| Backend::on(device).expect("memory"));
	for name in ["chains", "rows", "random_ops", "roots", "roots_of_bytes", "products_of_long_inner_dimension"] {
		let suite = conformance::suites().into_iter().find(|(suite, _)| *suite == name);
		suite.expect("a suite").1(&devices).expect("equal");
	}
	let launched: BTreeSet<_> = devices.iter().flat_map(|device| device.device().launches().into_keys()).collect();
	let shipped = MODULES.iter().flat_map(|module| module.kernels());
	let missing: Vec<_> = shipped.filter(|kernel| !launched.contains(kernel)).collect();
	assert!(missing.is_empty(), "{missing:?}");
}

/// As long as wanted, like [`more_random_ops`].
#[test]
#[ignore = "minutes"]
fn more_random_groups() {
	let first = seed() * 10_000;
	if let Err(error) = conformance::rows::random_groups(&devices(), first..first + 3000) {
		panic!("{error}");
	}
}

fn seed() -> u64 {
	std::env::var("ASSAY_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// As long as wanted: `ASSAY_FUZZ_SEED=7 cargo test -p assay-cuda-emulation --test conformance -- --ignored`.
#[test]
#[ignore = "minutes"]
fn more_random_ops() {
	if let Err(error) = conformance::fuzz::fuzz(&devices(), seed(), 20_000) {
		panic!("{error}");
	}
}
