//! The other side of a comparison.

use std::{
	io::{BufRead, BufReader, Write},
	path::Path,
	process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A Python process that runs the same thing in another library; see `tools/compare/peer.py`.
pub(crate) struct Peer {
	process: Child,
	asked: ChildStdin,
	answers: BufReader<ChildStdout>,
	/// What it runs on, such as `torch-2.15.0`.
	pub(crate) version: String,
}

impl Peer {
	/// `None`, after saying why, where ASSAY_PYTHON names no Python that has the library.
	pub(crate) fn start(kind: &str, settings: &[(&str, u32)]) -> Option<Self> {
		let Ok(python) = std::env::var("ASSAY_PYTHON") else {
			eprintln!("no comparison: ASSAY_PYTHON names no Python with torch and onnxruntime");
			return None;
		};
		let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/compare/peer.py");
		let threads = settings.iter().find(|(name, _)| *name == "threads").map_or(1, |(_, threads)| *threads);
		let mut process = Command::new(python)
			.arg(script)
			.arg(kind)
			.args(settings.iter().map(|(name, value)| format!("{name}={value}")))
			.env("OMP_NUM_THREADS", threads.to_string())
			.env("MKL_NUM_THREADS", threads.to_string())
			// Between two runs it must not spin on a processor that we are being measured on.
			.env("OMP_WAIT_POLICY", "passive")
			.env("KMP_BLOCKTIME", "0")
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.map_err(|error| eprintln!("no comparison: {error}"))
			.ok()?;
		let (asked, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
		let mut peer = Self { process, asked, answers, version: String::new() };
		match peer.line().and_then(|line| Some(line.strip_prefix("ready ")?.trim().to_string())) {
			Some(version) => peer.version = version,
			None => {
				eprintln!("no comparison: the library for `{kind}` is missing or cannot run it");
				return None;
			}
		}
		Some(peer)
	}

	/// Seconds of one run.
	pub(crate) fn run(&mut self) -> Option<f64> {
		self.asked.write_all(b"run\n").ok()?;
		self.line()?.trim().parse().ok()
	}

	fn line(&mut self) -> Option<String> {
		let mut line = String::new();
		(self.answers.read_line(&mut line).ok()? > 0).then_some(line)
	}
}

impl Drop for Peer {
	fn drop(&mut self) {
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
}
