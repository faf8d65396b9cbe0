//! The directory of a classifier: `config.json` says the network, `model.safetensors` holds its parameters.

use std::path::{Path, PathBuf};

use assay_engine::Tensor;
use assay_models::{Activation, CnnConfig, MlpConfig};
use serde_json::{json, Value};

use crate::{
	error::{shortened, FieldProblem},
	hf::{write_model, Checkpoint, Fields},
	ImportError,
};

/// Longest configuration that is read.
const MAX_CONFIG: u64 = 1 << 20;
/// `model_type` of a multi-layer perceptron.
const MLP: &str = "assay-mlp";
/// `model_type` of a convolutional network.
const CNN: &str = "assay-cnn";
/// Activations by name.
const ACTIVATIONS: [(&str, Activation); 3] =
	[("relu", Activation::Relu), ("tanh", Activation::Tanh), ("gelu", Activation::Gelu)];

/// A classifier of rows of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
	/// What it is.
	pub network: ClassifierNetwork,
	/// Factor for every number of a row before the network reads it.
	pub scale: f32,
}

/// The network of a classifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassifierNetwork {
	/// What [`assay_models::mlp()`] trains.
	Mlp {
		/// Numbers of a row, widths of the hidden layers, classes.
		layers: Vec<u32>,
		/// After each hidden layer.
		activation: Activation,
	},
	/// What [`assay_models::cnn()`] trains.
	Cnn {
		/// Rows of pixels, columns of pixels, channels of a pixel.
		image: [u32; 3],
		/// Channels after each convolution.
		convolutions: Vec<u32>,
		/// Classes.
		classes: u32,
	},
}

impl ClassifierNetwork {
	/// Numbers of a row.
	pub fn features(&self) -> u32 {
		match self {
			Self::Mlp { layers, .. } => layers.first().copied().unwrap_or(0),
			Self::Cnn { image, .. } => image.iter().fold(1, |product: u32, extent| product.saturating_mul(*extent)),
		}
	}

	/// Classes.
	pub fn classes(&self) -> u32 {
		match self {
			Self::Mlp { layers, .. } => layers.last().copied().unwrap_or(0),
			Self::Cnn { classes, .. } => *classes,
		}
	}

	fn from_fields(fields: &mut Fields) -> Result<Self, ImportError> {
		let kind = fields.text("model_type")?;
		match kind.as_str() {
			MLP => {
				let layers = fields.sizes("layers")?;
				if layers.len() < 2 {
					return Err(fields.unsupported("layers", &format!("{layers:?}"), "two sizes or more"));
				}
				let name = fields.text("activation")?;
				let known = ACTIVATIONS.iter().find(|(known, _)| *known == name);
				let known = known.ok_or_else(|| fields.unsupported("activation", &name, "relu, tanh, gelu"))?;
				Ok(Self::Mlp { layers, activation: known.1 })
			}
			CNN => {
				let image = fields.sizes("image")?;
				let image = <[u32; 3]>::try_from(image)
					.map_err(|image| fields.unsupported("image", &format!("{image:?}"), "[height, width, channels]"))?;
				let (convolutions, classes) = (fields.sizes("convolutions")?, fields.size("classes")?);
				Ok(Self::Cnn { image, convolutions, classes })
			}
			other => {
				let found = shortened(other);
				let supported = "assay-mlp, assay-cnn: what `train` jobs of kind mlp and cnn write";
				Err(fields.error("model_type", FieldProblem::Unsupported { found, supported }))
			}
		}
	}
}

impl From<&MlpConfig> for ClassifierNetwork {
	fn from(config: &MlpConfig) -> Self {
		let (first, last) = ([config.features], [config.classes]);
		let layers = first.iter().chain(&config.hidden).chain(&last).copied().collect();
		Self::Mlp { layers, activation: config.activation }
	}
}

impl From<&CnnConfig> for ClassifierNetwork {
	fn from(config: &CnnConfig) -> Self {
		let CnnConfig { height, width, channels, classes, .. } = *config;
		Self::Cnn { image: [height, width, channels], convolutions: config.convolutions.clone(), classes }
	}
}

impl Classifier {
	/// What `config.json` says of it.
	fn description(&self) -> Value {
		let scale = f64::from(self.scale);
		match &self.network {
			ClassifierNetwork::Mlp { layers, activation } => {
				let name = ACTIVATIONS.iter().find(|(_, known)| known == activation).map(|(name, _)| *name);
				json!({"model_type": MLP, "layers": layers, "activation": name, "scale": scale})
			}
			ClassifierNetwork::Cnn { image, convolutions, classes } => {
				json!({"model_type": CNN, "image": image, "convolutions": convolutions, "classes": classes, "scale": scale})
			}
		}
	}

	/// Names of its parameters, weights and biases in turn.
	pub(crate) fn layers(&self) -> Vec<String> {
		let (kind, hidden) = match &self.network {
			ClassifierNetwork::Mlp { layers, .. } => ("layer", layers.len().saturating_sub(2)),
			ClassifierNetwork::Cnn { convolutions, .. } => ("convolution", convolutions.len()),
		};
		(0..hidden).map(|index| format!("{kind}{index}")).chain(["output".into()]).collect()
	}
}

/// A classifier, its parameters still on disk.
#[derive(Debug)]
pub struct ClassifierDirectory {
	path: PathBuf,
	classifier: Classifier,
	checkpoint: Checkpoint,
}

impl ClassifierDirectory {
	/// Reads `config.json` and the header of `model.safetensors`.
	///
	/// # Errors
	/// [`ImportError`] if one is missing, or the configuration is not that of a classifier.
	pub fn open(path: &Path) -> Result<Self, ImportError> {
		let config = path.join("config.json");
		if !config.exists() {
			return Err(ImportError::Missing {
				path: config,
				hint: "point at the directory `model` that a `train` job of kind mlp or cnn writes",
			});
		}
		let mut fields = Fields::new(&config, crate::json::read_object(&config, MAX_CONFIG, "model configuration")?);
		let network = ClassifierNetwork::from_fields(&mut fields)?;
		let scale = fields.factor("scale")? as f32;
		fields.finish(&[])?;
		let classifier = Classifier { network, scale };
		Ok(Self { path: path.into(), classifier, checkpoint: Checkpoint::directory(path)? })
	}

	/// The directory.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// What it is.
	pub fn classifier(&self) -> &Classifier {
		&self.classifier
	}

	/// Its parameters.
	pub fn checkpoint(&self) -> &Checkpoint {
		&self.checkpoint
	}
}

/// Writes the directory of a classifier, which must exist. `param` gives a trained parameter by its name in the program.
///
/// # Errors
/// [`ImportError::Request`] if a parameter is missing, [`ImportError::Io`] if a file cannot be written.
pub fn write_classifier(
	directory: &Path,
	classifier: &Classifier,
	param: impl Fn(&str) -> Option<Tensor>,
) -> Result<(), ImportError> {
	let mut tensors = Vec::new();
	for layer in classifier.layers() {
		for kind in ["weight", "bias"] {
			let name = format!("{layer}.{kind}");
			let missing = || ImportError::Request(format!("no parameter `{name}`; the state is of another model"));
			let tensor = param(&name).ok_or_else(missing)?;
			tensors.push((name, tensor));
		}
	}
	write_model(directory, &classifier.description(), &tensors, None)
}
