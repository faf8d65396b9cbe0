//! Rotary positions (Su and others, 2021): pairs of columns turn by an angle that grows with the position.
//!
//! The tables of cosines and sines are data of the program, so only who builds it computes them. They are the same bits on
//! every machine all the same: frequencies use the four binary64 operations, angles one binary32 product, sine and cosine
//! are the numerics contract's own.

use assay_engine::Tensor;
use assay_models::{Graph, Value};
use assay_program::DType;
use assay_softfloat::{functions, Real, F32};
use codec::{Decode, Encode};

use crate::{hf::Fields, ImportError};

/// Most elements of a table.
const MAX_TABLE: u64 = 1 << 26;

/// How fast each pair of columns turns.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub struct Rope {
	/// Base of the frequencies.
	pub theta: f64,
	/// How a longer context slows them down.
	pub scaling: Scaling,
}

/// How a longer context slows the frequencies down.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub enum Scaling {
	/// Not at all.
	None,
	/// All by this factor.
	Linear(f64),
	/// As Llama 3.1: long waves by `factor`, short ones not, between them in proportion.
	Llama3 {
		/// Of the longest waves.
		factor: f64,
		/// Waves longer than `original / low` are slowed by the whole factor.
		low: f64,
		/// Waves shorter than `original / high` are not slowed.
		high: f64,
		/// Positions that the model was first trained on.
		original: f64,
	},
}

impl Rope {
	/// From `rope_theta` with `rope_scaling`, or from `rope_parameters`. The base's default is 10,000.
	pub(crate) fn from_fields(fields: &mut Fields) -> Result<Self, ImportError> {
		let outer = fields.optional_positive("rope_theta")?;
		let (scaling, parameters) = (fields.nested("rope_scaling")?, fields.nested("rope_parameters")?);
		let (mut inner, scaling) = match (scaling, parameters) {
			(Some(_), Some(_)) => {
				return Err(fields.unsupported("rope_scaling", "both it and `rope_parameters`", "one"))
			}
			(None, None) => (None, Scaling::None),
			(Some(mut inner), None) | (None, Some(mut inner)) => {
				let scaling = Scaling::from_fields(&mut inner)?;
				(Some(inner), scaling)
			}
		};
		let nested = inner.as_mut().map(|inner| inner.optional_positive("rope_theta")).transpose()?.flatten();
		inner.map_or(Ok(()), |inner| inner.finish(&[]))?;
		Ok(Self { theta: nested.or(outer).unwrap_or(10_000.0), scaling })
	}

	/// Cosines and sines, `[length, width]`: the second half of the columns repeats the first.
	pub(crate) fn tables(&self, length: u32, width: u32) -> Result<[Tensor; 2], ImportError> {
		let (mut cosines, mut sines) = (Vec::new(), Vec::new());
		if u64::from(length) * u64::from(width) > MAX_TABLE {
			return Err(ImportError::Request(format!("{length} positions with heads of {width} columns; take fewer")));
		}
		let half: Vec<f32> = (0..width / 2).map(|pair| self.frequency(pair, width)).collect();
		for position in 0..length {
			for frequency in half.iter().chain(&half) {
				let angle = F32::from_bits((position as f32 * frequency).to_bits());
				cosines.push(functions::cos(angle).to_bits());
				sines.push(functions::sin(angle).to_bits());
			}
		}
		let table = |bits| {
			let refused = |error| ImportError::Request(format!("rotary tables of {length} x {width}: {error}"));
			Tensor::new(DType::F32, length, width, bits).map_err(refused)
		};
		Ok([table(cosines)?, table(sines)?])
	}

	/// Radians per position of a pair of columns.
	fn frequency(&self, pair: u32, width: u32) -> f32 {
		let share = f64::from(2 * pair) / f64::from(width);
		let plain = exp(-share * ln(self.theta));
		let scaled = match self.scaling {
			Scaling::None => plain,
			Scaling::Linear(factor) => plain / factor,
			Scaling::Llama3 { factor, low, high, original } => {
				let waves = original * plain / core::f64::consts::TAU;
				if waves > high {
					plain
				} else if waves < low {
					plain / factor
				} else {
					let kept = (waves - low) / (high - low);
					(1.0 - kept) * plain / factor + kept * plain
				}
			}
		};
		scaled as f32
	}
}

impl Scaling {
	fn from_fields(fields: &mut Fields) -> Result<Self, ImportError> {
		let older = fields.optional_text("type")?;
		let kind = fields.optional_text("rope_type")?.or(older);
		Ok(match kind.as_deref().unwrap_or("default") {
			"default" => Scaling::None,
			"linear" => Scaling::Linear(fields.positive("factor")?),
			"llama3" => {
				let (factor, low) = (fields.positive("factor")?, fields.positive("low_freq_factor")?);
				let high = fields.positive("high_freq_factor")?;
				if high <= low {
					return Err(fields.unsupported(
						"high_freq_factor",
						&high.to_string(),
						"more than `low_freq_factor`",
					));
				}
				let original = fields.size("original_max_position_embeddings")?;
				Scaling::Llama3 { factor, low, high, original: original.into() }
			}
			other => return Err(fields.unsupported("rope_type", other, "default, linear, llama3")),
		})
	}
}

/// Turns the two halves of the columns of `x` against each other; `cosines` and `sines` have a row for each row of `x`.
pub(crate) fn rotate(graph: &mut Graph, x: Value, cosines: Value, sines: Value) -> Value {
	let width = graph.spec(x).cols;
	let half = width / 2;
	let (left, right) = (graph.columns(x, 0, half), graph.columns(x, half, half));
	let (left, right) = (graph.pad_columns(left, half, width), graph.pad_columns(right, 0, width));
	let turned = graph.sub(left, right);
	let kept = graph.mul(x, cosines);
	graph.fma(turned, sines, kept)
}

/// Natural logarithm of a normal number above zero, by the series of the area tangent.
fn ln(x: f64) -> f64 {
	let bits = x.to_bits();
	let mut exponent = (bits >> 52) as i64 - 1023;
	let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
	if mantissa > core::f64::consts::SQRT_2 {
		mantissa *= 0.5;
		exponent += 1;
	}
	let ratio = (mantissa - 1.0) / (mantissa + 1.0);
	let square = ratio * ratio;
	let series = (0..20u32).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
	exponent as f64 * core::f64::consts::LN_2 + 2.0 * ratio * series
}

/// `e^x` for `|x| < 700`, by the exponential series.
fn exp(x: f64) -> f64 {
	let scaled = x * core::f64::consts::LOG2_E;
	let whole = (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i64;
	let rest = x - whole as f64 * core::f64::consts::LN_2;
	let series = (1..=22u32).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
	series * f64::from_bits(((whole + 1023).clamp(1, 2046) as u64) << 52)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn series_are_accurate() {
		for i in 0..2000 {
			let x = 1e-3 * 1.013f64.powi(i);
			assert!((ln(x) / x.ln() - 1.0).abs() < 1e-14 || (ln(x) - x.ln()).abs() < 1e-14, "ln {x}");
			let y = f64::from(i) * 0.05 - 50.0;
			assert!((exp(y) / y.exp() - 1.0).abs() < 1e-14, "exp {y}");
		}
	}

	#[test]
	fn tables_are_the_same_bits_everywhere() {
		let scaling = Scaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, original: 64.0 };
		let rope = Rope { theta: 500_000.0, scaling };
		let [cosines, sines] = rope.tables(128, 64).unwrap();
		assert_eq!(cosines.to_f32()[..64], [1.0; 64]);
		assert_eq!([hex(cosines.root()), hex(sines.root())], ROOTS);
	}

	const ROOTS: [&str; 2] = [
		"31a6e335e3510bfa276094a10db37639a3a69b73daafc97091b89c16c9df930b",
		"e68681bc67f0424752b6545ce0a539acc39e8b82fab4066a95e205393a3d09a3",
	];

	fn hex(root: [u8; 32]) -> String {
		root.iter().map(|byte| format!("{byte:02x}")).collect()
	}
}
