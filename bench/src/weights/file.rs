//! The weights as Rust.

use std::{
	fmt::Write as _,
	path::{Path, PathBuf},
};

use crate::{arguments::Arguments, cost::Part, measure::Measured};

/// Path and text of the file of each measured pallet that lies below `root`.
pub(crate) fn all(root: &Path, measured: &[Measured], arguments: &Arguments) -> Vec<(PathBuf, String)> {
	let mut pallets: Vec<&str> = measured.iter().map(|result| result.pallet.as_str()).collect();
	pallets.sort_unstable();
	pallets.dedup();
	pallets
		.into_iter()
		.filter_map(|pallet| {
			let folder = pallet.strip_prefix("pallet_")?.replace('_', "-");
			let path = root.join("pallets").join(folder).join("src/weights/measured.rs");
			// Pallets of the SDK bring their weights along.
			path.parent()?.is_dir().then(|| {
				let results: Vec<&Measured> = measured.iter().filter(|result| result.pallet == pallet).collect();
				(path, text(&results, arguments))
			})
		})
		.collect()
}

fn text(results: &[&Measured], arguments: &Arguments) -> String {
	let Arguments { date, points, repeats, .. } = arguments;
	let cpu = cpu();
	let mut text = format!(
		"//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.\n//!\n\
		//! {date} on {cpu}; {points} values of each parameter, {repeats} runs of each. Times are without the database,\n\
		//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.\n\n\
		use frame_support::{{traits::Get, weights::Weight}};\n"
	);
	for result in results {
		function(&mut text, result);
	}
	text
}

fn function(text: &mut String, result: &Measured) {
	let Measured { name, parameters, cost, least, .. } = result;
	let least = *least as f64 / 1e3;
	let at: Vec<String> = parameters.iter().map(|(name, _, high)| format!("`{name}` = {high}")).collect();
	let at = if at.is_empty() { String::new() } else { format!(" at {}", at.join(", ")) };
	let arguments: Vec<String> = parameters.iter().map(|(name, _, _)| format!("{name}: u64")).collect();
	// Writing to a string does not fail.
	let _ = writeln!(text, "\n/// {least:.1} us{at}.");
	let _ = writeln!(
		text,
		"pub(super) fn {name}<T: frame_system::Config>({}) -> Weight {{\n\t{}",
		arguments.join(", "),
		weight(&cost.base)
	);
	for ((name, _, _), slope) in parameters.iter().zip(&cost.slopes) {
		if *slope != Part::default() {
			let _ = writeln!(text, "\t\t.saturating_add({}.saturating_mul({name}))", weight(slope));
		}
	}
	text.push_str("}\n");
}

fn weight(part: &Part) -> String {
	let Part { time, reads, writes, proof } = *part;
	let computation = format!("Weight::from_parts({}, {})", grouped(time), grouped(proof));
	if reads == 0 && writes == 0 {
		return computation;
	}
	format!("{computation}.saturating_add(T::DbWeight::get().reads_writes({reads}, {writes}))")
}

/// A number as Rust writes it, in groups of three digits.
fn grouped(number: u64) -> String {
	let digits = number.to_string();
	let mut text = String::new();
	for (place, digit) in digits.chars().enumerate() {
		if place > 0 && (digits.len() - place).is_multiple_of(3) {
			text.push('_');
		}
		text.push(digit);
	}
	text
}

/// The processor's model.
fn cpu() -> String {
	let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let model =
		text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()));
	model.unwrap_or("an unknown processor").into()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn numbers_are_grouped() {
		assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1_000", "1_234_567"]);
	}
}
