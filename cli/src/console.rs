//! How results, events, progress and errors are written.

use assay_cli::Error;
use serde::Serialize;
use std::{
	fmt::Display,
	io::{IsTerminal, Write},
	sync::atomic::{AtomicBool, Ordering},
};

/// Form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
	/// For people.
	Text,
	/// For programs: one object per line.
	Json,
}

/// Writes results to standard output, everything else to standard error.
pub(crate) struct Console {
	output: Output,
	/// A progress line stands unfinished on the terminal.
	unfinished: AtomicBool,
}

impl Console {
	pub(crate) fn new(output: Output) -> Self {
		Self { output, unfinished: AtomicBool::new(false) }
	}

	/// A result or an event.
	pub(crate) fn show(&self, result: &(impl Serialize + Display)) {
		self.end_progress();
		let text = match self.output {
			Output::Text => result.to_string(),
			Output::Json => serde_json::to_string(result).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")),
		};
		// A reader that went away (`| head`) is no error of ours.
		let _ = writeln!(std::io::stdout(), "{text}");
	}

	/// What is going on, for people only.
	pub(crate) fn note(&self, text: impl Display) {
		self.end_progress();
		if self.output == Output::Text {
			let _ = writeln!(std::io::stderr(), "{text}");
		}
	}

	/// How far long work has come: one line that is overwritten, on a terminal only.
	pub(crate) fn progress(&self, text: impl Display) {
		let mut stderr = std::io::stderr();
		if self.output == Output::Text && stderr.is_terminal() {
			let _ = write!(stderr, "\r\x1b[2K{text}");
			let _ = stderr.flush();
			self.unfinished.store(true, Ordering::Relaxed);
		}
	}

	fn end_progress(&self) {
		if self.unfinished.swap(false, Ordering::Relaxed) {
			let _ = write!(std::io::stderr(), "\r\x1b[2K");
		}
	}

	pub(crate) fn error(&self, error: &Error) {
		self.end_progress();
		let text = match self.output {
			Output::Text => format!("error: {error}"),
			Output::Json => {
				serde_json::json!({"error": {"code": error.code(), "message": error.to_string()}}).to_string()
			}
		};
		let _ = writeln!(std::io::stderr(), "{text}");
	}
}

/// Logs to standard error: warnings only for commands, what the daemons do for daemons; `RUST_LOG` overrides.
pub(crate) fn start_logging(verbose: u8, output: Output, daemon: bool) {
	let level = match (verbose, daemon) {
		(0, false) => "warn",
		(0, true) => "warn,assay_agent=info,assay_worker=info,assay_verifier=info,assay=info",
		(1, false) => "warn,assay_agent=info,assay=info",
		(1, true) => "info,assay_agent=debug,assay_worker=debug,assay_verifier=debug,assay_p2p=debug",
		(_, _) => "debug",
	};
	let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
	let colours = std::io::stderr().is_terminal();
	let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
	match output {
		Output::Text => logs.with_target(false).init(),
		Output::Json => logs.json().init(),
	}
}
