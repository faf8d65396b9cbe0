//! What to measure, and how long.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{bail, Context, Result};

/// The command line.
pub(crate) struct Arguments {
	/// The runtime, built with its benchmarks.
	pub(crate) runtime: PathBuf,
	/// Pallets to measure; all if empty.
	pallets: Vec<String>,
	/// Values of each parameter, the least and the greatest among them; 2 at least.
	pub(crate) points: u32,
	/// Repeats of each point.
	pub(crate) repeats: u32,
	/// Today, for the files.
	pub(crate) date: String,
	/// Where to write the rows.
	pub(crate) json: Option<PathBuf>,
	/// The repository whose weights are replaced.
	pub(crate) write: Option<PathBuf>,
}

impl Arguments {
	/// Reads the arguments after the program's name.
	pub(crate) fn read(mut words: impl Iterator<Item = OsString>) -> Result<Self> {
		let runtime =
			words.next().context("usage: bench-weights RUNTIME.wasm [options], see bench/src/weights/main.rs")?;
		let mut read = Self {
			runtime: runtime.into(),
			pallets: Vec::new(),
			points: 8,
			repeats: 20,
			date: "unknown".into(),
			json: None,
			write: None,
		};
		while let Some(flag) = words.next() {
			let flag = flag.to_string_lossy().into_owned();
			let value = words.next().with_context(|| format!("{flag} needs a value"))?;
			let text = || value.clone().into_string().map_err(|_| anyhow::anyhow!("{flag}: not UTF-8"));
			match flag.as_str() {
				"--pallet" => read.pallets.push(text()?),
				"--points" => read.points = text()?.parse().context("--points")?,
				"--repeats" => read.repeats = text()?.parse().context("--repeats")?,
				"--date" => read.date = text()?,
				"--json" => read.json = Some(value.into()),
				"--write" => read.write = Some(value.into()),
				_ => bail!("unknown argument {flag}"),
			}
		}
		if read.points < 2 || read.repeats == 0 {
			bail!("at least 2 points and 1 repeat");
		}
		Ok(read)
	}

	/// Whether the pallet is to be measured.
	pub(crate) fn wants(&self, pallet: &[u8]) -> bool {
		self.pallets.is_empty() || self.pallets.iter().any(|name| name.as_bytes() == pallet)
	}
}
