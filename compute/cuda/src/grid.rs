//! Grids. Kernels loop over what the grid does not cover, so any grid is right; these are sensible.

use crate::launch::Profile;

/// Threads of a block where the kernel does not ask for another number.
const THREADS: u32 = 256;
/// Blocks per processor beyond which threads loop instead.
const BLOCKS_PER_PROCESSOR: u64 = 32;
/// Most blocks along x.
const MAX_X: u64 = i32::MAX as u64;
/// Most blocks along y.
const MAX_Y: u64 = 65535;

/// Grid and block of a launch.
pub(crate) type Shape = ([u32; 3], [u32; 3]);

fn limit(profile: &Profile) -> u64 {
	u64::from(profile.multiprocessors.max(1)) * BLOCKS_PER_PROCESSOR
}

/// At least 1 and at most `most`; fits 32 bits where `most` does.
fn clamp(blocks: u64, most: u64) -> u32 {
	u32::try_from(blocks.clamp(1, most.clamp(1, MAX_X))).unwrap_or(1)
}

/// A thread per element of `[rows, cols]`: blocks as wide as a row, up to 256.
pub(crate) fn plane(rows: u64, cols: u64, profile: &Profile) -> Shape {
	let width = u32::try_from(cols.min(u64::from(THREADS))).unwrap_or(THREADS).max(1).next_power_of_two();
	let height = THREADS / width;
	let limit = limit(profile);
	let x = clamp(cols.div_ceil(u64::from(width)), limit);
	let y = clamp(rows.div_ceil(u64::from(height)), (limit / u64::from(x)).min(MAX_Y));
	([x, y, 1], [width, height, 1])
}

/// `units` of work over blocks of `threads` threads, each thread taking one.
pub(crate) fn line(units: u64, threads: u32, profile: &Profile) -> Shape {
	([clamp(units.div_ceil(u64::from(threads)), limit(profile)), 1, 1], [threads, 1, 1])
}

/// `tasks`, each of a whole block; blocks loop where there are more than the device holds many times over.
pub(crate) fn blocks(tasks: u64, block: [u32; 3], profile: &Profile) -> Shape {
	([clamp(tasks, limit(profile)), 1, 1], block)
}
