//! Writes ONNX files, well formed or not.
#![allow(dead_code)]

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
pub(crate) fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
	[varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

pub(crate) fn int(number: u64, value: i64) -> Vec<u8> {
	[varint(number << 3), varint(value as u64)].concat()
}

/// A tensor of 64-bit integers.
pub(crate) fn ints(name: &str, dims: &[i64], values: &[i64]) -> Vec<u8> {
	let dims = dims.iter().flat_map(|dim| int(1, *dim)).collect();
	let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	[dims, int(2, 7), bytes(8, name.as_bytes()), bytes(9, &raw)].concat()
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> Vec<u8> {
	let dims = dims.iter().flat_map(|dim| int(1, *dim)).collect();
	let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	[dims, int(2, 1), bytes(8, name.as_bytes()), bytes(9, &raw)].concat()
}

/// An attribute that is an integer.
pub(crate) fn attribute(name: &str, value: i64) -> Vec<u8> {
	[bytes(1, name.as_bytes()), int(3, value), int(20, 2)].concat()
}

/// An attribute that is a list of integers.
pub(crate) fn attributes(name: &str, values: &[i64]) -> Vec<u8> {
	let values = values.iter().flat_map(|value| int(8, *value));
	[bytes(1, name.as_bytes()), values.collect(), int(20, 7)].concat()
}

/// An attribute that is text.
pub(crate) fn text(name: &str, value: &str) -> Vec<u8> {
	[bytes(1, name.as_bytes()), bytes(4, value.as_bytes()), int(20, 3)].concat()
}

pub(crate) fn node(op: &str, inputs: &str, outputs: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
	let inputs = inputs.split_whitespace().flat_map(|name| bytes(1, name.as_bytes())).collect::<Vec<_>>();
	let outputs = outputs.split_whitespace().flat_map(|name| bytes(2, name.as_bytes())).collect();
	let attributes = attributes.iter().flat_map(|attribute| bytes(5, attribute)).collect();
	[inputs, outputs, bytes(4, op.as_bytes()), attributes].concat()
}

/// A float input or output of this shape.
pub(crate) fn port(name: &str, shape: &[i64]) -> Vec<u8> {
	let shape: Vec<u8> = shape.iter().flat_map(|extent| bytes(1, &int(1, *extent))).collect();
	let tensor = [int(1, 1), bytes(2, &shape)].concat();
	[bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A model of operator set `opset` with one input `x` and one output `y`.
pub(crate) fn model(opset: i64, nodes: &[Vec<u8>], initial: &[Vec<u8>], x: &[i64]) -> Vec<u8> {
	let nodes = nodes.iter().flat_map(|node| bytes(1, node)).collect::<Vec<_>>();
	let initial = initial.iter().flat_map(|tensor| bytes(5, tensor)).collect();
	let graph = [nodes, initial, bytes(11, &port("x", x)), bytes(12, &port("y", &[]))].concat();
	[bytes(7, &graph), bytes(8, &int(2, opset))].concat()
}
