//! What must hold on every device: one set of suites for the emulation and for GPUs.
//!
//! Included by path where it runs; a suite takes backends and returns the first thing that is wrong.
// Each place uses a part.
#![allow(dead_code)]

pub(crate) mod chains;
pub(crate) mod check;
pub(crate) mod fuzz;
pub(crate) mod int8;
pub(crate) mod locate;
pub(crate) mod ops;
pub(crate) mod root;
pub(crate) mod rows;
pub(crate) mod sampling;
pub(crate) mod training;
pub(crate) mod windows;

use assay_cuda::{Backend, Device};

/// A check of backends.
pub(crate) type Suite<D> = fn(&[Backend<D>]) -> Result<(), String>;

macro_rules! suites {
	($($module:ident: $($name:ident)*;)*) => {
		/// Every suite by name.
		pub(crate) fn suites<D: Device>() -> Vec<(&'static str, Suite<D>)> {
			vec![$($((stringify!($name), $module::$name::<D>)),*),*]
		}
	};
}

suites! {
	ops:
		matrix_products products_of_long_inner_dimension subnormal_products chains_that_end_in_minus_zero elementwise
		functions_over_their_whole_range reductions zeros_keep_the_sign_that_the_order_gives batches_and_labels
		copies_and_heads rows_by_id block_products masks;
	int8: int8_products to_and_from_integers rotations;
	sampling: sampling;
	windows: windows;
	fuzz: random_ops;
	root: roots roots_of_bytes roots_of_several_levels;
	training: training training_in_int8 training_on_images;
	chains: chains;
	rows: rows long_rows;
}
