//! From samples to a cost that is linear in the parameters.

use std::collections::BTreeMap;

use anyhow::{ensure, Result};
use frame_benchmarking::{Analysis, BenchmarkResult, BenchmarkSelector};

/// Something to charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
	/// Picoseconds.
	pub(crate) time: u64,
	/// Keys read.
	pub(crate) reads: u64,
	/// Keys written.
	pub(crate) writes: u64,
	/// Bytes of the proof of what is read.
	pub(crate) proof: u64,
}

/// What a benchmark costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
	/// Whatever the parameters are.
	pub(crate) base: Part,
	/// For each one of a parameter, in their order.
	pub(crate) slopes: Vec<Part>,
}

impl Cost {
	/// Fits a cost to what was timed and what was counted. The time of a benchmark without parameters is the median; with
	/// parameters it is the least squares over the middle half of each point's samples, raised to cover the median of every
	/// point: what grows in steps must not be charged below its steps.
	pub(crate) fn fit(timed: &Vec<BenchmarkResult>, counted: &Vec<BenchmarkResult>) -> Result<Self> {
		let (time, times) = linear(timed, BenchmarkSelector::ExtrinsicTime)?;
		let (reads, all_reads) = linear(counted, BenchmarkSelector::Reads)?;
		let (writes, all_writes) = linear(counted, BenchmarkSelector::Writes)?;
		let (proof, proofs) = linear(counted, BenchmarkSelector::ProofSize)?;
		let slopes = times.len();
		ensure!([all_reads.len(), all_writes.len(), proofs.len()] == [slopes; 3], "the runs have other parameters");
		let slopes = (times.into_iter().zip(all_reads).zip(all_writes).zip(proofs))
			.map(|(((time, reads), writes), proof)| Part { time, reads, writes, proof })
			.collect();
		Ok(Self { base: Part { time, reads, writes, proof }, slopes })
	}
}

/// Base and slopes of one quantity.
fn linear(results: &Vec<BenchmarkResult>, selector: BenchmarkSelector) -> Result<(u64, Vec<u64>)> {
	let fit = Analysis::min_squares_iqr(results, selector)?;
	let slopes = fit.slopes.into_iter().map(u64::try_from).collect::<Result<Vec<u64>, _>>()?;
	let mut base = u64::try_from(fit.base)?;
	let mut points: BTreeMap<Vec<u32>, Vec<u64>> = BTreeMap::new();
	for result in results {
		let at = result.components.iter().map(|(_, value)| *value).collect();
		points.entry(at).or_default().push(value(result, selector)?);
	}
	for (at, mut values) in points {
		values.sort_unstable();
		let median = values.get(values.len() / 2).copied().unwrap_or(0);
		let grown = at.iter().zip(&slopes).map(|(value, slope)| u64::from(*value).saturating_mul(*slope)).sum();
		base = base.max(median.saturating_sub(grown));
	}
	Ok((base, slopes))
}

/// A quantity of one run, in the unit of [`Part`].
fn value(result: &BenchmarkResult, selector: BenchmarkSelector) -> Result<u64> {
	Ok(match selector {
		BenchmarkSelector::ExtrinsicTime => u64::try_from(result.extrinsic_time)?.saturating_mul(1_000),
		BenchmarkSelector::StorageRootTime => u64::try_from(result.storage_root_time)?,
		BenchmarkSelector::Reads => result.reads.into(),
		BenchmarkSelector::Writes => result.writes.into(),
		BenchmarkSelector::ProofSize => result.proof_size.into(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use frame_benchmarking::BenchmarkParameter::a;

	fn timed(at: u32, nanos: u128) -> BenchmarkResult {
		BenchmarkResult { components: vec![(a, at)], extrinsic_time: nanos, reads: 2, ..Default::default() }
	}

	#[test]
	fn a_line_is_found() {
		let results = (0..8).map(|at| timed(at, 100 + 10 * u128::from(at))).collect();
		let cost = Cost::fit(&results, &results).expect("a fit");
		assert_eq!(cost.slopes, [Part { time: 10_000, ..Part::default() }]);
		assert_eq!(cost.base, Part { time: 100_000, reads: 2, ..Part::default() });
	}

	#[test]
	fn no_point_is_charged_below_its_median() {
		let steps = [100, 100, 300, 300, 500, 500, 900];
		let results = (0u32..).zip(steps).map(|(at, nanos)| timed(at, nanos)).collect();
		let Cost { base, slopes } = Cost::fit(&results, &results).expect("a fit");
		for (at, nanos) in (0u64..).zip(steps) {
			assert!(base.time + at * slopes[0].time >= nanos as u64 * 1_000);
		}
	}
}
