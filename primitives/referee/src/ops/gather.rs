//! Batch gather: each output row is a row of the data, bits copied.

use crate::patch::Patch;
use alloc::vec::Vec;

/// The elements of the region, row-major: one rectangle of one row for each output row.
pub(crate) fn rows(rows: &[Patch]) -> Vec<u32> {
	rows.iter().flat_map(|row| row.bits()).copied().collect()
}
