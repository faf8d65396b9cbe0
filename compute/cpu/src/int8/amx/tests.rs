//! The kernel on the model of the tiles, and the model itself.

use super::{
	model::Model,
	standing::agrees,
	tiles::{Config, Shape, Tiles},
	Amx, Modelled, SIDE,
};
use crate::{
	int8::{blocks, Operand},
	matmul::Region,
	path::Supported,
	Path,
};

fn paths() -> impl Iterator<Item = Supported> {
	[Path::Portable, Path::Avx2, Path::Avx512].into_iter().filter_map(|path| Supported::new(path).ok())
}

#[test]
fn the_kernel_agrees_on_the_model() {
	for path in paths() {
		assert!(agrees::<Modelled>(path), "{path:?}");
		assert!(!Model::is_configured(), "the tiles are given up");
	}
}

/// Tiles that get something wrong.
struct Wrong<const FAULT: usize>;

impl<const FAULT: usize> Tiles for Wrong<FAULT> {
	unsafe fn configure(config: &Config) {
		// SAFETY: memory.
		unsafe { Model::configure(config) };
	}

	unsafe fn release() {
		// SAFETY: memory.
		unsafe { Model::release() };
	}

	unsafe fn zero<const TILE: usize>() {
		// What was in the tile stays.
		if FAULT != 0 {
			// SAFETY: memory.
			unsafe { Model::zero::<TILE>() };
		}
	}

	unsafe fn load<const TILE: usize>(from: &[u32], stride: usize) {
		// The highest bit of one byte of a tile of B.
		let mut from = from.to_vec();
		if FAULT == 1 && TILE == 7 {
			from[0] ^= 1 << 31;
		}
		// SAFETY: memory.
		unsafe { Model::load::<TILE>(&from, stride) };
	}

	unsafe fn add_products<const SUMS: usize, const A: usize, const B: usize>() {
		// SAFETY: memory.
		unsafe { Model::add_products::<SUMS, A, B>() };
		// One product too many.
		if FAULT == 2 && SUMS == 3 {
			// SAFETY: memory.
			unsafe { Model::add_products::<SUMS, A, B>() };
		}
	}

	unsafe fn store<const TILE: usize>(to: &mut [u32], stride: usize) {
		// SAFETY: memory.
		unsafe { Model::store::<TILE>(to, stride) };
		// The last bit of one sum.
		if FAULT == 3 && TILE == 0 {
			to[0] ^= 1;
		}
	}
}

#[test]
fn wrong_tiles_are_found_out() {
	let path = Supported::new(Path::Portable).expect("everywhere");
	assert!(agrees::<Amx<Wrong<9>>>(path), "without a fault they are the model");
	assert!(!agrees::<Amx<Wrong<0>>>(path));
	assert!(!agrees::<Amx<Wrong<1>>>(path));
	assert!(!agrees::<Amx<Wrong<2>>>(path));
	assert!(!agrees::<Amx<Wrong<3>>>(path));
}

/// Products of lowest bytes only, as many as a program may sum: the largest sum there is, one tile after another.
#[test]
fn the_largest_sum_is_exact() {
	let inner = assay_program::shape::MAX_INNER_I8 as usize;
	let lowest = vec![-128i8; inner];
	let operand = Operand { data: &lowest, stride: inner, inner_contiguous: true };
	let mut out = [0];
	for path in paths() {
		blocks::<Modelled>(path, operand, operand, inner, Region::whole(&mut out, 1, 1));
		assert_eq!(out[0], 128 * 128 * inner as u32);
	}
}

const FULL: Shape = Shape { rows: 16, words: 16 };

#[test]
fn a_tile_is_zero_beyond_its_shape() {
	let from: Vec<u32> = (1..=80).collect();
	let small = Shape { rows: 3, words: 2 };
	let mut to = [7; 80];
	// SAFETY: memory.
	unsafe {
		Model::configure(&Config::new([small, FULL, FULL, FULL, FULL, FULL, FULL, FULL]));
		Model::load::<0>(&from, 20);
		Model::store::<0>(&mut to, 5);
		Model::release();
	}
	assert_eq!(to[..13], [1, 2, 7, 7, 7, 21, 22, 7, 7, 7, 41, 42, 7]);
	assert!(to[13..].iter().all(|word| *word == 7), "only the shape is stored");
}

/// One word of each: -128 * -128 + 127 * -1 + 0 * 5 + -1 * 1, on top of the largest number, which wraps.
#[test]
fn products_are_signed_and_wrap() {
	let (a, b) = (u32::from_le_bytes([0x80, 127, 0, 0xff]), u32::from_le_bytes([0x80, 0xff, 5, 1]));
	let one = Shape { rows: 1, words: 1 };
	let mut sum = [i32::MAX as u32];
	// SAFETY: memory.
	unsafe {
		Model::configure(&Config::new([one; 8]));
		Model::load::<2>(&sum, 1);
		Model::load::<3>(&[a], 1);
		Model::load::<4>(&[b], 1);
		Model::add_products::<2, 3, 4>();
		Model::store::<2>(&mut sum, 1);
		Model::release();
	}
	assert_eq!(sum[0] as i32, i32::MAX.wrapping_add(16384 - 127 - 1));
}

#[test]
#[should_panic(expected = "shapes fit")]
fn shapes_must_fit() {
	let flat = Shape { rows: 8, words: SIDE as u8 };
	// SAFETY: memory.
	unsafe {
		Model::configure(&Config::new([FULL, flat, FULL, FULL, FULL, FULL, FULL, FULL]));
		Model::add_products::<0, 1, 2>();
	}
}

#[test]
#[should_panic(expected = "configured")]
fn tiles_must_be_configured() {
	// SAFETY: memory.
	unsafe {
		Model::configure(&Config::new([FULL; 8]));
		Model::release();
		Model::zero::<0>();
	}
}

#[test]
#[should_panic(expected = "tile 0: 16 x 0")]
fn a_tile_with_rows_has_bytes() {
	// SAFETY: memory.
	unsafe { Model::configure(&Config::new([Shape { rows: 16, words: 0 }; 8])) };
}
