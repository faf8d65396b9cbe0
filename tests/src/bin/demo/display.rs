//! What is shown while the demo runs.

use anyhow::Result;
use assay_agent::{keys::Keypair, Snapshot};
use assay_cli::history::Entry;
use std::time::Instant;

/// Fewest characters of a hexadecimal word that is shortened.
const LONG: usize = 32;

/// Prints with the time since the start, and names instead of addresses.
pub(crate) struct Screen {
	started: Instant,
	names: Vec<(String, String)>,
	processes: Vec<(String, String)>,
}

impl Screen {
	pub(crate) fn new(started: Instant) -> Self {
		Self { started, names: Vec::new(), processes: Vec::new() }
	}

	/// Shows the account and the process of `key` as `name`.
	pub(crate) fn name(&mut self, key: &str, name: &str) -> Result<()> {
		self.names.push((Keypair::from_uri(key)?.address(), name.into()));
		self.processes.push((assay_tests::network::process_name(key), name.into()));
		Ok(())
	}

	pub(crate) fn title(&self, text: &str) {
		println!("\n== {text}");
	}

	pub(crate) fn say(&self, text: &str) {
		for line in text.lines() {
			println!("{:5.1} s           {line}", self.started.elapsed().as_secs_f32());
		}
	}

	/// Shows what happened in a block.
	pub(crate) fn block(&self, snapshot: &Snapshot, entries: &[Entry]) {
		for entry in entries {
			let text = self.named(&entry.event.to_string());
			println!("{:5.1} s  #{:<6}  {text}", self.started.elapsed().as_secs_f32(), snapshot.number());
		}
	}

	/// Shows the lines of a process's log that tell about work.
	pub(crate) fn log(&self, process: &str, lines: &[String]) {
		let name = self.processes.iter().find(|(known, _)| known == process).map_or(process, |(_, name)| name);
		for line in lines {
			let segment = field(line, "segment").unwrap_or_default();
			let text = if line.contains("segment executed") {
				format!("executed segment {segment} in {} ms", field(line, "milliseconds").unwrap_or_default())
			} else if line.contains("segment re-executed") {
				format!("re-executed segment {segment}")
			} else if line.contains("resuming from the last verified milestone") {
				format!("fetched the verified state and goes on with segment {segment}")
			} else {
				continue;
			};
			println!("{:5.1} s           {name} {text}", self.started.elapsed().as_secs_f32());
		}
	}

	fn named(&self, text: &str) -> String {
		let mut text = text.to_string();
		for (address, name) in &self.names {
			text = text.replace(address, name);
		}
		text.split(' ').map(short).collect::<Vec<_>>().join(" ")
	}
}

/// A long hexadecimal word by its beginning; other words as they are.
pub(crate) fn short(word: &str) -> String {
	let digits = word.trim_end_matches([',', '.']);
	match digits.len() >= LONG && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
		true => format!("{}…{}", &digits[..8], &word[digits.len()..]),
		false => word.into(),
	}
}

/// The value of `name=value` in a log line.
fn field(line: &str, name: &str) -> Option<String> {
	let start = line.find(&format!(" {name}="))? + name.len() + 2;
	Some(line[start..].split_whitespace().next()?.to_string())
}
