//! Small durable state in one file: typed records under text keys, written in one transaction each.

use codec::{Decode, DecodeAll, Encode};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::{path::Path, sync::Arc};

const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The file cannot be opened; often another process holds it.
	#[error("cannot open the state file {path}: {reason}; is another daemon using the same folder?")]
	Open {
		/// The file.
		path: String,
		/// What the database said.
		reason: String,
	},
	/// Reading or writing failed.
	#[error("the state file failed: {0}")]
	Io(String),
	/// A record is of another version.
	#[error("the record {0} in the state file is not of this version; move the folder away and start anew")]
	Decode(String),
}

fn io(error: impl std::fmt::Display) -> StoreError {
	StoreError::Io(error.to_string())
}

/// Durable records. Cheap to clone.
#[derive(Clone)]
pub struct Store {
	database: Arc<Database>,
}

impl Store {
	/// Opens or creates the file. A write that returned is there after a crash.
	///
	/// # Errors
	/// [`StoreError::Open`].
	pub fn open(path: &Path) -> Result<Self, StoreError> {
		let open = |reason: String| StoreError::Open { path: path.display().to_string(), reason };
		if let Some(parent) = path.parent() {
			std::fs::create_dir_all(parent).map_err(|error| open(error.to_string()))?;
		}
		let database = Database::create(path).map_err(|error| open(error.to_string()))?;
		let transaction = database.begin_write().map_err(io)?;
		transaction.open_table(RECORDS).map_err(io)?;
		transaction.commit().map_err(io)?;
		Ok(Self { database: Arc::new(database) })
	}

	/// Writes a record.
	///
	/// # Errors
	/// [`StoreError::Io`].
	pub fn put(&self, key: &str, record: &impl Encode) -> Result<(), StoreError> {
		let transaction = self.database.begin_write().map_err(io)?;
		transaction.open_table(RECORDS).map_err(io)?.insert(key, record.encode().as_slice()).map_err(io)?;
		transaction.commit().map_err(io)
	}

	/// Writes a record unless there is one under this key; whether it was written. The look and the write are one transaction.
	///
	/// # Errors
	/// [`StoreError::Io`].
	pub fn put_new(&self, key: &str, record: &impl Encode) -> Result<bool, StoreError> {
		let transaction = self.database.begin_write().map_err(io)?;
		let written = {
			let mut table = transaction.open_table(RECORDS).map_err(io)?;
			let absent = table.get(key).map_err(io)?.is_none();
			if absent {
				table.insert(key, record.encode().as_slice()).map_err(io)?;
			}
			absent
		};
		transaction.commit().map_err(io)?;
		Ok(written)
	}

	/// Reads a record.
	///
	/// # Errors
	/// [`StoreError`].
	pub fn get<T: Decode>(&self, key: &str) -> Result<Option<T>, StoreError> {
		let transaction = self.database.begin_read().map_err(io)?;
		let table = transaction.open_table(RECORDS).map_err(io)?;
		let Some(bytes) = table.get(key).map_err(io)? else { return Ok(None) };
		T::decode_all(&mut bytes.value()).map(Some).map_err(|_| StoreError::Decode(key.into()))
	}

	/// Every record whose key starts with `prefix`, by key.
	///
	/// # Errors
	/// [`StoreError`].
	pub fn scan<T: Decode>(&self, prefix: &str) -> Result<Vec<(String, T)>, StoreError> {
		self.read(prefix, |key, mut bytes| {
			let record = T::decode_all(&mut bytes).map_err(|_| StoreError::Decode(key.into()))?;
			Ok((key.to_string(), record))
		})
	}

	/// Every key that starts with `prefix`, ascending.
	///
	/// # Errors
	/// [`StoreError::Io`].
	pub fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
		self.read(prefix, |key, _| Ok(key.to_string()))
	}

	/// What `read` makes of every key that starts with `prefix` and its bytes, ascending.
	fn read<T>(&self, prefix: &str, read: impl Fn(&str, &[u8]) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
		let transaction = self.database.begin_read().map_err(io)?;
		let table = transaction.open_table(RECORDS).map_err(io)?;
		let mut found = Vec::new();
		for entry in table.range(prefix..).map_err(io)? {
			let (key, bytes) = entry.map_err(io)?;
			if !key.value().starts_with(prefix) {
				break;
			}
			found.push(read(key.value(), bytes.value())?);
		}
		Ok(found)
	}

	/// Removes every record whose key starts with `prefix`.
	///
	/// # Errors
	/// [`StoreError::Io`].
	pub fn remove(&self, prefix: &str) -> Result<(), StoreError> {
		self.remove_all(&[prefix.to_string()])
	}

	/// [`Self::remove`] of several prefixes, in one transaction.
	///
	/// # Errors
	/// [`StoreError::Io`].
	pub fn remove_all(&self, prefixes: &[String]) -> Result<(), StoreError> {
		if prefixes.is_empty() {
			return Ok(());
		}
		let transaction = self.database.begin_write().map_err(io)?;
		{
			let mut table = transaction.open_table(RECORDS).map_err(io)?;
			for prefix in prefixes {
				// Only these are looked at: no character sorts behind this one.
				let end = format!("{prefix}{}", char::MAX);
				table.retain_in(prefix.as_str()..end.as_str(), |_, _| false).map_err(io)?;
			}
		}
		transaction.commit().map_err(io)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn records_survive_reopening_and_prefixes_select() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state.redb");
		{
			let store = Store::open(&path).unwrap();
			store.put("job/1/a", &7u32).unwrap();
			store.put("job/1/b", &8u32).unwrap();
			store.put("job/10/a", &9u32).unwrap();
			store.put("zebra", &1u32).unwrap();
		}
		let store = Store::open(&path).unwrap();
		assert_eq!(store.get::<u32>("job/1/a").unwrap(), Some(7));
		assert_eq!(store.get::<u32>("absent").unwrap(), None);
		assert_eq!(store.scan::<u32>("job/1/").unwrap(), vec![("job/1/a".into(), 7), ("job/1/b".into(), 8)]);
		store.remove_all(&["job/1/".into(), "absent".into()]).unwrap();
		assert_eq!(store.scan::<u32>("job/").unwrap(), vec![("job/10/a".into(), 9)]);
		assert_eq!(store.get::<u32>("zebra").unwrap(), Some(1));
		assert!(matches!(store.get::<u64>("zebra"), Err(StoreError::Decode(_))));
		assert!(!store.put_new("zebra", &2u32).unwrap());
		assert!(store.put_new("zebra/2", &2u32).unwrap());
		assert_eq!(store.get::<u32>("zebra").unwrap(), Some(1));
	}

	#[test]
	fn a_second_opening_is_refused_with_a_reason() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("state.redb");
		let _store = Store::open(&path).unwrap();
		assert!(matches!(Store::open(&path), Err(StoreError::Open { .. })));
	}
}
