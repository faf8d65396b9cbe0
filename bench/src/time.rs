//! The measure.

use std::time::{Duration, Instant};

/// Time to spend on each measurement.
const BUDGET: Duration = Duration::from_millis(300);
/// A machine under load interrupts some runs, so there are always several.
const LEAST: u32 = 10;

/// Seconds of the fastest run.
pub(crate) fn fastest<E>(mut run: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
	run()?;
	let (start, mut best, mut runs) = (Instant::now(), Duration::MAX, 0);
	while runs < LEAST || start.elapsed() < BUDGET {
		let begin = Instant::now();
		run()?;
		best = best.min(begin.elapsed());
		runs += 1;
	}
	Ok(best.as_secs_f64())
}
