//! How a blob is cut: chunk groups, pieces, and the proofs that tie a range to the hash.

use bao_tree::{
	io::{
		outboard::PreOrderOutboard,
		sync::{decode_ranges, encode_ranges_validated, ReadAt, WriteAt},
		DecodeError, EncodeError,
	},
	BaoTree, BlockSize, ChunkNum, ChunkRanges,
};
use codec::{Decode, Encode};
use std::ops::Range;

use crate::BlobHash;

/// Bytes in a chunk group, the smallest unit that is proved: 16 BLAKE3 chunks.
pub const GROUP_BYTES: u64 = 16 * 1024;
/// Groups in a piece, the largest unit that is asked for at once: 1 MiB.
pub const PIECE_GROUPS: u32 = 64;
/// Longest blob, in bytes: 16 TiB. A longer claim is a breach of protocol.
pub const MAX_BLOB_LEN: u64 = 1 << 44;
/// Longest encoding of a range: a piece, the inner nodes above its groups, and two paths to the root.
pub(crate) const MAX_ENCODED_BYTES: usize = GROUP_BYTES as usize * PIECE_GROUPS as usize + 64 * (2 * 64 + 2 * 64);

pub(crate) const BLOCK_SIZE: BlockSize = BlockSize::from_chunk_log(4);

/// Consecutive chunk groups of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GroupRange {
	/// Index of the first group.
	pub first: u64,
	/// Number of groups, from 1 to [`PIECE_GROUPS`].
	pub count: u32,
}

/// The cut of a blob of a given length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
	len: u64,
}

impl Geometry {
	/// The cut of a blob of `len` bytes, or `None` above [`MAX_BLOB_LEN`].
	pub fn new(len: u64) -> Option<Self> {
		(len <= MAX_BLOB_LEN).then_some(Self { len })
	}

	/// Length of the blob in bytes.
	pub fn len(&self) -> u64 {
		self.len
	}

	/// Whether the blob has no bytes.
	pub fn is_empty(&self) -> bool {
		self.len == 0
	}

	/// Number of groups; an empty blob has one, empty, group.
	pub fn groups(&self) -> u64 {
		self.len.div_ceil(GROUP_BYTES).max(1)
	}

	/// Number of pieces.
	pub fn pieces(&self) -> u64 {
		self.groups().div_ceil(u64::from(PIECE_GROUPS))
	}

	/// The groups of piece `index`, which must be below [`Self::pieces`].
	pub fn piece(&self, index: u64) -> GroupRange {
		let first = index * u64::from(PIECE_GROUPS);
		let count = self.groups().saturating_sub(first).min(u64::from(PIECE_GROUPS)) as u32;
		GroupRange { first, count }
	}

	/// The last group. Its proof also proves the length: the last chunk fixes its own size and position in the tree.
	pub fn last_group(&self) -> GroupRange {
		GroupRange { first: self.groups() - 1, count: 1 }
	}

	/// Whether `range` is one that a peer may ask for.
	pub fn contains(&self, range: GroupRange) -> bool {
		let end = range.first.checked_add(u64::from(range.count));
		(1..=PIECE_GROUPS).contains(&range.count) && end.is_some_and(|end| end <= self.groups())
	}

	/// The bytes of `range`, which must be contained.
	pub fn bytes_of(&self, range: GroupRange) -> Range<u64> {
		let end = (range.first + u64::from(range.count)) * GROUP_BYTES;
		(range.first * GROUP_BYTES).min(self.len)..end.min(self.len)
	}

	/// The pieces that `valid` does not cover.
	pub(crate) fn missing_pieces(&self, valid: &ChunkRanges) -> Vec<u64> {
		(0..self.pieces()).filter(|index| !self.chunks_of(self.piece(*index)).is_subset(valid)).collect()
	}

	pub(crate) fn tree(&self) -> BaoTree {
		BaoTree::new(self.len, BLOCK_SIZE)
	}

	/// The BLAKE3 chunks of `range`, cut at the end of the blob.
	pub(crate) fn chunks_of(&self, range: GroupRange) -> ChunkRanges {
		let bytes = self.bytes_of(range);
		ChunkRanges::from(ChunkNum::full_chunks(bytes.start)..ChunkNum::chunks(bytes.end))
	}
}

/// Encodes `range` with its proof, checking the stored bytes against the hash on the way.
pub(crate) fn encode_range<D: ReadAt, O: ReadAt>(
	hash: BlobHash,
	geometry: Geometry,
	data: D,
	outboard: O,
	range: GroupRange,
) -> Result<Vec<u8>, EncodeError> {
	let mut encoded = Vec::new();
	if !geometry.is_empty() {
		let outboard = PreOrderOutboard { root: hash.to_blake3(), tree: geometry.tree(), data: outboard };
		encode_ranges_validated(data, outboard, &geometry.chunks_of(range), &mut encoded)?;
	}
	Ok(encoded)
}

/// Why an encoding was not accepted.
#[derive(Debug)]
pub(crate) enum RangeError {
	/// The bytes do not belong to the blob.
	Unverifiable,
	/// Verified bytes could not be stored.
	Io(std::io::Error),
}

/// Checks the encoding of `range` against `hash` and writes what is proved, and nothing else, to `data` and `outboard`.
pub(crate) fn decode_range<D: WriteAt, O: ReadAt + WriteAt>(
	hash: BlobHash,
	geometry: Geometry,
	data: D,
	outboard: O,
	range: GroupRange,
	encoded: &[u8],
) -> Result<(), RangeError> {
	if geometry.is_empty() {
		let proved = encoded.is_empty() && hash == BlobHash::of(b"");
		return if proved { Ok(()) } else { Err(RangeError::Unverifiable) };
	}
	let mut rest = encoded;
	let outboard = PreOrderOutboard { root: hash.to_blake3(), tree: geometry.tree(), data: outboard };
	decode_ranges(&mut rest, &geometry.chunks_of(range), data, outboard).map_err(|error| match error {
		DecodeError::Io(error) => RangeError::Io(error),
		_ => RangeError::Unverifiable,
	})?;
	if rest.is_empty() {
		Ok(())
	} else {
		Err(RangeError::Unverifiable)
	}
}

#[cfg(test)]
mod tests {
	use bao_tree::io::outboard::PreOrderMemOutboard;
	use proptest::prelude::*;

	use super::*;

	fn bytes(len: usize, seed: u64) -> Vec<u8> {
		let mut out = vec![0; len];
		blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut out);
		out
	}

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(64))]

		#[test]
		fn pieces_tile_the_blob(len in prop_oneof![0..4 * 1024 * 1024u64, 0..=MAX_BLOB_LEN]) {
			let geometry = Geometry::new(len).unwrap();
			let pieces = geometry.pieces();
			let mut end = 0;
			for index in (0..pieces).take(8) {
				let range = geometry.piece(index);
				prop_assert!(geometry.contains(range));
				prop_assert_eq!(geometry.bytes_of(range).start, end);
				end = geometry.bytes_of(range).end;
			}
			let last = geometry.piece(pieces - 1);
			prop_assert_eq!(geometry.bytes_of(last).end, len);
			prop_assert_eq!(last.first + u64::from(last.count), geometry.groups());
			prop_assert!(geometry.contains(geometry.last_group()));
		}

		#[test]
		fn foreign_ranges_are_not_contained(len in 0..=MAX_BLOB_LEN, first: u64, count: u32) {
			let geometry = Geometry::new(len).unwrap();
			let inside = u128::from(first) + u128::from(count) <= u128::from(geometry.groups());
			let allowed = inside && (1..=PIECE_GROUPS).contains(&count);
			prop_assert_eq!(geometry.contains(GroupRange { first, count }), allowed);
		}

		#[test]
		fn missing_pieces_complement_the_valid_ones(len in 1..8 * 1024 * 1024u64, keep: u8) {
			let geometry = Geometry::new(len).unwrap();
			let mut valid = ChunkRanges::empty();
			let kept = |index: u64| keep >> index & 1 == 1;
			for index in (0..geometry.pieces()).filter(|index| kept(*index)) {
				valid |= geometry.chunks_of(geometry.piece(index));
			}
			let missing: Vec<u64> = (0..geometry.pieces()).filter(|index| !kept(*index)).collect();
			prop_assert_eq!(geometry.missing_pieces(&valid), missing);
		}

		#[test]
		fn a_range_round_trips_and_no_changed_byte_passes(
			len in prop_oneof![0..70_000usize, Just(16384), Just(16385), Just(32768), 0..1_500_000usize],
			pick: u64, width in 1..=PIECE_GROUPS, flip: usize, bit in 0..8u8,
		) {
			let blob = bytes(len, pick);
			let tree = PreOrderMemOutboard::create(&blob, BLOCK_SIZE);
			let hash = BlobHash::from(tree.root);
			prop_assert_eq!(hash, BlobHash::of(&blob));
			let geometry = Geometry::new(len as u64).unwrap();
			let first = pick % geometry.groups();
			let range = GroupRange { first, count: width.min((geometry.groups() - first) as u32) };
			let mut encoded = encode_range(hash, geometry, &blob[..], &tree.data[..], range).unwrap();
			prop_assert!(encoded.len() <= MAX_ENCODED_BYTES);

			let (mut data, mut outboard) = (vec![0; len], vec![0; tree.data.len()]);
			decode_range(hash, geometry, &mut data, &mut outboard, range, &encoded).unwrap();
			let bytes = geometry.bytes_of(range);
			let bytes = bytes.start as usize..bytes.end as usize;
			prop_assert_eq!(&data[bytes.clone()], &blob[bytes]);

			encoded.push(0);
			let decoded = decode_range(hash, geometry, &mut data, &mut outboard, range, &encoded);
			prop_assert!(matches!(decoded, Err(RangeError::Unverifiable)));
			encoded.pop();
			if !encoded.is_empty() {
				let at = flip % encoded.len();
				encoded[at] ^= 1 << bit;
				let decoded = decode_range(hash, geometry, &mut data, &mut outboard, range, &encoded);
				prop_assert!(matches!(decoded, Err(RangeError::Unverifiable)));
			}
		}

		#[test]
		fn the_last_group_proves_the_length(len in 1..200_000u64, claim in 0..200_000u64) {
			prop_assume!(len != claim);
			let blob = bytes(len as usize, len);
			let tree = PreOrderMemOutboard::create(&blob, BLOCK_SIZE);
			let hash = BlobHash::from(tree.root);
			let (truth, claimed) = (Geometry::new(len).unwrap(), Geometry::new(claim).unwrap());
			let encoded = encode_range(hash, truth, &blob[..], &tree.data[..], truth.last_group()).unwrap();
			let mut data = Vec::new();
			let decoded = decode_range(hash, claimed, &mut data, Vec::new(), claimed.last_group(), &encoded);
			prop_assert!(matches!(decoded, Err(RangeError::Unverifiable)));
		}
	}
}
