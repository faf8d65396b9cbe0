//! The fastest of several runs.

use std::time::Instant;

/// Runs of a measurement; the fastest counts.
const RUNS: u32 = 20;

/// Seconds of the fastest of several runs, after one that does not count. `run` waits for its end.
pub(crate) fn fastest<E>(mut run: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
	run()?;
	let mut best = f64::INFINITY;
	for _ in 0..RUNS {
		let started = Instant::now();
		run()?;
		best = best.min(started.elapsed().as_secs_f64());
	}
	Ok(best)
}
