//! JSON from strangers: bounded in length, in depth and in values, and no name twice.

use std::{cell::Cell, collections::HashSet, fmt, fs::File, io::Read, path::Path};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::ImportError;

/// Values of one document: a value takes tens of bytes where its text may take two.
const MAX_VALUES: u32 = 1 << 20;

/// The bytes of a file that has at most `limit`.
pub(crate) fn read_file(path: &Path, limit: u64, what: &'static str) -> Result<Vec<u8>, ImportError> {
	let file = File::open(path).map_err(ImportError::io(path))?;
	let bytes = file.metadata().map_err(ImportError::io(path))?.len();
	let too_long = |bytes| ImportError::TooLong { path: path.into(), bytes, limit, what };
	if bytes > limit {
		return Err(too_long(bytes));
	}
	let mut content = Vec::new();
	// The file may grow while it is read, or be a pipe.
	file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(ImportError::io(path))?;
	if content.len() as u64 > limit {
		return Err(too_long(content.len() as u64));
	}
	Ok(content)
}

/// The object that a file of at most `limit` bytes holds.
pub(crate) fn read_object(path: &Path, limit: u64, what: &'static str) -> Result<Map<String, Value>, ImportError> {
	let bytes = read_file(path, limit, what)?;
	object(&bytes).map_err(|problem| ImportError::malformed(path, problem))
}

/// What `serde_json` calls the only name of the map as which it hands out a number, where any crate of the build turns
/// on its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// The object in `bytes`. Deeper nesting than `serde_json` bounds (128), more than [`MAX_VALUES`] values or a name that
/// an object has twice are errors.
///
/// The text is read twice: once to see that it keeps to the bounds, where nothing is stored but an object's names, and
/// once by `serde_json` itself, so that numbers are read alike with any of its features.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
	let left = Cell::new(MAX_VALUES);
	let mut reader = serde_json::Deserializer::from_slice(bytes);
	Strict { left: &left }.deserialize(&mut reader).map_err(|error| error.to_string())?;
	reader.end().map_err(|error| error.to_string())?;
	match serde_json::from_slice(bytes).map_err(|error| error.to_string())? {
		Value::Object(map) => Ok(map),
		_ => Err("not a JSON object".into()),
	}
}

/// Counts a value and those in it, and refuses a name that an object has twice.
#[derive(Clone, Copy)]
struct Strict<'a> {
	left: &'a Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
	type Value = ();

	fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
		let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom("more than 2^20 JSON values"))?;
		self.left.set(left);
		deserializer.deserialize_any(self)
	}
}

impl<'de> Visitor<'de> for Strict<'_> {
	type Value = ();

	fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str("a JSON value")
	}

	fn visit_unit<E>(self) -> Result<(), E> {
		Ok(())
	}

	fn visit_bool<E>(self, _: bool) -> Result<(), E> {
		Ok(())
	}

	fn visit_u64<E>(self, _: u64) -> Result<(), E> {
		Ok(())
	}

	fn visit_i64<E>(self, _: i64) -> Result<(), E> {
		Ok(())
	}

	fn visit_f64<E>(self, _: f64) -> Result<(), E> {
		Ok(())
	}

	fn visit_str<E>(self, _: &str) -> Result<(), E> {
		Ok(())
	}

	fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
		while seq.next_element_seed(self)?.is_some() {}
		Ok(())
	}

	fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
		let mut names = HashSet::new();
		while let Some(name) = map.next_key::<String>()? {
			if name == NUMBER {
				map.next_value::<String>()?;
				continue;
			}
			map.next_value_seed(self)?;
			if let Some(name) = names.replace(name) {
				let name = crate::error::shortened(&name);
				return Err(A::Error::custom(format!("the name `{name}` occurs twice in an object")));
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_object_is_read_as_serde_json_reads_it() {
		let text = r#"{"a": [1, -2, 3.5, null, true], "b": {"c": "d\n"}}"#;
		let expected: Value = serde_json::from_str(text).unwrap();
		assert_eq!(object(text.as_bytes()).map(Value::Object), Ok(expected));
	}

	#[test]
	fn fails_when_hostile() {
		let problem = |text: &str| object(text.as_bytes()).unwrap_err();
		assert!(problem(r#"{"a": 1, "a": 2}"#).contains("`a` occurs twice"));
		assert!(problem(r#"{"x": {"a": 1, "a": 1}}"#).contains("`a` occurs twice"));
		assert!(problem(&format!("{{\"a\":{}", "[".repeat(100_000))).contains("recursion limit"));
		assert!(problem(&format!("{{\"a\":[{}0]}}", "0,".repeat(1 << 20))).contains("2^20 JSON values"));
		assert!(problem(r#"{"a": {"$serde_json::private::Number": [0, 0]}}"#).contains("expected a string"));
		assert!(problem("[]").contains("not a JSON object"));
		assert!(problem("{} x").contains("trailing"));
		assert!(problem("").contains("EOF"));
	}
}
