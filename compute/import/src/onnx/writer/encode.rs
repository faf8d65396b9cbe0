//! Messages of ONNX, encoded by the field numbers of `onnx.proto`.

fn varint(mut value: u64) -> Vec<u8> {
	let mut bytes = Vec::new();
	while value >= 0x80 {
		bytes.push(value as u8 | 0x80);
		value >>= 7;
	}
	bytes.push(value as u8);
	bytes
}

/// A field that holds a length and bytes.
pub(super) fn message(field: u64, content: &[u8]) -> Vec<u8> {
	[varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

pub(super) fn number(field: u64, value: u64) -> Vec<u8> {
	[varint(field << 3), varint(value)].concat()
}

/// A `TensorProto` of 32-bit floats.
pub(super) fn floats(name: &str, dims: &[u32], values: &[f32]) -> Vec<u8> {
	let dims: Vec<u8> = dims.iter().flat_map(|dim| number(1, u64::from(*dim))).collect();
	let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	[dims, number(2, 1), message(8, name.as_bytes()), message(9, &raw)].concat()
}

/// A `TensorProto` of 64-bit integers.
pub(super) fn integers(name: &str, values: &[i64]) -> Vec<u8> {
	let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	[number(1, values.len() as u64), number(2, 7), message(8, name.as_bytes()), message(9, &raw)].concat()
}

/// An attribute that is a list of integers.
pub(super) fn ints_attribute(name: &str, values: &[u64]) -> Vec<u8> {
	let values = values.iter().flat_map(|value| number(8, *value));
	message(5, &[message(1, name.as_bytes()), values.collect(), number(20, 7)].concat())
}

pub(super) fn text_attribute(name: &str, text: &str) -> Vec<u8> {
	message(5, &[message(1, name.as_bytes()), message(4, text.as_bytes()), number(20, 3)].concat())
}

/// A `NodeProto` of one output, which names it too. `attributes` are encoded fields.
pub(super) fn node(op: &str, inputs: &[&str], output: &str, attributes: &[u8]) -> Vec<u8> {
	let inputs: Vec<u8> = inputs.iter().flat_map(|name| message(1, name.as_bytes())).collect();
	let named = [message(2, output.as_bytes()), message(3, output.as_bytes()), message(4, op.as_bytes())].concat();
	[inputs, named, attributes.to_vec()].concat()
}

/// A `ValueInfoProto`: F32 `[N, cols]`.
pub(super) fn port(name: &str, cols: u32) -> Vec<u8> {
	let shape = [message(1, &message(2, b"N")), message(1, &number(1, u64::from(cols)))].concat();
	let tensor = [number(1, 1), message(2, &shape)].concat();
	[message(1, name.as_bytes()), message(2, &message(1, &tensor))].concat()
}
