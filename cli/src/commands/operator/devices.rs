//! `devices`.

use crate::console::Console;
use assay_cli::Error;
use assay_device::{choose, Cuda, DeviceChoice, Listed, Platform};
use assay_engine::{Cpu, Path};
use serde::Serialize;
use std::{fmt, sync::Arc};

/// List what jobs can be computed on, and why a device cannot be used.
#[derive(clap::Args)]
pub(crate) struct Devices {
	/// Also look at each device as `run` does before it takes one: every kind of op, roots, training runs. Takes seconds.
	#[arg(long)]
	check: bool,
}

#[derive(Serialize)]
struct Found {
	devices: Vec<Entry>,
	/// Why there is no CUDA device at all.
	reason: Option<String>,
}

#[derive(Serialize)]
struct Entry {
	/// What `run --device` takes it by.
	device: String,
	name: String,
	capability: Option<String>,
	memory_bytes: Option<u64>,
	multiprocessors: Option<u32>,
	/// CUDA version of the driver.
	driver: Option<String>,
	usable: bool,
	/// Whether it computes the CPU's bits, if that was looked at.
	conforms: Option<bool>,
	/// Why it is not used.
	reason: Option<String>,
}

impl Devices {
	pub(crate) async fn run(self, console: &Console) -> Result<(), Error> {
		if self.check {
			console.progress("computing");
		}
		let found = tokio::task::spawn_blocking(move || find(self.check)).await.map_err(|_| Error::Interrupted)?;
		console.show(&found);
		Ok(())
	}
}

fn find(check: bool) -> Found {
	let cpu = Cpu::new(Path::Auto, 0).map(Arc::new);
	let name =
		cpu.as_ref().map_or_else(ToString::to_string, |cpu| format!("{:?}, {} threads", cpu.path(), cpu.threads()));
	let mut devices = vec![Entry {
		device: "cpu".into(),
		name,
		capability: None,
		memory_bytes: None,
		multiprocessors: None,
		driver: None,
		usable: cpu.is_ok(),
		conforms: None,
		reason: None,
	}];
	match Cuda.devices() {
		Ok(listed) => {
			devices.extend(listed.iter().map(|device| entry(device, cpu.as_ref().ok().filter(|_| check))));
			Found { devices, reason: None }
		}
		Err(error) => Found { devices, reason: Some(error.to_string()) },
	}
}

fn entry(device: &Listed, check: Option<&Arc<Cpu>>) -> Entry {
	let info = &device.info;
	let choice = DeviceChoice::Cuda(Some(info.ordinal));
	let looked_at = check.filter(|_| device.refused.is_none()).map(|cpu| choose(choice, cpu.clone(), &Cuda).map(drop));
	let refused = device.refused.as_ref().map(ToString::to_string);
	let differs = looked_at.as_ref().and_then(|outcome| outcome.as_ref().err()).map(ToString::to_string);
	Entry {
		device: choice.to_string(),
		name: info.name.clone(),
		capability: Some(format!("{}.{}", info.capability.0, info.capability.1)),
		memory_bytes: Some(info.memory),
		multiprocessors: Some(info.multiprocessors),
		driver: Some(format!("{}.{}", info.driver / 1000, info.driver % 1000 / 10)),
		usable: refused.is_none() && differs.is_none(),
		conforms: looked_at.map(|outcome| outcome.is_ok()),
		reason: refused.or(differs),
	}
}

impl fmt::Display for Found {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for (index, entry) in self.devices.iter().enumerate() {
			let word = match (entry.usable, entry.conforms) {
				(true, Some(true)) => "pass",
				(true, _) => "found",
				(false, _) => "FAIL",
			};
			let end = if index == 0 { "" } else { "\n" };
			write!(f, "{end}{word:<6} {:<8} {}", entry.device, entry.name)?;
			if let (Some(capability), Some(bytes), Some(driver)) =
				(&entry.capability, entry.memory_bytes, &entry.driver)
			{
				let gib = bytes as f64 / f64::from(1u32 << 30);
				write!(f, ", compute capability {capability}, {gib:.1} GiB, driver for CUDA {driver}")?;
			}
			if let Some(reason) = &entry.reason {
				write!(f, ": {reason}")?;
			}
		}
		match &self.reason {
			Some(reason) => write!(f, "\nnone   cuda     {reason}"),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		assert_documented("devices", &find(false));
	}

	/// The CPU is always there, and where CUDA devices are not, the reason is.
	#[test]
	fn this_machine_is_listed() {
		let found = find(false);
		assert!(found.devices[0].device == "cpu" && found.devices[0].usable);
		assert_eq!(found.reason.is_some(), found.devices.len() == 1);
		assert_eq!(found.to_string().lines().count(), found.devices.len() + usize::from(found.reason.is_some()));
	}
}
