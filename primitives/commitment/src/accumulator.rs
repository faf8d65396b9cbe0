//! Commitment to the partial result that one link of a micro-op chain hands to the next.

use crate::{domains::Domain, Hash};

/// `H(accumulator, op || chunk || link || bytes)`, integers little endian.
pub fn accumulator_hash(op: u32, chunk: u32, link: u32, bytes: &[u8]) -> Hash {
	Domain::Accumulator.hash(&[&op.to_le_bytes(), &chunk.to_le_bytes(), &link.to_le_bytes(), bytes])
}
