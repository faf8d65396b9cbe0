//! From samples to a cost that is linear in the parameters.

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
	/// parameters it is the least squares over the middle half of each point's samples.
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
	let slopes = fit.slopes.into_iter().map(u64::try_from).collect::<Result<_, _>>()?;
	Ok((fit.base.try_into()?, slopes))
}
