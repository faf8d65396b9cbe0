//! Writes tensors in the safetensors format: a length, a JSON header, the data.

use assay_engine::Tensor;
use assay_program::DType;
use serde_json::{json, Map, Value};

/// The file of named tensors: an unsigned 64-bit length, a JSON header padded with spaces to 8 bytes, then the elements row-major,
/// little endian. `metadata` goes under `__metadata__`, with `format: pt`.
pub fn encode(tensors: &[(String, Tensor)], metadata: &[(&str, String)]) -> Vec<u8> {
	let mut header = Map::new();
	let mut metadata: Map<String, Value> =
		metadata.iter().map(|(key, value)| ((*key).into(), value.clone().into())).collect();
	// Some readers refuse a file that does not say so.
	metadata.insert("format".into(), "pt".into());
	header.insert("__metadata__".into(), metadata.into());
	let mut offset = 0usize;
	for (name, tensor) in tensors {
		let spec = tensor.spec();
		let dtype = match spec.dtype {
			DType::F32 => "F32",
			DType::I32 => "I32",
			DType::I8 => "I8",
		};
		let end = offset + spec.bytes() as usize;
		header.insert(
			name.clone(),
			json!({"dtype": dtype, "shape": [spec.rows, spec.cols], "data_offsets": [offset, end]}),
		);
		offset = end;
	}
	let mut header = Value::from(header).to_string();
	while header.len() % 8 != 0 {
		header.push(' ');
	}
	let mut bytes = Vec::with_capacity(8 + header.len() + offset);
	bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
	bytes.extend_from_slice(header.as_bytes());
	tensors.iter().for_each(|(_, tensor)| bytes.extend(tensor.to_bytes()));
	bytes
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_reader_of_the_format_finds_every_element() {
		let a = Tensor::new(DType::F32, 2, 3, (0..6).map(|i| (i as f32).to_bits()).collect()).unwrap();
		let b = Tensor::new(DType::I32, 1, 2, vec![7, 8]).unwrap();
		let c = Tensor::new(DType::I8, 1, 3, vec![1, u32::MAX, 127]).unwrap();
		let file = encode(&[("a".into(), a), ("b".into(), b), ("c".into(), c)], &[("job", "3".into())]);
		let len = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
		assert_eq!(len % 8, 0);
		let header: Value = serde_json::from_slice(&file[8..8 + len]).unwrap();
		assert_eq!(header["__metadata__"], json!({"job": "3", "format": "pt"}));
		assert_eq!(header["a"], json!({"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}));
		let data = &file[8 + len..];
		let offsets = &header["b"]["data_offsets"];
		let range = offsets[0].as_u64().unwrap() as usize..offsets[1].as_u64().unwrap() as usize;
		assert_eq!(data[range], [7, 0, 0, 0, 8, 0, 0, 0]);
		assert_eq!(header["c"], json!({"dtype": "I8", "shape": [1, 3], "data_offsets": [32, 35]}));
		assert_eq!(data[32..], [1, 255, 127]);
		assert_eq!(f32::from_le_bytes(data[20..24].try_into().unwrap()), 5.0);
	}
}
