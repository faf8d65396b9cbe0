//! Options, names of kinds, and the check of one op on the CPU.

use std::fmt::Write;

use assay_cpu::{from_words, to_words, words_of, Context, Cpu, Input, Matrix, OpError, Output};
use assay_cuda::cases::{Case, Given, CONTEXT};
use assay_program::DType;

/// What the command line asks for.
pub(crate) struct Options {
	pub(crate) elements: u64,
	pub(crate) emulated: u64,
	pub(crate) seed: u64,
	json: Option<String>,
}

impl Options {
	pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
		let mut options = Self { elements: 10_000_000, emulated: 1_000_000, seed: 1, json: None };
		while let Some(name) = arguments.next() {
			let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
			let number = || value.parse().map_err(|_| format!("{name} {value}: give a whole number"));
			match name.as_str() {
				"--elements" => options.elements = number()?,
				"--emulated" => options.emulated = number()?,
				"--seed" => options.seed = number()?,
				"--json" => options.json = Some(value),
				_ => return Err(format!("unknown option {name}; there are --elements, --emulated, --seed and --json")),
			}
		}
		Ok(options)
	}

	/// Writes what was checked, if asked for. Rows are cases, input elements, output elements, and inputs on emulated devices.
	pub(crate) fn write<'a>(&self, rows: impl Iterator<Item = (&'a str, [u64; 4])>) -> Result<(), String> {
		let Some(file) = &self.json else { return Ok(()) };
		let mut text = format!("{{\"seed\": {}, \"kinds\": [", self.seed);
		for (index, (kind, [cases, inputs, outputs, emulated])) in rows.enumerate() {
			let comma = if index == 0 { "" } else { "," };
			// Names of kinds have no quotes.
			let _ = write!(
				text,
				"{comma}\n  {{\"kind\": \"{kind}\", \"cases\": {cases}, \"inputs\": {inputs}, \"outputs\": {outputs}, \
				 \"emulated\": {emulated}}}"
			);
		}
		text.push_str("\n]}\n");
		std::fs::write(file, text).map_err(|error| format!("{file}: {error}"))
	}
}

/// Runs the op on every backend: its bits, and whether it fails, are as expected.
pub(crate) fn on_cpus(cpus: &[Cpu], case: &Case, expected: &[u32]) -> Result<(), String> {
	let Case { kind, given, output } = case;
	let words = given.iter().map(|given| match given {
		Given::Tensor(spec, bits, _) => to_words(spec.dtype, bits.clone()),
		Given::Scalar(_) => Vec::new(),
	});
	let words: Vec<Vec<u32>> = words.collect();
	let inputs: Vec<Input<'_>> = given
		.iter()
		.zip(&words)
		.map(|(given, bits)| match given {
			Given::Tensor(spec, _, _) => {
				Input::Tensor(Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits })
			}
			Given::Scalar(bits) => Input::Scalar(*bits),
		})
		.collect();
	let context = Context { seed: CONTEXT.seed, step: CONTEXT.step };
	let float = output.dtype == DType::F32;
	let number = |bits: u32| f32::from_bits(bits);
	let wanted = match !float || expected.iter().all(|bits| number(*bits).is_finite()) {
		true => Ok(()),
		false => Err(OpError::NonFinite),
	};
	for cpu in cpus {
		// Poisoned, so that an element that is not written shows.
		let mut words = vec![0xdead_beef; words_of(output.dtype, expected.len())];
		let out = Output { dtype: output.dtype, rows: output.rows, cols: output.cols, bits: &mut words };
		let result = cpu.run(*kind, &inputs, &context, out);
		let bits = from_words(output.dtype, &words, expected.len());
		let place = || format!("{kind:?} -> {output:?} on {:?}, {} threads", cpu.path(), cpu.threads());
		if result != wanted {
			return Err(format!("{}: {result:?}, the referee says {wanted:?}", place()));
		}
		// NaNs are the same whatever their payload, since no result may hold one.
		let same = |a: u32, b: u32| a == b || (float && number(a).is_nan() && number(b).is_nan());
		if let Some(index) = (0..bits.len()).find(|index| !same(bits[*index], expected[*index])) {
			return Err(format!(
				"{}: element {index} is {:08x}, the referee says {:08x}",
				place(),
				bits[index],
				expected[index]
			));
		}
	}
	Ok(())
}
