//! What a daemon computes on: the CPU, or a GPU that was seen to give the CPU's bits.
//!
//! [`choose()`] turns what the operator asked for, a [`DeviceChoice`], into a [`Compute`]. A CUDA device is opened, and computes
//! every kind of op, hashes and trains beside the CPU ([`conformance()`]) before it is taken; it is refused if one bit differs.
//!
//! | asked for | taken | else |
//! |---|---|---|
//! | `auto` | the first CUDA device that conforms | the CPU; [`Chosen::why`] says why |
//! | `cpu` | the CPU | |
//! | `cuda` | the first CUDA device that conforms | [`DeviceError`] |
//! | `cuda:N` | that one | [`DeviceError`] |
//!
//! [`Compute::accelerate`] puts a job's program on the device. Where that fails, for one because its memory does not suffice, the
//! CPU runs the job, and the caller tells so. [`run()`] runs steps, and starts again on the CPU if the device fails on the way.
//!
//! ```
//! use std::sync::Arc;
//! use assay_device::{choose, Cuda, DeviceChoice};
//! use assay_engine::{Cpu, Path};
//!
//! let cpu = Arc::new(Cpu::new(Path::Auto, 1)?);
//! let chosen = choose("cpu".parse()?, cpu, &Cuda)?;
//! assert_eq!(chosen.why, "computing on the CPU, as asked for");
//! assert_eq!("cuda:1".parse(), Ok(DeviceChoice::Cuda(Some(1))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod choose;
mod compute;
mod conformance;
mod platform;
mod run;

pub use assay_cuda::{CudaError, DeviceInfo, Listed};
pub use choice::{DeviceChoice, NoSuchChoice};
pub use choose::{choose, Chosen, DeviceError, Refused};
pub use compute::Compute;
pub use conformance::{answer, conformance, fuzz, Difference, Fuzzed};
pub use platform::{describe, Cuda, Platform};
pub use run::{run, run_observed};
