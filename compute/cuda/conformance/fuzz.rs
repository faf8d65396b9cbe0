//! Random ops on random shapes.

use assay_cuda::{
	cases::{case, compare, ROUND},
	Backend, Device,
};
use assay_program::OpKind;

use super::check::referee;

/// Some hundred cases that are the same every time.
pub(crate) fn random_ops<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	fuzz(devices, 0, ROUND)
}

/// The kinds that [`random_ops`] checks.
pub(crate) fn kinds() -> impl Iterator<Item = OpKind> {
	(0..ROUND).map(|number| case(0, number, 1).kind)
}

/// `cases` cases; a failure names its number, which with the seed repeats it.
pub(crate) fn fuzz<D: Device>(devices: &[Backend<D>], seed: u64, cases: u64) -> Result<(), String> {
	for number in 0..cases {
		let case = case(seed, number, 1);
		let result = referee(&case).and_then(|expected| compare(devices, &case, &expected));
		result.map_err(|error| format!("seed {seed}, case {number}: {error}"))?;
	}
	Ok(())
}
