//! Canonical bytes: round trips, and the maps between elements and slots.

use assay_commitment::{layout::TILE_BYTES, DType, Layout, LayoutError, Region, CHUNK_BYTES};
use proptest::prelude::*;

/// Nonzero bits, distinct where the type has as many, so that a misplaced element or a hole shows.
fn elements(layout: &Layout) -> Vec<u32> {
	let bits = (0..layout.elements() as u32).map(|i| i.wrapping_mul(0x9e37_79b1) | 1);
	match layout.dtype() {
		DType::F32 | DType::I32 => bits.collect(),
		DType::I8 => bits.map(|bits| ((bits >> 24) as u8 | 1) as i8 as u32).collect(),
	}
}

fn bits_at(layout: &Layout, bytes: &[u8], chunk: u32, slot: u32) -> u32 {
	let at = chunk as usize * CHUNK_BYTES + (slot * layout.element_bytes()) as usize;
	match layout.dtype() {
		DType::F32 | DType::I32 => u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()),
		DType::I8 => bytes[at] as i8 as u32,
	}
}

/// Every slot of the canonical bytes is what `element_of`, `slot_of` and `chunk_region` say it is.
fn check_shape(rows: u32, cols: u32) {
	for dtype in [DType::F32, DType::I8] {
		check_shape_of(dtype, rows, cols);
	}
}

fn check_shape_of(dtype: DType, rows: u32, cols: u32) {
	let layout = Layout::new(dtype, rows, cols).unwrap();
	let side = if dtype == DType::I8 { 64 } else { 32 };
	let of_chunk = if dtype == DType::I8 { 1024 } else { 256 };
	let elements = elements(&layout);
	let bytes = layout.to_canonical(&elements).unwrap();
	assert_eq!(bytes.len() as u64, layout.byte_len());
	assert_eq!(bytes.len(), layout.tiles() as usize * TILE_BYTES);
	assert_eq!(bytes.len(), layout.chunks() as usize * CHUNK_BYTES);
	assert_eq!(layout.from_canonical(&bytes).unwrap(), elements);

	let mut seen = 0;
	for chunk in 0..layout.chunks() {
		let region = layout.chunk_region(chunk).unwrap();
		for slot in 0..of_chunk {
			let bits = bits_at(&layout, &bytes, chunk, slot);
			match layout.element_of(chunk, slot) {
				Some((row, col)) => {
					seen += 1;
					assert_eq!(bits, elements[(row * cols + col) as usize]);
					assert_eq!(layout.slot_of(row, col), Some((chunk, slot)));
					assert_eq!(layout.chunk_of(row, col), Some(chunk));
					let (down, across) = (row - region.row0, col - region.col0);
					assert!(down < region.rows && across < region.cols);
					assert_eq!(slot, if rows == 1 { across } else { down * side + across });
				}
				None => assert_eq!(bits, 0),
			}
		}
		assert_eq!(layout.element_of(chunk, of_chunk), None);
		let own = chunk as usize * CHUNK_BYTES;
		assert_eq!(layout.chunk_bytes(&elements, chunk).unwrap()[..], bytes[own..own + CHUNK_BYTES]);
	}
	assert_eq!(seen, layout.elements());
	let inside: u64 = (0..layout.chunks())
		.map(|chunk| layout.chunk_region(chunk).unwrap())
		.map(|region| u64::from(region.rows) * u64::from(region.cols))
		.sum();
	assert_eq!(inside, layout.elements());

	assert_eq!(layout.element_of(layout.chunks(), 0), None);
	assert_eq!(layout.chunk_region(layout.chunks()), None);
	assert_eq!(layout.chunk_bytes(&elements, layout.chunks()), Err(LayoutError::Length));
	assert_eq!(layout.slot_of(rows, 0), None);
	assert_eq!(layout.slot_of(0, cols), None);
}

#[test]
fn edges_of_tiles_and_runs() {
	for (rows, cols) in [(1, 1), (1, 255), (1, 256), (1, 257), (1, 1024), (1, 1025), (2, 1), (8, 32), (9, 33)] {
		check_shape(rows, cols);
	}
	for (rows, cols) in [(32, 32), (32, 33), (33, 32), (64, 64), (65, 31), (64, 65), (17, 129), (2, 5000), (5000, 1)] {
		check_shape(rows, cols);
	}
}

#[test]
fn places_by_hand() {
	let layout = Layout::new(DType::I32, 40, 50).unwrap();
	assert_eq!((layout.tiles(), layout.chunks()), (4, 16));
	// Row 33 is row 1 of the second tile row; column 40 is column 8 of the second tile.
	assert_eq!(layout.slot_of(33, 40), Some((12, 40)));
	assert_eq!(layout.chunk_region(4), Some(Region { row0: 0, rows: 8, col0: 32, cols: 18 }));
	assert_eq!(layout.chunk_region(9), Some(Region { row0: 40, rows: 0, col0: 0, cols: 32 }));
	let vector = Layout::new(DType::F32, 1, 1300).unwrap();
	assert_eq!((vector.tiles(), vector.chunks()), (2, 8));
	assert_eq!(vector.slot_of(0, 1299), Some((5, 19)));
	assert_eq!(vector.chunk_region(6), Some(Region { row0: 0, rows: 1, col0: 1300, cols: 0 }));
	let bytes = Layout::new(DType::I8, 70, 130).unwrap();
	assert_eq!((bytes.tiles(), bytes.chunks()), (6, 24));
	// Row 66 is row 2 of the second tile row; column 129 is column 1 of the third tile.
	assert_eq!(bytes.slot_of(66, 129), Some((20, 2 * 64 + 1)));
	assert_eq!(bytes.chunk_region(9), Some(Region { row0: 16, rows: 16, col0: 128, cols: 2 }));
	let bytes = Layout::new(DType::I8, 1, 5000).unwrap();
	assert_eq!((bytes.tiles(), bytes.slot_of(0, 4999)), (2, Some((4, 903))));
}

#[test]
fn bytes_are_sign_extended_and_nothing_else_fits() {
	let layout = Layout::new(DType::I8, 2, 2).unwrap();
	let canonical = layout.to_canonical(&[127, -128i32 as u32, -1i32 as u32, 0]).unwrap();
	assert_eq!((&canonical[..2], canonical[64]), (&[127, 128][..], 255));
	assert_eq!(layout.from_canonical(&canonical).unwrap(), [127, 0xffff_ff80, 0xffff_ffff, 0]);
	for wrong in [128, 255, 256, 0x7fff_ffff, -129i32 as u32] {
		assert_eq!(layout.to_canonical(&[0, 0, wrong, 0]), Err(LayoutError::Range));
	}
}

#[test]
fn refuses_impossible_shapes() {
	assert_eq!(Layout::new(DType::F32, 0, 5), Err(LayoutError::Empty));
	assert_eq!(Layout::new(DType::F32, 5, 0), Err(LayoutError::Empty));
	assert_eq!(Layout::new(DType::F32, u32::MAX, u32::MAX), Err(LayoutError::TooLarge));
	assert_eq!(Layout::new(DType::F32, 1 << 20, 1 << 20), Err(LayoutError::TooLarge));
	assert_eq!(Layout::new(DType::I8, 1 << 21, 1 << 21), Err(LayoutError::TooLarge));
}

#[test]
fn largest_shapes_do_not_overflow() {
	for (rows, cols) in [(1, u32::MAX), (u32::MAX, 1), (u32::MAX, 32), (2, u32::MAX), (33, u32::MAX)] {
		for dtype in [DType::F32, DType::I8] {
			largest_shape_of(dtype, rows, cols);
		}
	}
}

fn largest_shape_of(dtype: DType, rows: u32, cols: u32) {
	let layout = Layout::new(dtype, rows, cols).unwrap();
	let last = layout.slot_of(rows - 1, cols - 1).unwrap();
	assert_eq!(layout.element_of(last.0, last.1), Some((rows - 1, cols - 1)));
	for chunk in [0, last.0, layout.chunks() - 1, layout.chunks(), u32::MAX] {
		for slot in [0, 255, 256, 1023, 1024, u32::MAX] {
			if let Some((row, col)) = layout.element_of(chunk, slot) {
				assert_eq!(layout.slot_of(row, col), Some((chunk, slot)));
			}
		}
		assert_eq!(layout.chunk_region(chunk).is_some(), chunk < layout.chunks());
	}
	assert_eq!(layout.to_canonical(&[1, 2]), Err(LayoutError::Length));
	assert_eq!(layout.from_canonical(&[0; 4096]), Err(LayoutError::Length));
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn matrices(rows in 1u32..100, cols in 1u32..100) {
		check_shape(rows, cols);
	}

	#[test]
	fn vectors(cols in 1u32..5000) {
		check_shape(1, cols);
	}

	#[test]
	fn padding_must_be_zero(
		rows in 1u32..100,
		cols in 1u32..100,
		at in any::<prop::sample::Index>(),
		bit in 0u8..8,
		byte in any::<bool>(),
	) {
		let layout = Layout::new(if byte { DType::I8 } else { DType::F32 }, rows, cols).unwrap();
		let size = layout.element_bytes() as usize;
		let elements = elements(&layout);
		let mut bytes = layout.to_canonical(&elements).unwrap();
		let at = at.index(bytes.len());
		bytes[at] ^= 1 << bit;
		let place = layout.element_of((at / CHUNK_BYTES) as u32, (at % CHUNK_BYTES / size) as u32);
		match layout.from_canonical(&bytes) {
			Ok(changed) => {
				let (row, col) = place.unwrap();
				let index = (row * cols + col) as usize;
				let flipped = 1 << (at % size * 8 + usize::from(bit));
				let kept = if byte { 0xff } else { u32::MAX };
				prop_assert_eq!((changed[index] ^ elements[index]) & kept, flipped);
			},
			Err(error) => prop_assert_eq!((error, place), (LayoutError::Padding, None)),
		}
		bytes.pop();
		prop_assert_eq!(layout.from_canonical(&bytes), Err(LayoutError::Length));
	}
}
