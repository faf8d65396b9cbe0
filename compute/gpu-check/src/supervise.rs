//! Stages in processes of their own: one that fails, hangs or takes its process down leaves the others.

use std::{
	io::{BufRead as _, BufReader},
	process::{Child, Command, Stdio},
	sync::mpsc::{channel, Receiver, RecvTimeoutError},
	time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
	error::Error,
	options::Options,
	report::{Figure, Report},
	stage::{stages, Stage},
};

/// How long a process may take to open the device, which includes the driver's compilation of the kernels.
const OPENING: Duration = Duration::from_secs(150);
/// The part of the time in which checks may begin: some is left to measure.
const CHECKING: f64 = 0.65;

/// Why a process was of no more use.
enum Ended {
	/// It has done all that was left, or stopped after a stage that failed.
	After(usize),
	/// It could not use the device.
	Unusable(Error),
}

/// All stages.
pub(crate) fn all(options: &Options, arguments: &[String], report: &mut Report) -> Result<(), Error> {
	let (all, started) = (stages(options), Instant::now());
	let mut next = 0;
	while next < all.len() {
		next = skipped(&all, next, options, started, report);
		if next == all.len() {
			break;
		}
		let mut child = Command::new(std::env::current_exe().map_err(|error| Error::Process(error.to_string()))?)
			.args(arguments)
			.args(["--worker", &next.to_string()])
			.stdin(Stdio::null())
			.stdout(Stdio::piped())
			.spawn()
			.map_err(|error| Error::Process(error.to_string()))?;
		let lines = lines_of(&mut child);
		let ended = follow(&lines, &all, next, options, started, report, &mut child);
		let _ = child.kill();
		let _ = child.wait();
		match ended {
			Ended::After(done) => next = done,
			Ended::Unusable(error) => return Err(error),
		}
	}
	Ok(())
}

/// The first stage from `next` on for which there is time; those before it are told.
fn skipped(all: &[Stage], mut next: usize, options: &Options, started: Instant, report: &mut Report) -> usize {
	while let Some(stage) = all.get(next).filter(|stage| !may_begin(stage, options, started)) {
		report.not_run(stage, "there was no time left: --minutes takes more, 0 as much as it needs");
		next += 1;
	}
	next
}

fn may_begin(stage: &Stage, options: &Options, started: Instant) -> bool {
	let share = if stage.work.is_check() && options.measure { CHECKING } else { 1.0 };
	options.budget().is_none_or(|budget| started.elapsed() < budget.mul_f64(share))
}

fn lines_of(child: &mut Child) -> Receiver<Value> {
	let (send, receive) = channel();
	if let Some(out) = child.stdout.take() {
		std::thread::spawn(move || {
			for line in BufReader::new(out).lines().map_while(Result::ok) {
				match serde_json::from_str(&line) {
					Ok(event) => {
						if send.send(event).is_err() {
							break;
						}
					}
					Err(_) => println!("{line}"),
				}
			}
		});
	}
	receive
}

/// Listens to a process that began with stage `from`.
fn follow(
	lines: &Receiver<Value>,
	all: &[Stage],
	from: usize,
	options: &Options,
	started: Instant,
	report: &mut Report,
	child: &mut Child,
) -> Ended {
	let (mut current, mut begun, mut until) = (from, false, Instant::now() + OPENING);
	loop {
		let event = lines.recv_timeout(until.saturating_duration_since(Instant::now()));
		let Some(stage) = all.get(current) else { return Ended::After(current) };
		let event = match event {
			Ok(event) => event,
			Err(RecvTimeoutError::Timeout) => {
				let what = if begun { "it did not end" } else { "the device did not open" };
				let seconds = if begun { stage.limit } else { OPENING }.as_secs();
				report.failed_stage(stage, format!("{what} within {seconds} s"), seconds as f64);
				return Ended::After(current + 1);
			}
			Err(RecvTimeoutError::Disconnected) => {
				let status = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
				report.failed_stage(stage, format!("its process ended: {status}"), 0.0);
				return Ended::After(current + 1);
			}
		};
		if let Some(refused) = event.get("unusable") {
			return Ended::Unusable(Error::Worker {
				exit: refused["exit"].as_u64().and_then(|exit| u8::try_from(exit).ok()).unwrap_or(4),
				code: if refused["code"] == "no_device" { "no_device" } else { "no_cpu" },
				message: refused["message"].as_str().unwrap_or_default().to_owned(),
			});
		}
		if event.get("began").is_some() {
			if !may_begin(stage, options, started) {
				return Ended::After(current);
			}
			(begun, until) = (true, Instant::now() + stage.limit);
		}
		if let Some(figure) = event.get("figure").and_then(Figure::from_json) {
			report.figure(figure);
		}
		if event.get("ended").is_some() {
			let detail = event["detail"].as_str().unwrap_or_default().to_owned();
			let seconds = event["seconds"].as_f64().unwrap_or(0.0);
			current += 1;
			if event["equal"] != true {
				report.failed_stage(stage, detail, seconds);
				return Ended::After(current);
			}
			report.done(stage, detail, seconds);
			(begun, until) = (false, Instant::now() + OPENING);
		}
	}
}
