//! What was found: for people as Markdown, for programs as JSON.

use std::{fmt::Write as _, fs, path::Path};

use assay_cuda::DeviceInfo;
use serde_json::{json, Value};

use crate::{error::Error, options::Options, stage::Stage};

/// A check of bits.
#[derive(Clone, Debug)]
pub(crate) struct Check {
	name: String,
	/// What was compared, or what differs.
	outcome: Result<String, String>,
	seconds: f64,
}

/// A measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
	pub(crate) what: String,
	/// `None` if it could not be had.
	pub(crate) value: Option<f64>,
	pub(crate) unit: &'static str,
	/// What it should be, or how to read it, or why there is none.
	pub(crate) note: String,
}

impl Figure {
	/// One that the process that works on the device says.
	pub(crate) fn from_json(value: &Value) -> Option<Self> {
		let units = ["TFLOP/s", "TOP/s", "GB/s", "ms", "%"];
		let unit = value.get("unit")?.as_str()?;
		Some(Self {
			what: value.get("what")?.as_str()?.to_owned(),
			value: value.get("value")?.as_f64(),
			unit: units.into_iter().find(|known| *known == unit).unwrap_or(""),
			note: value.get("note")?.as_str()?.to_owned(),
		})
	}
}

/// Everything that was found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
	pub(crate) device: Option<DeviceInfo>,
	checks: Vec<Check>,
	figures: Vec<Figure>,
	/// Stages that were not done, or could not be measured, and why.
	missing: Vec<(String, String)>,
	failure: Option<(&'static str, String)>,
	stamp: String,
	commit: String,
	quick: bool,
}

impl Report {
	/// Of nothing yet.
	pub(crate) fn new(options: &Options) -> Self {
		let (stamp, commit) = (options.stamp.clone(), options.commit.clone());
		Self { stamp, commit, quick: options.quick, ..Self::default() }
	}

	/// A stage was done, and what it checks is equal.
	pub(crate) fn done(&mut self, stage: &Stage, what: String, seconds: f64) {
		if stage.work.is_check() {
			let colon = if what.is_empty() { "" } else { ": " };
			println!("ok      {}{colon}{what} ({seconds:.1} s)", stage.name);
			self.checks.push(Check { name: stage.name.clone(), outcome: Ok(what), seconds });
		}
	}

	/// A stage failed: bits differ, or it could not be done.
	pub(crate) fn failed_stage(&mut self, stage: &Stage, what: String, seconds: f64) {
		if stage.work.is_check() {
			println!("DIFFERS {}: {what}", stage.name);
			self.checks.push(Check { name: stage.name.clone(), outcome: Err(what), seconds });
		} else {
			println!("FAILED  {}: {what}", stage.name);
			self.missing.push((stage.name.clone(), what));
		}
	}

	/// A stage was not done.
	pub(crate) fn not_run(&mut self, stage: &Stage, why: &str) {
		println!("NOT RUN {}: {why}", stage.name);
		self.missing.push((stage.name.clone(), why.to_owned()));
	}

	/// How it ended, once every stage was done or given up.
	pub(crate) fn verdict(&self) -> Result<(), Error> {
		match (self.differing(), self.missing.first()) {
			(0, None) => Ok(()),
			(0, Some((name, why))) => Err(Error::Missing(self.missing.len(), format!("{name}: {why}"))),
			(count, _) => Err(Error::Differs(count)),
		}
	}

	/// How many checks differ.
	fn differing(&self) -> usize {
		self.checks.iter().filter(|check| check.outcome.is_err()).count()
	}

	/// Keeps a figure, and says it.
	pub(crate) fn figure(&mut self, figure: Figure) {
		println!("measured {}: {} {}", figure.what, shown(figure.value), figure.unit);
		self.figures.push(figure);
	}

	/// Why it ended early.
	pub(crate) fn failed(&mut self, error: &Error) {
		self.failure = Some((error.code(), error.to_string()));
	}

	/// Writes what the options ask for.
	pub(crate) fn write(&self, options: &Options) -> Result<(), Error> {
		if let Some(path) = &options.report {
			let failed = |error: std::io::Error| unwritten(path, &error);
			let mut text = match fs::read_to_string(path) {
				Ok(text) => text,
				Err(error) if error.kind() == std::io::ErrorKind::NotFound => TITLE.to_owned(),
				Err(error) => return Err(failed(error)),
			};
			text.push_str(&self.markdown());
			fs::write(path, text).map_err(failed)?;
			println!("written to {}", path.display());
		}
		self.write_json(options)
	}

	/// Writes the object, if the options ask for it.
	pub(crate) fn write_json(&self, options: &Options) -> Result<(), Error> {
		let Some(path) = &options.json else { return Ok(()) };
		fs::write(path, format!("{:#}\n", self.json())).map_err(|error| unwritten(path, &error))
	}

	/// One section per run.
	fn markdown(&self) -> String {
		let mut text = String::new();
		let Some(info) = &self.device else { return text };
		let (major, minor) = info.capability;
		let _ = write!(text, "\n## {}, compute capability {major}.{minor}\n\n", info.name);
		let _ = writeln!(
			text,
			"Commit {}, {}. {} processors, {:.1} GiB, driver for CUDA {}.{}. {} checks, every one equal.",
			self.commit,
			self.stamp,
			info.multiprocessors,
			info.memory as f64 / f64::from(1u32 << 30),
			info.driver / 1000,
			info.driver % 1000 / 10,
			self.checks.len(),
		);
		if self.quick {
			text.push_str(
				"\nA quick run, of a small part of the checks on small shapes: it proves and measures nothing.\n",
			);
		}
		text.push_str("\n| check | compared | s |\n| --- | --- | --- |\n");
		for Check { name, outcome, seconds } in &self.checks {
			let what = outcome.as_ref().unwrap_or_else(|what| what);
			let _ = writeln!(text, "| {} | {} | {seconds:.1} |", cell(name), cell(what));
		}
		if !self.figures.is_empty() {
			text.push_str("\n| what | measured | |\n| --- | --- | --- |\n");
		}
		for Figure { what, value, unit, note } in &self.figures {
			let _ = writeln!(text, "| {} | {} {unit} | {} |", cell(what), shown(*value), cell(note));
		}
		text
	}

	fn json(&self) -> Value {
		let device = self.device.as_ref().map(|info| {
			json!({
				"ordinal": info.ordinal,
				"name": info.name,
				"capability": format!("{}.{}", info.capability.0, info.capability.1),
				"memory_bytes": info.memory,
				"multiprocessors": info.multiprocessors,
				"driver": info.driver,
			})
		});
		let check = |check: &Check| {
			json!({
				"name": check.name,
				"equal": check.outcome.is_ok(),
				"detail": check.outcome.as_ref().unwrap_or_else(|what| what),
				"seconds": check.seconds,
			})
		};
		let figure = |figure: &Figure| json!({ "what": figure.what, "value": figure.value, "unit": figure.unit, "note": figure.note });
		json!({
			"usable": device.is_some(),
			"device": device,
			"quick": self.quick,
			"checks": self.checks.iter().map(check).collect::<Vec<_>>(),
			"figures": self.figures.iter().map(figure).collect::<Vec<_>>(),
			"missing": self.missing.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect::<Vec<_>>(),
			"failure": self.failure.as_ref().map(|(code, message)| json!({ "code": code, "message": message })),
			"stamp": self.stamp,
			"commit": self.commit,
		})
	}
}

/// What a new file begins with.
const TITLE: &str =
	"# CUDA\n\nWritten by `scripts/gpu-check`. Times are of the fastest of several runs, each waited for, launches \
	included. Figures are written only if every check was equal.\n";

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
	Error::Write { path: path.display().to_string(), reason: error.to_string() }
}

fn shown(value: Option<f64>) -> String {
	value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

/// Text of a cell: no row ends in it.
fn cell(text: &str) -> String {
	text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
	use core::time::Duration;

	use super::*;
	use crate::stage::Work;

	fn stage(name: &str, work: Work) -> Stage {
		Stage { name: name.into(), work, limit: Duration::ZERO }
	}

	fn report() -> Report {
		let mut report = Report { stamp: "today".into(), commit: "abc".into(), ..Report::default() };
		report.device = Some(DeviceInfo {
			ordinal: 1,
			name: "Card".into(),
			capability: (9, 0),
			memory: 80 << 30,
			multiprocessors: 132,
			driver: 12040,
		});
		report.done(&stage("products", Work::Daemon), "4 | 5".into(), 0.0);
		let note = "no libcublas".to_owned();
		report.figure(Figure { what: "SGEMM".into(), value: None, unit: "TFLOP/s", note });
		report.figure(Figure { what: "A B".into(), value: Some(41.25), unit: "TFLOP/s", note: String::new() });
		report
	}

	#[test]
	fn a_report_is_appended() {
		let folder = tempfile::tempdir().expect("a folder");
		let options = Options { report: Some(folder.path().join("r.md")), ..Options::default() };
		report().write(&options).expect("written");
		report().write(&options).expect("written");
		let text = fs::read_to_string(folder.path().join("r.md")).expect("there");
		assert_eq!((text.matches("# CUDA\n").count(), text.matches("## Card, compute capability 9.0").count()), (1, 2));
		for line in [
			"Commit abc, today. 132 processors, 80.0 GiB, driver for CUDA 12.4. 1 checks, every one equal.",
			"| products | 4 \\| 5 | 0.0 |",
			"| SGEMM | - TFLOP/s | no libcublas |",
			"| A B | 41.250 TFLOP/s |  |",
		] {
			assert_eq!(text.matches(line).count(), 2, "{line}\n{text}");
		}
		let nowhere = Options { report: Some(folder.path().join("none/r.md")), ..Options::default() };
		assert_eq!(report().write(&nowhere).expect_err("no folder").exit(), 4);
	}

	#[test]
	fn the_object_tells_how_it_ended() {
		let mut report = report();
		assert!(report.json()["failure"].is_null() && report.json()["usable"] == true);
		report.not_run(&stage("training", Work::Memory), "no time");
		assert!(matches!(report.verdict(), Err(Error::Missing(1, _))));
		report.failed_stage(&stage("sums", Work::Daemon), "element 5".into(), 1.5);
		assert!(matches!(report.verdict(), Err(Error::Differs(1))));
		report.failed(&Error::Differs(1));
		let value = report.json();
		assert_eq!(
			value["checks"][1],
			json!({
				"name": "sums", "equal": false, "detail": "element 5", "seconds": value["checks"][1]["seconds"],
			})
		);
		assert_eq!(value["failure"]["code"], "differs");
		assert_eq!(value["missing"], json!([{ "name": "training", "why": "no time" }]));
		assert_eq!(value["figures"][0]["value"], Value::Null);
		let mut nothing = Report::default();
		nothing.failed(&Error::Device(assay_cuda::CudaError::NoDevice { ordinal: 3, count: 1 }));
		assert_eq!((nothing.json()["usable"].clone(), nothing.json()["device"].clone()), (json!(false), Value::Null));
		assert!(nothing.json()["failure"]["message"].as_str().is_some_and(|text| text.contains("no CUDA device 3")));
	}
}
