//! What the benchmarks share: the model, the other side of a comparison, and rows as data.
// Each uses a part.
#![allow(dead_code)]

pub(crate) mod net;

use std::{
	io::{BufRead, BufReader, Write},
	path::Path,
	process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use assay_engine::Tensor;
use assay_models::{Optimiser, TransformerConfig};
use assay_program::{DType, Lane};

/// Shape of the transformer that is trained.
pub(crate) const SHAPE: [(&str, u32); 6] =
	[("vocabulary", 8192), ("context", 128), ("layers", 6), ("heads", 6), ("width", 384), ("batch", 8)];

/// Its training.
pub(crate) fn config(lane: Lane) -> TransformerConfig {
	let [vocabulary, context, layers, heads, width, batch] = SHAPE.map(|(_, value)| value);
	let optimiser =
		Optimiser::AdamW { rate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
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

/// A Python process that runs the same thing in another library; see `tools/compare/peer.py`.
pub(crate) struct Peer {
	process: Child,
	asked: ChildStdin,
	answers: BufReader<ChildStdout>,
	/// What it runs on, such as `torch-2.15.0`.
	pub(crate) version: String,
}

impl Peer {
	/// `None`, after saying why, where ASSAY_PYTHON names no Python that has the library.
	pub(crate) fn start(kind: &str, settings: &[(&str, u32)]) -> Option<Self> {
		let Ok(python) = std::env::var("ASSAY_PYTHON") else {
			eprintln!("no comparison: ASSAY_PYTHON names no Python with torch and onnxruntime");
			return None;
		};
		let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/compare/peer.py");
		let threads = settings.iter().find(|(name, _)| *name == "threads").map_or(1, |(_, threads)| *threads);
		let mut process = Command::new(python)
			.arg(script)
			.arg(kind)
			.args(settings.iter().map(|(name, value)| format!("{name}={value}")))
			.env("OMP_NUM_THREADS", threads.to_string())
			.env("MKL_NUM_THREADS", threads.to_string())
			// Between two runs it must not spin on a processor that we are being measured on.
			.env("OMP_WAIT_POLICY", "passive")
			.env("KMP_BLOCKTIME", "0")
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.map_err(|error| eprintln!("no comparison: {error}"))
			.ok()?;
		let (asked, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
		let mut peer = Self { process, asked, answers, version: String::new() };
		match peer.line().and_then(|line| Some(line.strip_prefix("ready ")?.trim().to_string())) {
			Some(version) => peer.version = version,
			None => {
				eprintln!("no comparison: the library for `{kind}` is missing or cannot run it");
				return None;
			}
		}
		Some(peer)
	}

	/// Seconds of one run.
	pub(crate) fn run(&mut self) -> Option<f64> {
		self.asked.write_all(b"run\n").ok()?;
		self.line()?.trim().parse().ok()
	}

	fn line(&mut self) -> Option<String> {
		let mut line = String::new();
		(self.answers.read_line(&mut line).ok()? > 0).then_some(line)
	}
}

impl Drop for Peer {
	fn drop(&mut self) {
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
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
