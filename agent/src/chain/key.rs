//! Storage keys, computed the way FRAME lays them out.

use codec::Encode;
use sp_crypto_hashing::{blake2_128, twox_128, twox_64};

/// How a map hashes one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hasher {
	/// The encoded key itself.
	Identity,
	/// 8 bytes of xxHash, then the encoded key.
	Twox64Concat,
	/// 16 bytes of BLAKE2b, then the encoded key.
	Blake2_128Concat,
}

impl Hasher {
	fn append(self, key: &[u8], out: &mut Vec<u8>) {
		match self {
			Self::Identity => {}
			Self::Twox64Concat => out.extend(twox_64(key)),
			Self::Blake2_128Concat => out.extend(blake2_128(key)),
		}
		out.extend(key);
	}

	/// Bytes that stand before the encoded key.
	pub(crate) fn prefix_len(self) -> usize {
		match self {
			Self::Identity => 0,
			Self::Twox64Concat => 8,
			Self::Blake2_128Concat => 16,
		}
	}
}

/// The key of a storage value, of a map's prefix, or of a map's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageKey(pub(crate) Vec<u8>);

impl StorageKey {
	/// The value `item` of `pallet`, or the prefix of that map.
	pub fn new(pallet: &str, item: &str) -> Self {
		let mut key = twox_128(pallet.as_bytes()).to_vec();
		key.extend(twox_128(item.as_bytes()));
		Self(key)
	}

	/// The entry under one more key.
	pub fn under(mut self, hasher: Hasher, key: &impl Encode) -> Self {
		hasher.append(&key.encode(), &mut self.0);
		self
	}
}
