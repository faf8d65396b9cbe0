//! The command line.

use std::{path::PathBuf, time::Duration};

/// What there is to say.
pub(crate) const USAGE: &str = "\
Checks a GPU bit by bit against the referee and the CPU, then measures it.

  --device N        the device, from 0 in the driver's order (0)
  --fuzz ELEMENTS   compare so many random output elements of every kind of op with the CPU (100000; 10000000 for a full check)
  --seed N          seed of the random ops (1)
  --steps N         training steps of the identity runs, in both lanes (1000)
  --batch N         sequences of a step of the measured GPT-2 124M; halved until it fits (8)
  --check-only      measure nothing
  --minutes N       time after which no stage begins, 0 for none (8; none with --fuzz above 100000)
  --stage-seconds N most seconds of a stage (60 to 120 each)
  --quick           a small part of everything, to try the program itself: proves and measures nothing
  --report FILE     append the figures to a Markdown file, if every check is equal
  --json FILE       write everything, and how it ended, as one JSON object
  --stamp TEXT      when, for the report
  --commit TEXT     of what, for the report

Exit status: 0 all equal; 1 a bit differs; 2 wrong usage; 3 no usable device; 4 something could not be measured or written.";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
	pub(crate) device: u32,
	pub(crate) fuzz: u64,
	pub(crate) seed: u64,
	pub(crate) steps: u64,
	pub(crate) batch: u32,
	pub(crate) measure: bool,
	pub(crate) minutes: Option<u64>,
	pub(crate) stage_seconds: Option<u64>,
	pub(crate) quick: bool,
	pub(crate) report: Option<PathBuf>,
	pub(crate) json: Option<PathBuf>,
	pub(crate) stamp: String,
	pub(crate) commit: String,
	/// In a process that works on the device, the first stage that it does.
	pub(crate) worker: Option<usize>,
}

/// Why the command line is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
	#[error("unknown option {0}")]
	Unknown(String),
	#[error("{0} needs a value")]
	Value(String),
	#[error("{0} takes a number from {2}, not {1}")]
	Number(String, String, u64),
}

impl Default for Options {
	fn default() -> Self {
		Self {
			device: 0,
			fuzz: 100_000,
			seed: 1,
			steps: 1000,
			batch: 8,
			measure: true,
			minutes: None,
			stage_seconds: None,
			quick: false,
			report: None,
			json: None,
			stamp: String::new(),
			commit: String::new(),
			worker: None,
		}
	}
}

impl Options {
	/// Of the arguments after the program's name; `None` if help is asked for.
	pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Self>, UsageError> {
		let mut options = Self::default();
		let mut arguments = arguments.into_iter();
		while let Some(name) = arguments.next() {
			let mut value = || arguments.next().ok_or_else(|| UsageError::Value(name.clone()));
			match name.as_str() {
				"-h" | "--help" => return Ok(None),
				"--device" => options.device = number(&name, &value()?, 0)?,
				"--fuzz" => options.fuzz = number(&name, &value()?, 0)?,
				"--seed" => options.seed = number(&name, &value()?, 0)?,
				"--steps" => options.steps = number(&name, &value()?, 2)?,
				"--batch" => options.batch = number(&name, &value()?, 1)?,
				"--check-only" => options.measure = false,
				"--minutes" => options.minutes = Some(number(&name, &value()?, 0)?),
				"--stage-seconds" => options.stage_seconds = Some(number(&name, &value()?, 1)?),
				"--worker" => options.worker = Some(number(&name, &value()?, 0)?),
				"--quick" => options.quick = true,
				"--report" => options.report = Some(value()?.into()),
				"--json" => options.json = Some(value()?.into()),
				"--stamp" => options.stamp = value()?,
				"--commit" => options.commit = value()?,
				_ => return Err(UsageError::Unknown(name)),
			}
		}
		Ok(Some(options))
	}

	/// The time after which no stage begins.
	pub(crate) fn budget(&self) -> Option<Duration> {
		let otherwise = if self.fuzz > QUICKLY { 0 } else { MINUTES };
		Some(self.minutes.unwrap_or(otherwise))
			.filter(|minutes| *minutes > 0)
			.map(|minutes| Duration::from_secs(60 * minutes))
	}
}

/// Minutes that a run may take, if it compares at most so many elements of each kind.
const MINUTES: u64 = 8;
const QUICKLY: u64 = 100_000;

fn number<T: TryFrom<u64>>(name: &str, text: &str, least: u64) -> Result<T, UsageError> {
	let wrong = || UsageError::Number(name.into(), text.into(), least);
	let number: u64 = text.parse().ok().filter(|number| *number >= least).ok_or_else(wrong)?;
	T::try_from(number).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
	use super::*;

	fn parse(line: &str) -> Result<Option<Options>, UsageError> {
		Options::parse(line.split_whitespace().map(str::to_owned))
	}

	#[test]
	fn options_are_read() {
		assert_eq!(parse(""), Ok(Some(Options::default())));
		let line =
			"--device 2 --fuzz 10000000 --seed 7 --steps 20 --batch 1 --check-only --minutes 3 --stage-seconds 9 --quick --report a.md --json b \
			--stamp now --commit abc";
		let options = Options {
			device: 2,
			fuzz: 10_000_000,
			seed: 7,
			steps: 20,
			batch: 1,
			measure: false,
			minutes: Some(3),
			stage_seconds: Some(9),
			quick: true,
			report: Some("a.md".into()),
			json: Some("b".into()),
			stamp: "now".into(),
			commit: "abc".into(),
			worker: None,
		};
		assert_eq!(
			(options.budget(), Options::default().budget()),
			(Some(Duration::from_secs(180)), Some(Duration::from_secs(480)))
		);
		assert_eq!(parse("--fuzz 10000000").expect("known").expect("options").budget(), None);
		assert_eq!(parse(line), Ok(Some(options)));
		assert_eq!(parse("--device 1 --help"), Ok(None));
		assert_eq!(parse("-h"), Ok(None));
	}

	#[test]
	fn what_is_wrong_is_named() {
		assert_eq!(parse("1"), Err(UsageError::Unknown("1".into())));
		assert_eq!(parse("--json"), Err(UsageError::Value("--json".into())));
		for (line, least) in
			[("--device x", 0), ("--device -1", 0), ("--device 4294967296", 0), ("--steps 1", 2), ("--batch 0", 1)]
		{
			let (name, text) = line.split_once(' ').expect("two words");
			assert_eq!(parse(line), Err(UsageError::Number(name.into(), text.into(), least)), "{line}");
		}
	}

	#[test]
	fn the_usage_names_every_option() {
		for name in [
			"device",
			"fuzz",
			"seed",
			"steps",
			"batch",
			"check-only",
			"minutes",
			"stage-seconds",
			"quick",
			"report",
			"json",
			"stamp",
			"commit",
		] {
			assert!(USAGE.contains(&format!("\n  --{name} ")), "{name}");
		}
	}
}
