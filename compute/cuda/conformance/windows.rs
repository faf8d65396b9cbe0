//! Windows over images.

use assay_cuda::{
	cases::{random_window, Random},
	Backend, Device,
};

use super::check::check;

pub(crate) fn windows<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	let mut random = Random::new(15);
	for round in 0..60 {
		let (kind, x, output) = random_window(&mut random, round % 2 == 0, round % 3 == 0);
		check(devices, kind, &[x], output)?;
	}
	Ok(())
}
