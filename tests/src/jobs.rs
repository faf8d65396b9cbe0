//! Job files for tests.

use anyhow::{Context, Result};
use assay_cli::job_file::Draft;
use std::path::{Path, PathBuf};

/// The repository's root.
pub fn repository() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Into::into)
}

/// The terms of a small job on a slice of the digits.
#[derive(Clone, Copy, Debug)]
pub struct Small {
	/// Milestones.
	pub milestones: u32,
	/// Segments of each.
	pub segments: u32,
	/// Steps of each segment.
	pub segment_steps: u32,
	/// Segments drawn besides each milestone's last.
	pub drawn: u32,
	/// Verifiers of each checked segment.
	pub verifiers: u32,
	/// Width of the hidden layer.
	pub hidden: u32,
	/// Sets otherwise equal jobs apart: thousandths of a UNIT on the price. The program stays the same.
	pub number: u32,
}

impl Default for Small {
	fn default() -> Self {
		Self { milestones: 2, segments: 3, segment_steps: 6, drawn: 2, verifiers: 1, hidden: 16, number: 0 }
	}
}

impl Small {
	/// Segments of the job.
	pub const fn total(&self) -> u32 {
		self.milestones * self.segments
	}

	/// Writes the job file and the data under `folder` and makes them ready.
	///
	/// # Errors
	/// When a file cannot be written, or the file is refused.
	pub fn draft(&self, folder: &Path) -> Result<Draft> {
		let csv = std::fs::read_to_string(repository().join("examples/data/digits.csv"))
			.context("examples/data/digits.csv")?;
		let rows: Vec<&str> = csv.lines().take(241).collect();
		std::fs::create_dir_all(folder)?;
		std::fs::write(folder.join("small.csv"), rows.join("\n"))?;
		let text = format!(
			"kind: train
model: {{ type: mlp, layers: [64, {hidden}, 10], activation: relu }}
data: {{ file: small.csv, scale: 0.0625, held_out: 0.2 }}
train: {{ optimiser: adamw, batch: 16, steps: {steps}, seed: 7 }}
verify: {{ milestones: {milestones}, segments: {segments}, drawn: {drawn}, verifiers: {verifiers}, insured_value: \"10\", fee: \"0.1\" }}
offer: {{ max: \"30.{number:03}\", best_bid: 4, deadline: 1800 }}
",
			hidden = self.hidden,
			steps = self.total() * self.segment_steps,
			milestones = self.milestones,
			segments = self.segments,
			drawn = self.drawn,
			verifiers = self.verifiers,
			number = self.number,
		);
		let path = folder.join(format!("small-{}.yaml", self.number));
		std::fs::write(&path, text)?;
		Ok(Draft::load(&path)?)
	}
}
