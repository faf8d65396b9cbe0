//! Writes perceptrons as ONNX files.

use assay_engine::Tensor;
use assay_models::Activation;

use crate::{
	classifier::{Classifier, ClassifierNetwork},
	ImportError,
};

/// Operator set of a file; the first with GELU.
const OPSET: u64 = 17;
const OPSET_OF_GELU: u64 = 20;
/// Version of the format: the one of operator set 17, and of 20.
const IR: u64 = 8;
const IR_OF_GELU: u64 = 9;

/// A perceptron as an ONNX file: input `rows`, F32 `[N, numbers of a row]`, not scaled yet; output `scores`, `[N, classes]`.
/// `param` gives a trained parameter by its name in the program.
///
/// # Errors
/// [`ImportError::Request`] if a parameter is missing, or the classifier is convolutional, which is not written.
pub fn export_onnx(classifier: &Classifier, param: impl Fn(&str) -> Option<Tensor>) -> Result<Vec<u8>, ImportError> {
	let ClassifierNetwork::Mlp { layers, activation } = &classifier.network else {
		return Err(ImportError::Request("only perceptrons are written as ONNX".into()));
	};
	let gelu = *activation == Activation::Gelu;
	let (mut nodes, mut initial) = (Vec::new(), vec![floats("scale", &[], &[classifier.scale])]);
	nodes.push(node("Mul", &["rows", "scale"], "scaled", &[]));
	let (names, mut x) = (classifier.layers(), "scaled".to_owned());
	for (index, layer) in names.iter().enumerate() {
		let is_last = index + 1 == names.len();
		for kind in ["weight", "bias"] {
			let name = format!("{layer}.{kind}");
			let missing = || ImportError::Request(format!("no parameter `{name}`; the state is of another model"));
			let tensor = param(&name).ok_or_else(missing)?;
			let spec = tensor.spec();
			let dims = if kind == "bias" { vec![spec.cols] } else { vec![spec.rows, spec.cols] };
			initial.push(floats(&name, &dims, &tensor.to_f32()));
		}
		let sum = if is_last { "scores".to_owned() } else { format!("{layer}.sum") };
		nodes.push(node("Gemm", &[&x, &format!("{layer}.weight"), &format!("{layer}.bias")], &sum, &[]));
		x = format!("{layer}.out");
		match activation {
			_ if is_last => {}
			Activation::Relu => nodes.push(node("Relu", &[&sum], &x, &[])),
			Activation::Tanh => nodes.push(node("Tanh", &[&sum], &x, &[])),
			_ => nodes.push(node("Gelu", &[&sum], &x, &text_attribute("approximate", "tanh"))),
		}
	}
	let (features, classes) = (layers.first().copied().unwrap_or(0), classifier.network.classes());
	let graph = [
		nodes.into_iter().flat_map(|node| message(1, &node)).collect(),
		message(2, b"classifier"),
		initial.into_iter().flat_map(|tensor| message(5, &tensor)).collect(),
		message(11, &port("rows", features)),
		message(12, &port("scores", classes)),
	]
	.concat();
	let (ir, opset) = if gelu { (IR_OF_GELU, OPSET_OF_GELU) } else { (IR, OPSET) };
	Ok([number(1, ir), message(2, b"assay"), message(7, &graph), message(8, &number(2, opset))].concat())
}

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
fn message(field: u64, content: &[u8]) -> Vec<u8> {
	[varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
	[varint(field << 3), varint(value)].concat()
}

/// A `TensorProto` of 32-bit floats.
fn floats(name: &str, dims: &[u32], values: &[f32]) -> Vec<u8> {
	let dims: Vec<u8> = dims.iter().flat_map(|dim| number(1, u64::from(*dim))).collect();
	let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	[dims, number(2, 1), message(8, name.as_bytes()), message(9, &raw)].concat()
}

fn text_attribute(name: &str, text: &str) -> Vec<u8> {
	message(5, &[message(1, name.as_bytes()), message(4, text.as_bytes()), number(20, 3)].concat())
}

/// A `NodeProto` of one output, which names it too. `attributes` are encoded fields.
fn node(op: &str, inputs: &[&str], output: &str, attributes: &[u8]) -> Vec<u8> {
	let inputs: Vec<u8> = inputs.iter().flat_map(|name| message(1, name.as_bytes())).collect();
	let named = [message(2, output.as_bytes()), message(3, output.as_bytes()), message(4, op.as_bytes())].concat();
	[inputs, named, attributes.to_vec()].concat()
}

/// A `ValueInfoProto`: F32 `[N, cols]`.
fn port(name: &str, cols: u32) -> Vec<u8> {
	let shape = [message(1, &message(2, b"N")), message(1, &number(1, u64::from(cols)))].concat();
	let tensor = [number(1, 1), message(2, &shape)].concat();
	[message(1, name.as_bytes()), message(2, &message(1, &tensor))].concat()
}
