//! `assay job run`.

use super::{
	destination,
	written::{self, Written},
};
use crate::console::Console;
use assay_cli::{
	job_file::{Draft, Outcome},
	Error,
};
use assay_device::{choose, run_observed, Cuda, DeviceChoice};
use assay_engine::{AcceleratorError, Cpu, Engine, Path as CpuPath, RunError};
use serde::Serialize;
use std::{fmt, ops::ControlFlow, path::PathBuf, sync::Arc, time::Instant};

/// Run a job file on this machine, without a chain: to try it out, or to compare with what was paid for. The state root is
/// the one that every honest worker ends in.
#[derive(clap::Args)]
pub(crate) struct Run {
	/// The job file.
	file: PathBuf,
	/// Folder to write the result to; made if it is missing.
	#[arg(long, value_name = "FOLDER")]
	out: Option<PathBuf>,
	/// What to compute on: cpu, auto (the first CUDA device that computes the CPU's bits, else the CPU), cuda, or cuda:N.
	/// `assay provider devices` lists them.
	#[arg(long, default_value_t = DeviceChoice::default())]
	device: DeviceChoice,
	/// Threads, 0 for one per processor.
	#[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024))]
	threads: u16,
}

#[derive(Serialize)]
struct Done {
	program_root: String,
	state_root: String,
	steps: u64,
	seconds: f64,
	metrics: Vec<f32>,
	accuracy: Option<f32>,
	loss: Option<f32>,
	held_out: Option<u32>,
	files: Vec<Written>,
	result: Option<String>,
}

impl Run {
	pub(crate) fn run(self, console: &Console) -> Result<(), Error> {
		let failed = |error: &dyn fmt::Display| Error::Run(error.to_string());
		console.progress("building the program");
		let draft = Draft::load(&self.file)?;
		if let Some(out) = &self.out {
			destination::prepare(out, &draft.inputs)?;
		}
		let cpu = Arc::new(Cpu::new(CpuPath::Auto, self.threads.into()).map_err(|error| failed(&error))?);
		let chosen = choose(self.device, cpu.clone(), &Cuda).map_err(|error| failed(&error))?;
		let mut engine =
			Engine::new(draft.program.clone(), draft.data.clone(), cpu.clone()).map_err(|error| failed(&error))?;
		if self.device != DeviceChoice::Cpu {
			console.note(&chosen.why);
		}
		if let Err(error) = chosen.compute.accelerate(&mut engine) {
			console.note(format!("the CPU runs this job: {error}"));
		}
		let steps = draft.program.header.steps;
		let (mut state, started, mut metrics) = (engine.initial_state(), Instant::now(), Vec::new());
		let report = &mut |report: &assay_engine::StepReport<'_>| {
			let shown: Vec<String> = report.metrics.iter().map(|value| format!("{value:.4}")).collect();
			console.progress(format!("step {} of {steps} {}", report.step + 1, shown.join(" ")));
			metrics.clear();
			metrics.extend_from_slice(report.metrics);
			ControlFlow::Continue(())
		};
		let tell = |error: &AcceleratorError| console.note(format!("the device failed, the CPU starts again: {error}"));
		run_observed(&engine, &mut state, steps, report, &tell).map_err(|error| stopped(&error, &draft.outcome))?;
		let seconds = started.elapsed().as_secs_f64();
		let root = hex::encode(engine.state_root(&state).map_err(|error| failed(&error))?);
		let evaluated = draft.evaluate(&engine, &state, cpu).map_err(Error::Evaluate)?;
		let (files, result) = match &self.out {
			Some(out) => {
				let metadata = [("state_root", root.clone())];
				written::write(out, &engine, &state, Some(&draft.outcome), &metadata)?
			}
			None => (Vec::new(), None),
		};
		let done = Done {
			program_root: hex::encode(draft.spec.program.root()),
			state_root: root,
			steps,
			seconds,
			metrics,
			accuracy: evaluated.and_then(|found| found.accuracy),
			loss: evaluated.and_then(|found| found.loss),
			held_out: evaluated.map(|found| found.held_out),
			files,
			result,
		};
		if let Some(out) = &self.out {
			written::manifest(out, &Manifest::new(&self.file.display().to_string(), &done))?;
		}
		console.show(&done);
		Ok(())
	}
}

/// What the files of a folder are of: the same for the same job file.
#[derive(Serialize)]
struct Manifest<'a> {
	job_file: &'a str,
	program_root: &'a str,
	state_root: &'a str,
	steps: u64,
	files: &'a [Written],
	accuracy: Option<f32>,
	loss: Option<f32>,
	held_out: Option<u32>,
	result: Option<&'a str>,
}

impl<'a> Manifest<'a> {
	fn new(job_file: &'a str, done: &'a Done) -> Self {
		Self {
			job_file,
			program_root: &done.program_root,
			state_root: &done.state_root,
			steps: done.steps,
			files: &done.files,
			accuracy: done.accuracy,
			loss: done.loss,
			held_out: done.held_out,
			result: done.result.as_deref(),
		}
	}
}

/// Why a run ended early, and what to do about it.
fn stopped(error: &RunError, outcome: &Outcome) -> Error {
	let next = match outcome {
		Outcome::Texts(_) => "the model overflows on these texts: use other texts or another model",
		Outcome::Rows(_) => {
			"the model overflows on these rows: set `data.scale` as it was trained, or check that the rows are of its kind"
		}
		_ => return Error::Run(error.to_string()),
	};
	match error {
		RunError::NonFinite { step, name, .. } => {
			Error::Run(format!("step {}: an element of `{name}` is infinite or NaN; {next}", step + 1))
		}
		other => Error::Run(other.to_string()),
	}
}

impl fmt::Display for Done {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} steps in {:.1} s\nState root {}", self.steps, self.seconds, self.state_root)?;
		match (self.accuracy, self.loss) {
			(Some(accuracy), loss) => {
				let rows = self.held_out.unwrap_or(0);
				write!(f, "\nAccuracy {:.2} %{} on {rows} rows", accuracy * 100.0, written::loss(loss))?;
			}
			(None, Some(loss)) => write!(f, "\nHeld out: loss {loss:.4}")?,
			(None, None) => {}
		}
		for file in &self.files {
			write!(f, "\n{}: {} tensors, {} bytes", file.path, file.tensors.len(), file.bytes)?;
		}
		if self.files.is_empty() {
			write!(f, "\nNothing was written; add --out FOLDER to keep the result")?;
		}
		match &self.result {
			Some(path) => write!(f, "\nResult for other programs: {path}"),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let done = Done {
			program_root: String::new(),
			state_root: String::new(),
			steps: 0,
			seconds: 0.0,
			metrics: Vec::new(),
			accuracy: None,
			loss: None,
			held_out: None,
			files: Vec::new(),
			result: None,
		};
		assert_documented("job run", &done);
		assert_documented("manifest.json", &Manifest::new("job.yaml", &done));
	}
}
