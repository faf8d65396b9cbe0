//! Writes classifiers as ONNX files.

mod encode;

use assay_engine::Tensor;
use assay_models::Activation;

use crate::{
	classifier::{Classifier, ClassifierNetwork},
	ImportError,
};
use encode::{floats, integers, ints_attribute, message, node, number, port, text_attribute};

/// Operator set of a file; the first with GELU.
const OPSET: u64 = 17;
const OPSET_OF_GELU: u64 = 20;
/// Version of the format: the one of operator set 17, and of 20.
const IR: u64 = 8;
const IR_OF_GELU: u64 = 9;

/// A classifier as an ONNX file: input `rows`, F32 `[N, numbers of a row]`, not scaled yet, of images pixel by pixel, a pixel's
/// channels together; output `scores`, `[N, classes]`. `param` gives a trained parameter by its name in the program.
///
/// # Errors
/// [`ImportError::Request`] if a parameter is missing.
pub fn export_onnx(classifier: &Classifier, param: impl Fn(&str) -> Option<Tensor>) -> Result<Vec<u8>, ImportError> {
	let mut file = File { nodes: Vec::new(), initial: vec![floats("scale", &[], &[classifier.scale])], param };
	file.node("Mul", &["rows", "scale"], "scaled", &[]);
	let gelu = match &classifier.network {
		ClassifierNetwork::Mlp { activation, .. } => {
			file.perceptron(&classifier.layers(), *activation)?;
			matches!(activation, Activation::Gelu | Activation::GeluErf)
		}
		ClassifierNetwork::Cnn { image, .. } => {
			file.convolutional(&classifier.layers(), *image)?;
			false
		}
	};
	let File { nodes, initial, .. } = file;
	let graph = [
		nodes.into_iter().flat_map(|node| message(1, &node)).collect(),
		message(2, b"classifier"),
		initial.into_iter().flat_map(|tensor| message(5, &tensor)).collect(),
		message(11, &port("rows", classifier.network.features())),
		message(12, &port("scores", classifier.network.classes())),
	]
	.concat();
	let (ir, opset) = if gelu { (IR_OF_GELU, OPSET_OF_GELU) } else { (IR, OPSET) };
	Ok([number(1, ir), message(2, b"assay"), message(7, &graph), message(8, &number(2, opset))].concat())
}

/// A file in the making.
struct File<P> {
	nodes: Vec<Vec<u8>>,
	initial: Vec<Vec<u8>>,
	param: P,
}

impl<P: Fn(&str) -> Option<Tensor>> File<P> {
	fn node(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[u8]) {
		self.nodes.push(node(op, inputs, output, attributes));
	}

	fn parameter(&self, name: &str) -> Result<Tensor, ImportError> {
		let missing = || ImportError::Request(format!("no parameter `{name}`; the state is of another model"));
		(self.param)(name).ok_or_else(missing)
	}

	/// A product and its biases.
	fn linear(&mut self, layer: &str, x: &str, sum: &str) -> Result<(), ImportError> {
		let (weight, bias) = (format!("{layer}.weight"), format!("{layer}.bias"));
		let (w, b) = (self.parameter(&weight)?, self.parameter(&bias)?);
		self.initial.push(floats(&weight, &[w.spec().rows, w.spec().cols], &w.to_f32()));
		self.initial.push(floats(&bias, &[b.spec().cols], &b.to_f32()));
		self.node("Gemm", &[x, &weight, &bias], sum, &[]);
		Ok(())
	}

	fn perceptron(&mut self, layers: &[String], activation: Activation) -> Result<(), ImportError> {
		let (last, hidden) = layers.split_last().map_or(("", &[][..]), |(last, hidden)| (last.as_str(), hidden));
		let mut x = "scaled".to_owned();
		for layer in hidden {
			let (sum, out) = (format!("{layer}.sum"), format!("{layer}.out"));
			self.linear(layer, &x, &sum)?;
			match activation {
				Activation::Relu => self.node("Relu", &[&sum], &out, &[]),
				Activation::Tanh => self.node("Tanh", &[&sum], &out, &[]),
				Activation::Gelu => self.node("Gelu", &[&sum], &out, &text_attribute("approximate", "tanh")),
				Activation::GeluErf => self.node("Gelu", &[&sum], &out, &[]),
				Activation::Silu => {
					let gate = format!("{layer}.gate");
					self.node("Sigmoid", &[&sum], &gate, &[]);
					self.node("Mul", &[&sum, &gate], &out, &[]);
				}
			}
			x = out;
		}
		self.linear(last, &x, "scores")
	}

	/// ONNX puts channels before pixels; rows, and the inputs of the last layer, are the other way round.
	fn convolutional(&mut self, layers: &[String], image: [u32; 3]) -> Result<(), ImportError> {
		let (last, convolutions) = layers.split_last().map_or(("", &[][..]), |(last, first)| (last.as_str(), first));
		let [height, width, mut channels] = image;
		let extents = [-1, height.into(), width.into(), channels.into()];
		self.initial.push(integers("extents", &extents));
		self.node("Reshape", &["scaled", "extents"], "images", &[]);
		self.node("Transpose", &["images"], "pixels", &ints_attribute("perm", &[0, 3, 1, 2]));
		let mut x = "pixels".to_owned();
		for layer in convolutions {
			channels = self.convolution(layer, &x, channels)?;
			x = format!("{layer}.out");
		}
		self.node("Transpose", &[&x], "turned", &ints_attribute("perm", &[0, 2, 3, 1]));
		self.node("Flatten", &["turned"], "flat", &[]);
		self.linear(last, "flat", "scores")
	}

	/// A convolution, relu and a maximum, as [`assay_models::cnn()`] has them; returns its channels.
	fn convolution(&mut self, layer: &str, x: &str, channels: u32) -> Result<u32, ImportError> {
		let (weight, bias) = (format!("{layer}.weight"), format!("{layer}.bias"));
		let (w, b) = (self.parameter(&weight)?, self.parameter(&bias)?);
		let (out, rows) = (w.spec().cols, w.to_f32());
		// From window row, window column, channel, output to output, channel, window row, window column.
		let at = |output: u32, channel: u32, place: u32| ((place * channels + channel) * out + output) as usize;
		let places = (0..out).flat_map(|output| (0..channels).map(move |channel| (output, channel)));
		let order = places.flat_map(|(output, channel)| (0..9).map(move |place| at(output, channel, place)));
		let turned: Vec<f32> = order.map(|at| rows.get(at).copied().unwrap_or(0.0)).collect();
		self.initial.push(floats(&weight, &[out, channels, 3, 3], &turned));
		self.initial.push(floats(&bias, &[b.spec().cols], &b.to_f32()));
		let [sum, active, pooled] = ["sum", "active", "out"].map(|part| format!("{layer}.{part}"));
		let sides = [ints_attribute("kernel_shape", &[3, 3]), ints_attribute("pads", &[1; 4])].concat();
		self.node("Conv", &[x, &weight, &bias], &sum, &sides);
		self.node("Relu", &[&sum], &active, &[]);
		let halves = [ints_attribute("kernel_shape", &[2, 2]), ints_attribute("strides", &[2, 2])].concat();
		self.node("MaxPool", &[&active], &pooled, &halves);
		Ok(out)
	}
}
