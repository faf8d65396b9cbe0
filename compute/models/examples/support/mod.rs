//! What the benchmarks share: the model, the other side of a comparison, and rows as data.
// Each uses a part.
#![allow(dead_code)]

pub(crate) mod net;
pub(crate) mod peer;

use assay_engine::Tensor;
use assay_models::{Optimiser, TransformerConfig};
use assay_program::{DType, Lane};

/// Shape of the transformer that is trained.
pub(crate) const SHAPE: [(&str, u32); 6] =
	[("vocabulary", 8192), ("context", 128), ("layers", 6), ("heads", 6), ("width", 384), ("batch", 8)];

/// Its training.
pub(crate) fn config(lane: Lane) -> TransformerConfig {
	let [vocabulary, context, layers, heads, width, batch] = SHAPE.map(|(_, value)| value);
	let optimiser = Optimiser::AdamW { rate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
	TransformerConfig {
		vocabulary,
		context,
		layers,
		heads,
		width,
		dropout: 0.0,
		lane,
		optimiser,
		batch,
		steps: 10_000,
		segment_steps: 10,
		seed: [7; 32],
	}
}

/// Sequences to train on.
pub(crate) fn tokens(config: &TransformerConfig) -> Result<Tensor, Box<dyn std::error::Error>> {
	let (rows, cols) = (256, config.context + 1);
	let ids = (0..rows * cols).map(|i| i.wrapping_mul(2654435761) % config.vocabulary).collect();
	Ok(Tensor::new(DType::I32, rows, cols, ids)?)
}

/// The value after an option of the command line.
pub(crate) fn option(name: &str) -> Option<String> {
	let mut args = std::env::args().skip_while(|arg| arg != name);
	args.nth(1)
}

/// Writes rows, each a JSON object, where `--json FILE` asks for it.
pub(crate) fn write_rows(rows: &[String]) -> std::io::Result<()> {
	match option("--json") {
		Some(file) => std::fs::write(file, format!("[\n{}\n]", rows.join(",\n"))),
		None => Ok(()),
	}
}

/// The smaller.
pub(crate) fn least(so_far: Option<f64>, seconds: Option<f64>) -> Option<f64> {
	match (so_far, seconds) {
		(Some(a), Some(b)) => Some(a.min(b)),
		(a, b) => a.or(b),
	}
}
