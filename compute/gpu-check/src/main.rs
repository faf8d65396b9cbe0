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
mod time;

use std::{process::ExitCode, sync::Arc};

use assay_device::{describe, Cuda, Platform};
use assay_engine::{Cpu, Path};
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

/// Everything, in the order in which it makes sense: nothing is measured on a device that computes other bits.
fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
	let listed = Cuda.devices()?;
	let count = listed.len() as u32;
	let device = listed.into_iter().find(|device| device.info.ordinal == options.device);
	let device = device.ok_or(assay_cuda::CudaError::NoDevice { ordinal: options.device, count })?;
	if let Some(refused) = device.refused {
		return Err(refused.into());
	}
	println!("{}", describe(&device.info));
	let opened = Cuda.open(&device.info)?;
	report.device = Some(device.info);
	let cpu = Arc::new(Cpu::new(Path::Auto, 0).map_err(|error| Error::Cpu(error.to_string()))?);
	check::all(&opened, &cpu, options, report)?;
	if !options.measure {
		return Ok(());
	}
	measure::all(&opened, &cpu, options, report)
}
