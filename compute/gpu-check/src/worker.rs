//! The process that works on the device: it does stages in their order and says what it finds, one JSON object a line.
//!
//! It ends at the first stage that fails, for the device may be of no use to a process after it.

use std::{
	io::Write as _,
	panic::{catch_unwind, AssertUnwindSafe},
	sync::Arc,
	time::Instant,
};

use assay_cuda::{CudaAccelerator, CudaError, Driver};
use assay_device::{describe, Cuda, Platform};
use assay_engine::{Cpu, Path};
use serde_json::{json, Value};

use crate::{
	check,
	error::Error,
	measure,
	options::Options,
	report::Figure,
	stage::{stages, Stage, Work},
};

/// What a stage works with.
pub(crate) struct Bench<'a> {
	pub(crate) device: CudaAccelerator,
	pub(crate) cpu: Arc<Cpu>,
	pub(crate) options: &'a Options,
	/// Why modules of kernels are not there.
	pub(crate) refused: Vec<CudaError>,
}

impl Bench<'_> {
	/// Says a figure.
	pub(crate) fn figure(&self, figure: Figure) {
		say(
			&json!({ "figure": { "what": figure.what, "value": figure.value, "unit": figure.unit, "note": figure.note } }),
		);
	}
}

fn say(event: &Value) {
	let mut out = std::io::stdout().lock();
	// Nobody is left to hear of a failure.
	let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

/// Does the stages from number `from` on.
pub(crate) fn run(options: &Options, from: usize) -> Result<(), Error> {
	let bench = match open(options) {
		Ok(bench) => bench,
		Err(error) => {
			say(&json!({ "unusable": { "exit": error.exit(), "code": error.code(), "message": error.to_string() } }));
			return Err(error);
		}
	};
	for (number, stage) in stages(options).into_iter().enumerate().skip(from) {
		say(&json!({ "began": number }));
		let started = Instant::now();
		let outcome = catch_unwind(AssertUnwindSafe(|| work(&bench, &stage))).unwrap_or_else(|panic| {
			let text = panic.downcast_ref::<String>().cloned();
			let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
			Err(format!("panicked: {}", text.unwrap_or_default()))
		});
		let (equal, detail) = match &outcome {
			Ok(what) => (true, what),
			Err(what) => (false, what),
		};
		say(&json!({ "ended": number, "equal": equal, "detail": detail, "seconds": started.elapsed().as_secs_f64() }));
		if outcome.is_err() {
			break;
		}
	}
	Ok(())
}

fn open(options: &Options) -> Result<Bench<'_>, Error> {
	let listed = Cuda.devices()?;
	let info = listed.into_iter().map(|listed| listed.info).find(|info| info.ordinal == options.device);
	let info = info.ok_or(CudaError::NoDevice { ordinal: options.device, count: 0 })?;
	let (driver, refused) = Driver::open_in_part(info.ordinal)?;
	let device = CudaAccelerator::new(describe(&info), driver)?;
	let cpu = Arc::new(Cpu::new(Path::Auto, 0).map_err(|error| Error::Cpu(error.to_string()))?);
	Ok(Bench { device, cpu, options, refused })
}

fn work(bench: &Bench<'_>, stage: &Stage) -> Result<String, String> {
	match stage.work {
		Work::Modules => match bench.refused.as_slice() {
			[] => Ok(String::new()),
			refused => Err(refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
		},
		Work::Suite(name) => check::suite(bench, name),
		Work::Daemon => check::daemon(bench),
		Work::Fuzz { scale, elements } => check::random_ops(bench, scale, elements),
		Work::Identity { lane, steps } => check::identity(bench, lane, steps),
		Work::Products => measure::products(bench).map_err(|error| error.to_string()),
		Work::ProductsI8 => measure::products_i8(bench).map_err(|error| error.to_string()),
		Work::Memory => measure::memory(bench).map_err(|error| error.to_string()),
		Work::Training(lane) => measure::training(bench, lane),
	}
}
