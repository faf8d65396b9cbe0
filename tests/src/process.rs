//! A child process with a log file, killed when dropped.

use anyhow::{Context, Result};
use rustix::process::{kill_process, Pid, Signal};
use std::{
	fs::{File, OpenOptions},
	io::{Read, Seek, SeekFrom},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	time::{Duration, Instant},
};

/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// A running or ended process. Its output goes to a log file that survives restarts.
pub struct Process {
	name: String,
	program: PathBuf,
	arguments: Vec<String>,
	log: PathBuf,
	read: u64,
	child: Child,
}

impl Process {
	/// Starts `program` with its output appended to `log`.
	///
	/// # Errors
	/// When the program or the log cannot be opened.
	pub fn start(name: &str, program: &Path, arguments: Vec<String>, log: PathBuf) -> Result<Self> {
		let child = spawn(program, &arguments, &log)?;
		Ok(Self { name: name.into(), program: program.into(), arguments, log, read: 0, child })
	}

	/// Its name in messages.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Where its output goes.
	pub fn log(&self) -> &Path {
		&self.log
	}

	/// Starts it again after its end, with other arguments if given.
	///
	/// # Errors
	/// As [`Process::start`].
	pub fn restart(&mut self, arguments: Option<Vec<String>>) -> Result<()> {
		self.end()?;
		self.arguments = arguments.unwrap_or_else(|| self.arguments.clone());
		self.child = spawn(&self.program, &self.arguments, &self.log)?;
		Ok(())
	}

	/// Kills it at once, as `kill -9` does, and waits for its end.
	///
	/// # Errors
	/// When the system refuses.
	pub fn kill(&mut self) -> Result<()> {
		self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
		self.child.wait()?;
		Ok(())
	}

	/// Asks it to end, and kills it when it does not.
	///
	/// # Errors
	/// When the system refuses.
	pub fn end(&mut self) -> Result<()> {
		if self.ended()?.is_some() {
			return Ok(());
		}
		if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
			kill_process(pid, Signal::TERM)?;
		}
		let until = Instant::now() + GRACE;
		while self.ended()?.is_none() {
			if Instant::now() > until {
				return self.kill();
			}
			std::thread::sleep(Duration::from_millis(20));
		}
		Ok(())
	}

	/// How it ended, if it did.
	///
	/// # Errors
	/// When the system refuses.
	pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
		Ok(self.child.try_wait()?)
	}

	/// Whole log lines since the last call.
	///
	/// # Errors
	/// When the log cannot be read.
	pub fn new_lines(&mut self) -> Result<Vec<String>> {
		let mut file = File::open(&self.log)?;
		file.seek(SeekFrom::Start(self.read))?;
		let mut bytes = Vec::new();
		file.read_to_end(&mut bytes)?;
		let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
		self.read += whole as u64;
		Ok(String::from_utf8_lossy(&bytes[..whole]).lines().map(Into::into).collect())
	}

	/// The whole log.
	///
	/// # Errors
	/// When the log cannot be read.
	pub fn output(&self) -> Result<String> {
		Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		// The process may have ended already; nothing is left to do then.
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

fn spawn(program: &Path, arguments: &[String], log: &Path) -> Result<Child> {
	let file = OpenOptions::new().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
	Command::new(program)
		.args(arguments)
		.env("NO_COLOR", "1")
		.stdin(Stdio::null())
		.stdout(file.try_clone()?)
		.stderr(file)
		.spawn()
		.with_context(|| format!("cannot start {}; build it first, see scripts/demo", program.display()))
}

/// The program `name`: the path in the environment variable, or built beside this test, or in the target directory.
pub fn program(name: &str, variable: &str) -> Result<PathBuf> {
	if let Some(path) = std::env::var_os(variable) {
		return Ok(path.into());
	}
	let mut candidates = Vec::new();
	if let Ok(own) = std::env::current_exe() {
		// A test runs in `deps`, a binary beside it.
		candidates.extend(own.ancestors().skip(1).take(2).map(|folder| folder.join(name)));
	}
	if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
		candidates.push(Path::new(&target).join("debug").join(name));
	}
	candidates.into_iter().find(|path| path.is_file()).with_context(|| {
		format!("{name} is not built: cargo build -p assay-node -p assay-cli --features assay-cli/adversary, or set {variable}")
	})
}
