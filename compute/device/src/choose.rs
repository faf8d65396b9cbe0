//! From what the operator asked for to what is used.

use std::sync::Arc;

use assay_cuda::{CudaError, Listed};
use assay_engine::{Accelerator, Cpu};

use crate::{
	conformance::{conformance, Difference},
	platform::{describe, Platform},
	Compute, DeviceChoice,
};

/// What is computed on, and why.
#[derive(Clone, Debug)]
pub struct Chosen {
	/// What to compute with.
	pub compute: Compute,
	/// One line for the log.
	pub why: String,
	/// Devices that were looked at and not taken.
	pub refused: Vec<Refused>,
}

/// A device that is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
	/// It cannot be used.
	#[error("CUDA device {ordinal}: {source}")]
	Unusable {
		/// Its number.
		ordinal: u32,
		/// Why.
		source: CudaError,
	},
	/// It computes other bits than the CPU.
	#[error("CUDA device {ordinal} does not compute the right bits: {difference}; stop overclocking it, test its memory, update the driver, then run scripts/gpu-check")]
	NotConforming {
		/// Its number.
		ordinal: u32,
		/// What differs.
		difference: Difference,
	},
}

/// Why there is nothing to compute on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
	/// There is no CUDA device at all.
	#[error("no CUDA device as asked for: {0}; `--device cpu` computes on the CPU")]
	None(CudaError),
	/// None of those there are can be used.
	#[error("no usable CUDA device: {}; `--device cpu` computes on the CPU", list(.0))]
	Refused(Vec<Refused>),
}

fn list(refused: &[Refused]) -> String {
	refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Finds what was asked for. Takes seconds where a device is looked at.
///
/// # Errors
/// [`DeviceError`] if a CUDA device was asked for and none can be used; never for [`DeviceChoice::Auto`] and
/// [`DeviceChoice::Cpu`].
pub fn choose<P: Platform>(choice: DeviceChoice, cpu: Arc<Cpu>, platform: &P) -> Result<Chosen, DeviceError> {
	let on_cpu = |why: String, refused| Chosen { compute: Compute::on_cpu(cpu.clone()), why, refused };
	let wanted = match choice {
		DeviceChoice::Cpu => return Ok(on_cpu("computing on the CPU, as asked for".into(), Vec::new())),
		DeviceChoice::Cuda(Some(ordinal)) => Some(ordinal),
		DeviceChoice::Auto | DeviceChoice::Cuda(None) => None,
	};
	let listed = platform.devices().and_then(|listed| match wanted {
		Some(ordinal) => {
			let count = listed.len() as u32;
			let found = listed.into_iter().find(|listed| listed.info.ordinal == ordinal);
			found.map(|found| vec![found]).ok_or(CudaError::NoDevice { ordinal, count })
		}
		None => Ok(listed),
	});
	let listed = match listed {
		Ok(listed) => listed,
		Err(error) if choice == DeviceChoice::Auto => {
			return Ok(on_cpu(format!("computing on the CPU: {error}"), Vec::new()));
		}
		Err(error) => return Err(DeviceError::None(error)),
	};
	let mut refused = Vec::new();
	for device in listed {
		match take(platform, &device, &cpu) {
			Ok(accelerator) => {
				let why = format!("computing on {}: every check equals the CPU", describe(&device.info));
				return Ok(Chosen { compute: Compute::on_device(cpu, accelerator), why, refused });
			}
			Err(reason) => refused.push(reason),
		}
	}
	match choice {
		DeviceChoice::Auto => Ok(on_cpu(format!("computing on the CPU: {}", list(&refused)), refused)),
		_ => Err(DeviceError::Refused(refused)),
	}
}

/// Opens a device and looks at it.
fn take<P: Platform>(platform: &P, device: &Listed, cpu: &Arc<Cpu>) -> Result<Arc<dyn Accelerator>, Refused> {
	let ordinal = device.info.ordinal;
	let unusable = |source| Refused::Unusable { ordinal, source };
	if let Some(reason) = &device.refused {
		return Err(unusable(reason.clone()));
	}
	let opened = platform.open(&device.info).map_err(unusable)?;
	conformance(&opened, cpu).map_err(|difference| Refused::NotConforming { ordinal, difference })?;
	Ok(Arc::new(opened))
}
