//! The instructions that the kernel is written in.

/// Tiles of palette 1.
pub(super) const COUNT: usize = 8;

/// Rows of a tile, at most 16, and 32-bit words of each, at most 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
	pub(super) rows: u8,
	pub(super) words: u8,
}

/// The shapes of all tiles as the processor reads them: 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Config {
	/// 1: eight tiles of up to 16 rows of 64 bytes.
	pub(super) palette: u8,
	/// Where an interrupted load or store goes on: 0.
	pub(super) start_row: u8,
	/// 0.
	pub(super) reserved: [u8; 14],
	/// Bytes of a row of each tile; 0 for the last eight, which do not exist.
	pub(super) row_bytes: [u16; 16],
	/// Rows of each tile, likewise.
	pub(super) rows: [u8; 16],
}

const _: () = assert!(size_of::<Config>() == 64);

impl Config {
	pub(super) fn new(shapes: [Shape; COUNT]) -> Self {
		let mut config = Self { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
		for ((shape, bytes), rows) in shapes.iter().zip(&mut config.row_bytes).zip(&mut config.rows) {
			(*bytes, *rows) = (4 * u16::from(shape.words), shape.rows);
		}
		config
	}
}

/// The tiles of a thread: eight, 0 to 7. What a tile has beyond its shape is zero.
///
/// # Safety
///
/// For every function: this thread can use the tiles. For all but the first: they are configured, and the shapes of those
/// named are the ones that the instruction takes.
pub(super) trait Tiles {
	/// Gives the tiles their shapes; all are zero then.
	unsafe fn configure(config: &Config);

	/// Gives the tiles up: they have no shapes, and the operating system no longer saves them.
	unsafe fn release();

	/// Makes a tile zero.
	unsafe fn zero<const TILE: usize>();

	/// Loads a tile whose rows are `stride` words apart, all of them in `from`.
	unsafe fn load<const TILE: usize>(from: &[u32], stride: usize);

	/// To each word of `SUMS`, row `i` and column `j`, adds the products of the four signed bytes of word `k` of row `i` of `A`
	/// with those of word `j` of row `k` of `B`, for all `k`, modulo 2^32.
	unsafe fn add_products<const SUMS: usize, const A: usize, const B: usize>();

	/// Stores a tile, its rows `stride` words apart, all of them in `to`.
	unsafe fn store<const TILE: usize>(to: &mut [u32], stride: usize);
}
