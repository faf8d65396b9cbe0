//! The PTX as shipped, interpreted, against the referee.

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;

use assay_cuda::{Backend, Buffer, CudaError, Device, Value, Work};
use assay_cuda_emulation::{Emulated, Order};

/// A device on which kernels loop, and one with tensor cores on which products split.
fn devices() -> Vec<Backend<Emulated>> {
	[Emulated::interpreting(2, Order::Scattered), Emulated::interpreting(1000, Order::Descending).with_int8_tiles()]
		.map(|device| Backend::on(device).expect("memory"))
		.into()
}

macro_rules! tests {
	($($(#[$attribute:meta])* $name:ident)*) => {
		$(
			#[test]
			$(#[$attribute])*
			fn $name() {
				let suite = conformance::suites().into_iter().find(|(name, _)| *name == stringify!($name));
				let (_, suite) = suite.expect("a suite");
				if let Err(error) = suite(&devices()) {
					panic!("{error}");
				}
			}
		)*
	};
}

tests! {
	#[ignore = "10 seconds, and random_ops has products too"]
	matrix_products
	products_of_long_inner_dimension
	subnormal_products
	chains_that_end_in_minus_zero
	#[ignore = "8 seconds, and random_ops has every kind"]
	elementwise
	functions_over_their_whole_range
	#[ignore = "6 seconds, and random_ops has reductions too"]
	reductions
	zeros_keep_the_sign_that_the_order_gives
	batches_and_labels
	copies_and_heads
	rows_by_id
	#[ignore = "15 seconds, and random_ops has block products too"]
	block_products
	masks
	#[ignore = "8 seconds, and random_ops has them too"]
	int8_products
	to_and_from_integers
	rotations
	sampling
	windows
	random_ops
	roots
	roots_of_bytes
	#[ignore = "half a minute"]
	roots_of_several_levels
	#[ignore = "5 seconds, and random_ops and chains have its kernels"]
	training
	#[ignore = "7 seconds, and random_ops and chains have its kernels"]
	training_in_int8
	training_on_images
	chains
	rows
	long_rows
}

/// Launches `fill` on a buffer of 8 words.
fn fill(skip: u64, words: u64) -> Result<(), CudaError> {
	let device = Emulated::interpreting(1, Order::Ascending);
	let buffer = device.allocate(8).expect("memory");
	let args = vec![Value::Address(buffer.address() + skip), Value::U32(7), Value::U64(words)];
	let work = Work::Launch { kernel: "fill", grid: [1, 1, 1], block: [32, 1, 1], args };
	// SAFETY: the interpreter checks every access.
	unsafe { device.submit(&[work]) }
}

#[test]
fn accesses_that_are_not_allowed_are_found() {
	assert_eq!(fill(0, 8), Ok(()));
	assert_eq!(fill(4, 7), Ok(()));
	for (skip, words, what) in [(0, 9, "outside"), (4, 8, "outside"), (2, 1, "not aligned")] {
		match fill(skip, words) {
			Err(CudaError::Launch { kernel: "fill", reason }) => assert!(reason.contains(what), "{reason}"),
			other => panic!("{skip}, {words}: {other:?}"),
		}
	}
}
