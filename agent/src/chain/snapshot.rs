//! Reads at one block: everything read from a snapshot belongs together.

use super::{AtBlock, ChainError, Hasher, StorageKey};
use codec::{Decode, DecodeAll};
use subxt::ext::scale_value::Value;

/// The chain's state at one block.
#[derive(Clone)]
pub struct Snapshot {
	at: AtBlock,
}

/// An event of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEvent {
	/// The pallet's name.
	pub pallet: String,
	/// The event's name.
	pub name: String,
	/// Its fields, SCALE encoded one after the other.
	pub fields: Vec<u8>,
	/// Index of the transaction that caused it, if one did.
	pub extrinsic: Option<u32>,
}

impl ChainEvent {
	/// Decodes the fields.
	///
	/// # Errors
	/// [`ChainError::Decode`] when the fields are something else.
	pub fn decode<T: Decode>(&self) -> Result<T, ChainError> {
		T::decode_all(&mut &self.fields[..])
			.map_err(|_| ChainError::Decode { what: format!("event {}.{}", self.pallet, self.name) })
	}
}

impl Snapshot {
	pub(crate) fn new(at: AtBlock) -> Self {
		Self { at }
	}

	pub(crate) fn client(&self) -> &AtBlock {
		&self.at
	}

	/// The block's number.
	pub fn number(&self) -> u64 {
		self.at.block_number()
	}

	/// The block's hash.
	pub fn hash(&self) -> [u8; 32] {
		self.at.block_hash().0
	}

	/// The value at `key`, or `None`.
	///
	/// # Errors
	/// [`ChainError`] when the node does not answer or the value is of another type.
	pub async fn get<T: Decode>(&self, key: &StorageKey) -> Result<Option<T>, ChainError> {
		match self.at.storage().fetch_raw(key.0.clone()).await {
			Ok(bytes) => T::decode_all(&mut &bytes[..])
				.map(Some)
				.map_err(|_| ChainError::Decode { what: "a stored value".into() }),
			Err(subxt::error::StorageError::NoValueFound) => Ok(None),
			Err(error) => Err(ChainError::read(error)),
		}
	}

	/// The plain value `item` of `pallet`, or `None`.
	///
	/// # Errors
	/// As [`Snapshot::get`].
	pub async fn value<T: Decode>(&self, pallet: &str, item: &str) -> Result<Option<T>, ChainError> {
		self.get(&StorageKey::new(pallet, item)).await.map_err(|error| named(error, pallet, item))
	}

	/// The entry of a map, or `None`.
	///
	/// # Errors
	/// As [`Snapshot::get`].
	pub async fn entry<T: Decode>(
		&self,
		pallet: &str,
		item: &str,
		hasher: Hasher,
		key: &impl codec::Encode,
	) -> Result<Option<T>, ChainError> {
		self.get(&StorageKey::new(pallet, item).under(hasher, key)).await.map_err(|error| named(error, pallet, item))
	}

	/// Every entry of a map with one key.
	///
	/// # Errors
	/// As [`Snapshot::get`].
	pub async fn entries<K: Decode, V: Decode>(
		&self,
		pallet: &str,
		item: &str,
		hasher: Hasher,
	) -> Result<Vec<(K, V)>, ChainError> {
		let decode = || ChainError::Decode { what: format!("{pallet}.{item}") };
		let address = subxt::storage::dynamic::<Vec<Value>, Value>(pallet, item);
		let mut stream = self.at.storage().iter(address, Vec::<Value>::new()).await.map_err(ChainError::read)?;
		let mut entries = Vec::new();
		while let Some(entry) = stream.next().await {
			let entry = entry.map_err(ChainError::read)?;
			let key = entry.key_bytes().get(32 + hasher.prefix_len()..).ok_or_else(decode)?;
			entries.push((
				K::decode_all(&mut &key[..]).map_err(|_| decode())?,
				V::decode_all(&mut entry.value().bytes()).map_err(|_| decode())?,
			));
		}
		Ok(entries)
	}

	/// Every event of this block, in order.
	///
	/// # Errors
	/// [`ChainError`] when the node does not answer.
	pub async fn events(&self) -> Result<Vec<ChainEvent>, ChainError> {
		let events = self.at.events().fetch().await.map_err(ChainError::read)?;
		events
			.iter()
			.map(|event| {
				let event = event.map_err(ChainError::read)?;
				Ok(ChainEvent {
					pallet: event.pallet_name().into(),
					name: event.event_name().into(),
					fields: event.field_bytes().to_vec(),
					extrinsic: match event.phase() {
						subxt::events::Phase::ApplyExtrinsic(index) => Some(index),
						_ => None,
					},
				})
			})
			.collect()
	}
}

fn named(error: ChainError, pallet: &str, item: &str) -> ChainError {
	match error {
		ChainError::Decode { .. } => ChainError::Decode { what: format!("{pallet}.{item}") },
		other => other,
	}
}
