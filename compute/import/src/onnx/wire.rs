//! The wire format of protocol buffers, as far as ONNX uses it, over borrowed bytes.
//!
//! A generated decoder copies, and an empty message of two bytes becomes a struct of a hundred: this one allocates
//! nothing, and the limits on what is kept are the caller's.

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
	#[error("the message ends inside of a field")]
	Truncated,
	#[error("a number has more than 64 bits")]
	Varint,
	#[error("field {0} has a wire type that it cannot have")]
	Type(u32),
	#[error("a text is not UTF-8")]
	Text,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
	Varint(u64),
	Fixed64(u64),
	Bytes(&'a [u8]),
	Fixed32(u32),
}

/// The fields of a message, in its order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
	rest: &'a [u8],
}

impl<'a> Fields<'a> {
	pub(crate) fn new(bytes: &'a [u8]) -> Self {
		Self { rest: bytes }
	}

	/// The next field and its number; `None` at the end.
	pub(crate) fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, WireError> {
		if self.rest.is_empty() {
			return Ok(None);
		}
		let tag = varint(&mut self.rest)?;
		let number = u32::try_from(tag >> 3).map_err(|_| WireError::Varint)?;
		let field = match tag & 7 {
			0 => Field::Varint(varint(&mut self.rest)?),
			1 => Field::Fixed64(u64::from_le_bytes(array(take(&mut self.rest, 8)?)?)),
			2 => {
				let length = varint(&mut self.rest)?;
				Field::Bytes(take(&mut self.rest, length)?)
			}
			5 => Field::Fixed32(u32::from_le_bytes(array(take(&mut self.rest, 4)?)?)),
			_ => return Err(WireError::Type(number)),
		};
		Ok(Some((number, field)))
	}
}

impl<'a> Field<'a> {
	pub(crate) fn bytes(self, number: u32) -> Result<&'a [u8], WireError> {
		match self {
			Field::Bytes(bytes) => Ok(bytes),
			_ => Err(WireError::Type(number)),
		}
	}

	pub(crate) fn text(self, number: u32) -> Result<&'a str, WireError> {
		core::str::from_utf8(self.bytes(number)?).map_err(|_| WireError::Text)
	}

	pub(crate) fn int(self, number: u32) -> Result<i64, WireError> {
		match self {
			Field::Varint(value) => Ok(value as i64),
			_ => Err(WireError::Type(number)),
		}
	}

	pub(crate) fn float(self, number: u32) -> Result<f32, WireError> {
		match self {
			Field::Fixed32(bits) => Ok(f32::from_bits(bits)),
			_ => Err(WireError::Type(number)),
		}
	}

	/// Calls `keep` with each integer of a repeated field, packed or not.
	pub(crate) fn ints(self, number: u32, mut keep: impl FnMut(i64)) -> Result<(), WireError> {
		match self {
			Field::Varint(value) => keep(value as i64),
			Field::Bytes(mut packed) => {
				while !packed.is_empty() {
					keep(varint(&mut packed)? as i64);
				}
			}
			_ => return Err(WireError::Type(number)),
		}
		Ok(())
	}
}

fn varint(rest: &mut &[u8]) -> Result<u64, WireError> {
	let mut value = 0u64;
	for shift in (0..64).step_by(7) {
		let (byte, after) = rest.split_first().ok_or(WireError::Truncated)?;
		*rest = after;
		let low = u64::from(byte & 0x7f);
		if shift == 63 && low > 1 {
			return Err(WireError::Varint);
		}
		value |= low << shift;
		if byte & 0x80 == 0 {
			return Ok(value);
		}
	}
	Err(WireError::Varint)
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], WireError> {
	let length = usize::try_from(length).map_err(|_| WireError::Truncated)?;
	let (taken, after) = rest.split_at_checked(length).ok_or(WireError::Truncated)?;
	*rest = after;
	Ok(taken)
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], WireError> {
	bytes.try_into().map_err(|_| WireError::Truncated)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn all(bytes: &[u8]) -> Result<Vec<(u32, Field<'_>)>, WireError> {
		let (mut fields, mut found) = (Fields::new(bytes), Vec::new());
		while let Some(field) = fields.next()? {
			found.push(field);
		}
		Ok(found)
	}

	#[test]
	fn every_wire_type_is_read() {
		let bytes = [8, 0x96, 1, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f, 0x21, 1, 0, 0, 0, 0, 0, 0, 0];
		let expected = [
			(1, Field::Varint(150)),
			(2, Field::Bytes(b"hi")),
			(3, Field::Fixed32(0x3f80_0000)),
			(4, Field::Fixed64(1)),
		];
		assert_eq!(all(&bytes).unwrap(), expected);
		let mut ints = Vec::new();
		Field::Bytes(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])
			.ints(1, |int| ints.push(int))
			.unwrap();
		assert_eq!(ints, [1, -1]);
	}

	#[test]
	fn fails_when_cut_or_too_long() {
		assert_eq!(all(&[8]), Err(WireError::Truncated));
		assert_eq!(all(&[8, 0x80]), Err(WireError::Truncated));
		assert_eq!(all(&[0x12, 3, 1]), Err(WireError::Truncated));
		assert_eq!(all(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Err(WireError::Truncated));
		assert_eq!(all(&[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), Err(WireError::Varint));
		assert_eq!(all(&[0x0b]), Err(WireError::Type(1)));
	}
}
