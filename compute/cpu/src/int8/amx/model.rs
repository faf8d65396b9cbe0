//! The instructions in software, as Intel's manual describes them (volume 2: LDTILECFG, TILERELEASE, TILEZERO, TILELOADD, TDPBSSD,
//! TILESTORED). What faults on a processor panics here.

use core::cell::RefCell;

use super::tiles::{Config, Tiles, COUNT};

/// Memory is always there.
#[cfg(feature = "modelled-tiles")]
pub(super) fn usable() -> bool {
	true
}

/// Rows of a tile, and bytes of a row, at most.
const ROWS: usize = 16;
const ROW_BYTES: usize = 64;

/// One tile, the part outside of its shape too.
type Tile = [[u8; ROW_BYTES]; ROWS];

struct State {
	config: Config,
	tiles: [Tile; COUNT],
}

thread_local! {
	/// What the registers of the thread hold, if they are configured.
	static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// The tiles of a thread, in memory.
pub(in crate::int8) struct Model;

impl Model {
	/// Whether the tiles of this thread have shapes.
	#[cfg(test)]
	pub(super) fn is_configured() -> bool {
		STATE.with_borrow(Option::is_some)
	}
}

impl State {
	/// Rows and bytes of a row.
	fn shape(&self, tile: usize) -> (usize, usize) {
		let (rows, bytes) = (usize::from(self.config.rows[tile]), usize::from(self.config.row_bytes[tile]));
		assert!(rows > 0, "tile {tile} has no shape");
		(rows, bytes)
	}
}

fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
	STATE.with_borrow_mut(|state| work(state.as_mut().expect("the tiles are configured")))
}

/// Byte `at` of words in the processor's order.
fn byte(words: &[u32], at: usize) -> u8 {
	words[at / 4].to_le_bytes()[at % 4]
}

impl Tiles for Model {
	unsafe fn configure(config: &Config) {
		assert_eq!((config.palette, config.start_row, config.reserved), (1, 0, [0; 14]));
		for (at, (rows, bytes)) in config.rows.iter().zip(&config.row_bytes).enumerate() {
			let (rows, bytes) = (usize::from(*rows), usize::from(*bytes));
			assert!(rows <= ROWS && bytes <= ROW_BYTES && (rows == 0) == (bytes == 0), "tile {at}: {rows} x {bytes}");
			assert!(at < COUNT || rows == 0, "there is no tile {at}");
		}
		let tiles = [[[0; ROW_BYTES]; ROWS]; COUNT];
		STATE.set(Some(State { config: *config, tiles }));
	}

	unsafe fn release() {
		STATE.set(None);
	}

	unsafe fn zero<const TILE: usize>() {
		with(|state| {
			state.shape(TILE);
			state.tiles[TILE] = [[0; ROW_BYTES]; ROWS];
		});
	}

	unsafe fn load<const TILE: usize>(from: &[u32], stride: usize) {
		with(|state| {
			let (rows, bytes) = state.shape(TILE);
			state.tiles[TILE] = [[0; ROW_BYTES]; ROWS];
			for (row, line) in state.tiles[TILE][..rows].iter_mut().enumerate() {
				for (at, place) in line[..bytes].iter_mut().enumerate() {
					*place = byte(from, row * stride * 4 + at);
				}
			}
		});
	}

	unsafe fn add_products<const SUMS: usize, const A: usize, const B: usize>() {
		assert!(SUMS != A && SUMS != B && A != B, "the three tiles differ");
		with(|state| {
			let ((rows, bytes), (a_rows, a_bytes), (b_rows, b_bytes)) =
				(state.shape(SUMS), state.shape(A), state.shape(B));
			assert!(a_rows == rows && b_bytes == bytes && a_bytes == 4 * b_rows && bytes % 4 == 0, "shapes fit");
			let (a, b) = (state.tiles[A], state.tiles[B]);
			let mut sums: Tile = [[0; ROW_BYTES]; ROWS];
			for (i, line) in sums[..rows].iter_mut().enumerate() {
				for (j, place) in line[..bytes].as_chunks_mut::<4>().0.iter_mut().enumerate() {
					let mut sum = i32::from_le_bytes(state.tiles[SUMS][i].as_chunks::<4>().0[j]);
					for (k, b) in b[..b_rows].iter().enumerate() {
						for (x, y) in a[i].as_chunks::<4>().0[k].iter().zip(&b.as_chunks::<4>().0[j]) {
							sum = sum.wrapping_add(i32::from(*x as i8) * i32::from(*y as i8));
						}
					}
					*place = sum.to_le_bytes();
				}
			}
			state.tiles[SUMS] = sums;
		});
	}

	unsafe fn store<const TILE: usize>(to: &mut [u32], stride: usize) {
		with(|state| {
			let (rows, bytes) = state.shape(TILE);
			for (row, line) in state.tiles[TILE][..rows].iter().enumerate() {
				for (at, byte) in line[..bytes].iter().enumerate() {
					let place = row * stride * 4 + at;
					let mut word = to[place / 4].to_le_bytes();
					word[place % 4] = *byte;
					to[place / 4] = u32::from_le_bytes(word);
				}
			}
		});
	}
}
