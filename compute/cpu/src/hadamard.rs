//! Blocks of columns times a Hadamard matrix.

use crate::{matrix::floats_mut, path::Kernel};

/// Elements in whole blocks of `2^log2`, in place.
pub(crate) struct Hadamard<'a> {
	pub(crate) log2: u8,
	pub(crate) elements: &'a mut [u32],
}

impl Kernel for Hadamard<'_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let elements = floats_mut(self.elements);
		match self.log2 {
			1 => blocks::<2>(elements),
			2 => blocks::<4>(elements),
			3 => blocks::<8>(elements),
			4 => blocks::<16>(elements),
			_ => blocks::<32>(elements),
		}
	}
}

#[inline(always)]
fn blocks<const SIDE: usize>(elements: &mut [f32]) {
	for block in elements.as_chunks_mut::<SIDE>().0 {
		let mut distance = 1;
		while distance < SIDE {
			let before = *block;
			for at in 0..SIDE {
				let other = before[at ^ distance];
				block[at] = if at & distance == 0 { before[at] + other } else { other - before[at] };
			}
			distance *= 2;
		}
	}
}
