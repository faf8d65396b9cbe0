//! One benchmark: every parameter from its least to its greatest value, the others at their greatest.

use std::fmt;

use anyhow::{bail, Context, Result};
use frame_benchmarking::{BenchmarkConfig, BenchmarkList, BenchmarkMetadata, BenchmarkParameter, BenchmarkResult};

use crate::{
	arguments::Arguments,
	chain::{Chain, Purpose},
	cost::Cost,
};

type Point = Vec<(BenchmarkParameter, u32)>;

/// How often a point is timed again when other processes disturbed it.
const TRIES: u32 = 4;
/// Runs of a point count as disturbed if their median is above the fastest by more than one part of this many.
const CALM: u128 = 8;

/// A measured benchmark.
pub(crate) struct Measured {
	/// Name of the crate that charges it.
	pub(crate) pallet: String,
	/// The benchmark.
	pub(crate) name: String,
	/// Name, least and greatest value of each parameter.
	pub(crate) parameters: Vec<(String, u32, u32)>,
	/// What it costs.
	pub(crate) cost: Cost,
	/// Nanoseconds of the fastest run with all parameters at their greatest.
	pub(crate) least: u64,
}

/// Measures a benchmark.
pub(crate) fn run(
	chain: &Chain,
	list: &BenchmarkList,
	benchmark: &BenchmarkMetadata,
	arguments: &Arguments,
) -> Result<Measured> {
	let (pallet, name) = (text(&list.pallet)?, text(&benchmark.name)?);
	let results = |purpose, point: &Point, verify, repeats| -> Result<Vec<BenchmarkResult>> {
		let config = BenchmarkConfig {
			pallet: list.pallet.clone(),
			instance: list.instance.clone(),
			benchmark: benchmark.name.clone(),
			selected_components: point.clone(),
			verify,
			internal_repeats: repeats,
		};
		let batches = chain.run(purpose, &config).with_context(|| format!("{pallet}::{name} at {point:?}"))?;
		Ok(batches.into_iter().flat_map(|batch| batch.results).collect())
	};
	let (mut timed, mut counted) = (Vec::new(), Vec::new());
	for point in points(&benchmark.components, arguments.points) {
		// The checks after a benchmark are run once: they are no part of the cost.
		results(Purpose::Time, &point, true, 1)?;
		counted.extend(results(Purpose::Storage, &point, false, 1)?);
		let mut calmest = results(Purpose::Time, &point, false, arguments.repeats)?;
		for _ in 1..TRIES {
			if is_calm(&calmest) {
				break;
			}
			let again = results(Purpose::Time, &point, false, arguments.repeats)?;
			if median(&again) < median(&calmest) {
				calmest = again;
			}
		}
		timed.extend(calmest);
	}
	let greatest: Point = benchmark.components.iter().map(|(name, _, high)| (*name, *high)).collect();
	let least = timed.iter().filter(|result| result.components == greatest).map(|result| result.extrinsic_time).min();
	let Some(least) = least else { bail!("{pallet}::{name} gave no result") };
	Ok(Measured {
		parameters: benchmark.components.iter().map(|(name, low, high)| (name.to_string(), *low, *high)).collect(),
		cost: Cost::fit(&timed, &counted).with_context(|| format!("{pallet}::{name}"))?,
		least: least.try_into()?,
		pallet,
		name,
	})
}

fn is_calm(results: &[BenchmarkResult]) -> bool {
	let least = results.iter().map(|result| result.extrinsic_time).min().unwrap_or(0);
	median(results) <= least + least / CALM
}

fn median(results: &[BenchmarkResult]) -> u128 {
	let mut times: Vec<u128> = results.iter().map(|result| result.extrinsic_time).collect();
	times.sort_unstable();
	times.get(times.len() / 2).copied().unwrap_or(0)
}

/// The points of a benchmark; one without a value if it has no parameters.
fn points(parameters: &[(BenchmarkParameter, u32, u32)], count: u32) -> Vec<Point> {
	if parameters.is_empty() {
		return vec![Point::new()];
	}
	let greatest: Point = parameters.iter().map(|(name, _, high)| (*name, *high)).collect();
	let mut points: Vec<Point> = Vec::new();
	for (place, (name, low, high)) in parameters.iter().enumerate() {
		let (span, last) = (u64::from(high.saturating_sub(*low)), u64::from(count) - 1);
		for step in 0..=last {
			let mut point = greatest.clone();
			// The quotient is at most the span, which fits.
			point[place] = (*name, low + (span * step / last) as u32);
			if !points.contains(&point) {
				points.push(point);
			}
		}
	}
	points
}

fn text(bytes: &[u8]) -> Result<String> {
	Ok(std::str::from_utf8(bytes)?.into())
}

impl fmt::Display for Measured {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { pallet, name, parameters, cost, least } = self;
		let mut greatest = cost.base;
		for ((_, _, high), slope) in parameters.iter().zip(&cost.slopes) {
			let high = u64::from(*high);
			greatest.time += slope.time * high;
			greatest.reads += slope.reads * high;
			greatest.writes += slope.writes * high;
			greatest.proof += slope.proof * high;
		}
		let (time, least) = (greatest.time as f64 / 1e6, *least as f64 / 1e3);
		write!(
			f,
			"{pallet:24} {name:24} {time:11.1} {least:11.1} {:7} {:7} {:9}",
			greatest.reads, greatest.writes, greatest.proof
		)?;
		for ((parameter, low, high), slope) in parameters.iter().zip(&cost.slopes) {
			write!(f, "  {parameter} {low}..={high}: {:.3} us each", slope.time as f64 / 1e6)?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use BenchmarkParameter::{a, b};

	#[test]
	fn a_benchmark_without_parameters_has_one_point() {
		assert_eq!(points(&[], 5), vec![Point::new()]);
	}

	#[test]
	fn every_parameter_goes_from_least_to_greatest() {
		let points = points(&[(a, 0, 4), (b, 1, 2)], 3);
		assert_eq!(
			points,
			vec![vec![(a, 0), (b, 2)], vec![(a, 2), (b, 2)], vec![(a, 4), (b, 2)], vec![(a, 4), (b, 1)],]
		);
	}
}
