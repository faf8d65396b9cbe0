//! Checks a GPU bit by bit against the referee and the CPU, then measures it. `scripts/gpu-check` runs it.

mod check;
#[path = "../../cuda/conformance/mod.rs"]
mod conformance;
mod cublas;
mod error;
mod measure;
mod model;
mod options;
mod report;
mod stage;
mod supervise;
mod time;
mod worker;

use std::process::ExitCode;

use assay_device::{describe, Cuda, Platform};
use error::Error;
use options::{Options, USAGE};
use report::Report;

fn main() -> ExitCode {
	let options = match Options::parse(std::env::args().skip(1)) {
		Ok(Some(options)) => options,
		Ok(None) => {
			println!("{USAGE}");
			return ExitCode::SUCCESS;
		}
		Err(error) => {
			eprintln!("gpu-check: {error}; see --help");
			return ExitCode::from(2);
		}
	};
	if let Some(from) = options.worker {
		return worker::run(&options, from).map_or_else(|error| ExitCode::from(error.exit()), |()| ExitCode::SUCCESS);
	}
	let mut report = Report::new(&options);
	let outcome = run(&options, &mut report);
	if let Err(error) = &outcome {
		report.failed(error);
	}
	match outcome.and_then(|()| report.write(&options)) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			// The object tells of every end.
			let _ = report.write_json(&options);
			eprintln!("gpu-check: {error}");
			ExitCode::from(error.exit())
		}
	}
}

/// Everything, whatever of it fails.
fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
	let listed = Cuda.devices()?;
	let count = listed.len() as u32;
	let device = listed.into_iter().find(|device| device.info.ordinal == options.device);
	let device = device.ok_or(assay_cuda::CudaError::NoDevice { ordinal: options.device, count })?;
	if let Some(refused) = device.refused {
		return Err(refused.into());
	}
	println!("{}", describe(&device.info));
	report.device = Some(device.info);
	let arguments: Vec<String> = std::env::args().skip(1).collect();
	supervise::all(options, &arguments, report)?;
	report.verdict()
}
