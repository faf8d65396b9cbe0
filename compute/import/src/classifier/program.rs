//! Programs that run a classifier over many rows.

use assay_engine::Tensor;
use assay_models::{max_pool, Model, Pixels, Value};
use assay_program::{DType, Header, Lane};

use super::{Classifier, ClassifierNetwork};
use crate::{
	hf::Checkpoint,
	network::{keep_rows, Loader, Net, Products, Stored, Weights},
	ImportError,
};

/// Most rows of a job.
const MAX_ROWS: u32 = 1 << 26;

/// How rows are run over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowBatches {
	/// Rows per step.
	pub batch: u32,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// How products with weights are computed.
	pub lane: Lane,
}

impl RowBatches {
	/// What holds for a program over so many rows.
	pub(crate) fn header(&self, rows: u32) -> Header {
		Header {
			version: assay_program::validate::VERSION,
			lane: self.lane,
			seed: [0; 32],
			steps: u64::from(rows.div_ceil(self.batch.max(1))),
			batch: self.batch,
			segment_steps: self.segment_steps,
		}
	}
}

/// Fails if rows or settings are none that a program runs over.
pub(crate) fn check_rows(rows: &Tensor, config: &RowBatches) -> Result<(), ImportError> {
	let request = |problem: String| Err(ImportError::Request(problem));
	let spec = rows.spec();
	if spec.dtype != DType::F32 {
		return request("rows must be F32".into());
	}
	if config.batch == 0 || config.segment_steps == 0 {
		return request("batch and steps of a segment are at least 1".into());
	}
	if spec.rows > MAX_ROWS || config.batch > MAX_ROWS {
		return request(format!("more than {MAX_ROWS} rows; split them"));
	}
	Ok(())
}

/// The program that computes the classes' scores, before any softmax, of each row of `rows`, F32, already scaled. The state
/// tensor [`crate::OUTPUT`] holds row `i` for row `i`. In lane F32 they are the numbers that the trained network computes, bit
/// for bit.
///
/// # Errors
/// [`ImportError`] when rows or settings do not fit the classifier, or the checkpoint is not of it.
pub fn classify_rows(
	classifier: &Classifier,
	checkpoint: &Checkpoint,
	rows: &Tensor,
	config: &RowBatches,
) -> Result<Model, ImportError> {
	check_rows(rows, config)?;
	let (spec, features) = (rows.spec(), classifier.network.features());
	if spec.cols != features {
		return Err(ImportError::Request(format!(
			"the model takes {features} numbers of each row, the rows have {}",
			spec.cols
		)));
	}
	let mut net = Net::new(Loader::new(checkpoint, Weights::Frozen), config.batch, 1);
	net.adaptation.products = Products::inference(config.lane);
	let data = net.constant("rows", rows.clone());
	let x = net.graph.next_batch(data);
	let scores = scores(&mut net, &classifier.network, x)?;
	net.weights.finish(|_| false)?;
	keep_rows(&mut net.graph, &mut net.weights.given, scores, (spec.rows, config.batch))?;
	Ok(Model { program: net.graph.finish(config.header(spec.rows))?, data: net.weights.given })
}

fn scores(net: &mut Net<'_>, network: &ClassifierNetwork, x: Value) -> Result<Value, ImportError> {
	match network {
		ClassifierNetwork::Mlp { layers, activation } => {
			let hidden = layers.get(1..layers.len().saturating_sub(1)).unwrap_or_default();
			let mut x = x;
			for (index, width) in hidden.iter().enumerate() {
				let sum = net.linear(&format!("layer{index}"), x, *width, Stored::InputsFirst, true)?;
				x = activation.apply(&mut net.graph, sum);
			}
			net.linear("output", x, network.classes(), Stored::InputsFirst, true)
		}
		ClassifierNetwork::Cnn { image: [height, width, channels], convolutions, classes } => {
			let mut pixels = Pixels::from_rows(&mut net.graph, x, *height, *width, *channels);
			for (index, channels) in convolutions.iter().enumerate() {
				let (columns, _) = pixels.under(&mut net.graph, 3, 1, 1);
				let name = format!("convolution{index}");
				let sum = net.linear(&name, columns.value, *channels, Stored::InputsFirst, true)?;
				let active = Pixels { value: net.graph.relu(sum), ..columns };
				pixels = max_pool(&mut net.graph, active, 2, 2);
			}
			let rows = pixels.to_rows(&mut net.graph);
			net.linear("output", rows, *classes, Stored::InputsFirst, true)
		}
	}
}
