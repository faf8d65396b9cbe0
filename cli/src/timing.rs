//! How long a job takes on a machine like this one, and whether that is soon enough.

use crate::{job_file::Draft, Error};
use assay_engine::{Calibration, Cpu, Engine, Path};
use assay_protocol::parameters::Parameters;
use serde::Serialize;
use std::{fmt, sync::Arc, time::Instant};

/// Share of a worker's time above which hashing states is worth a word, and seconds of a job below which it is not.
const HASHING: (f64, f64) = (0.02, 10.0);

/// Times on this machine, estimated, and the chain's, seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Time {
	/// To run a segment, which is what a verifier does.
	pub segment_seconds: f64,
	/// To hash the state after a segment, measured.
	pub commit_seconds: f64,
	/// To run the job.
	pub job_seconds: f64,
	/// That a verifier has to run a segment and commit to what it found.
	pub blind_window_seconds: u64,
	/// That the job has.
	pub deadline_seconds: u64,
	/// Of a block, assumed.
	pub block_seconds: u64,
}

impl Time {
	/// Measures this machine, which takes about a second.
	///
	/// # Errors
	/// [`Error::Run`] if the backend cannot start.
	pub fn here(draft: &Draft, parameters: &Parameters) -> Result<Self, Error> {
		let failed = |error: &dyn fmt::Display| Error::Run(error.to_string());
		let cpu = Arc::new(Cpu::new(Path::Auto, 0).map_err(|error| failed(&error))?);
		let calibration = Calibration::measure(&cpu).map_err(|error| failed(&error))?;
		let engine = Engine::new(draft.program.clone(), draft.data.clone(), cpu).map_err(|error| failed(&error))?;
		let (state, started) = (engine.initial_state(), Instant::now());
		engine.state_root(&state).map_err(|error| failed(&error))?;
		let commit_seconds = started.elapsed().as_secs_f64();
		Ok(Self::of(engine.estimate(&calibration).as_secs_f64(), commit_seconds, draft, parameters))
	}

	/// Of a machine on which a step and the hash of a state take so many seconds.
	pub fn of(step_seconds: f64, commit_seconds: f64, draft: &Draft, parameters: &Parameters) -> Self {
		let header = &draft.program.header;
		let block_seconds = if *parameters == Parameters::public() { 6 } else { 1 };
		Self {
			segment_seconds: step_seconds * f64::from(header.segment_steps),
			commit_seconds,
			job_seconds: step_seconds * header.steps as f64,
			blind_window_seconds: u64::from(parameters.blind_window) * block_seconds,
			deadline_seconds: u64::from(draft.spec.offer.deadline) * block_seconds,
			block_seconds,
		}
	}

	/// What is too slow.
	pub fn warnings(&self) -> Vec<String> {
		let mut warnings = Vec::new();
		let Self { segment_seconds, job_seconds, blind_window_seconds, deadline_seconds, .. } = *self;
		if segment_seconds > blind_window_seconds as f64 / 2.0 {
			let took = seconds(segment_seconds);
			warnings.push(format!(
				"a verifier like this machine takes {took} for a segment, and {blind_window_seconds} s is all that it has: \
				 use more `segments`, or smaller steps"
			));
		}
		let hashing = self.commit_seconds / segment_seconds;
		if hashing > HASHING.0 && job_seconds * hashing > HASHING.1 {
			warnings.push(format!(
				"hashing the state after every segment adds {:.0} % to a worker's time: use fewer `segments` or `milestones`",
				hashing * 100.0
			));
		}
		if job_seconds > deadline_seconds as f64 {
			let took = seconds(job_seconds);
			warnings.push(format!(
				"a worker like this machine takes {took}, the deadline comes after {deadline_seconds} s: raise `offer.deadline`"
			));
		}
		warnings
	}
}

/// A time that is not known exactly.
fn about(time: f64) -> String {
	let text = seconds(time);
	if text.starts_with("below") {
		text
	} else {
		format!("about {text}")
	}
}

/// A time as people read it.
fn seconds(seconds: f64) -> String {
	match seconds {
		..0.001 => "below 1 ms".into(),
		..1.0 => format!("{:.0} ms", seconds * 1e3),
		..100.0 => format!("{seconds:.1} s"),
		..7_200.0 => format!("{seconds:.0} s"),
		_ => format!("{:.1} h", seconds / 3_600.0),
	}
}

impl fmt::Display for Time {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(
			f,
			"{} a segment and {} in all on a machine like this; a verifier has {} s for a segment, with blocks of {} s",
			about(self.segment_seconds),
			about(self.job_seconds),
			self.blind_window_seconds,
			self.block_seconds
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_too_slow_is_warned_of() {
		let time = |segment_seconds: f64, job_seconds: f64| Time {
			segment_seconds,
			commit_seconds: 0.0,
			job_seconds,
			blind_window_seconds: 20,
			deadline_seconds: 1_000,
			block_seconds: 1,
		};
		assert!(time(9.9, 999.0).warnings().is_empty());
		let slow = time(10.5, 100.0).warnings();
		assert!(slow.len() == 1 && slow[0].contains("10.5 s for a segment") && slow[0].contains("20 s"), "{slow:?}");
		let late = time(1.0, 9_000.0).warnings();
		assert!(late.len() == 1 && late[0].contains("2.5 h") && late[0].contains("offer.deadline"), "{late:?}");
		let hashing = |commit_seconds| Time { commit_seconds, ..time(1.0, 900.0) }.warnings();
		assert!(hashing(0.019).is_empty());
		assert!(hashing(0.05)[0].contains("adds 5 %"), "{:?}", hashing(0.05));
		assert!(Time { commit_seconds: 0.5, ..time(1.0, 19.0) }.warnings().is_empty(), "few seconds in all");
		assert_eq!([seconds(0.0001), seconds(0.25), seconds(130.0)], ["below 1 ms", "250 ms", "130 s"]);
	}
}
