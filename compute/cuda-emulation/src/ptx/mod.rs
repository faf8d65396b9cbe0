//! The PTX as shipped, instruction by instruction, with softfloat for its floats.
//!
//! It knows the part of PTX that the kernels use, on one device of one order of turns, and answers what the C++ emulation
//! cannot: whether what NVRTC made of the kernels still computes the right bits. Addresses are checked at every access:
//! inside a living buffer or the block's shared memory, and aligned to the width of the access. Registers and shared memory
//! begin with a pattern.

mod arithmetic;
mod instruction;
mod parse;
mod run;

use std::{collections::BTreeMap, sync::OnceLock};

use assay_cuda::MODULES;

use crate::EmulationError;
use instruction::Kernel;

pub(crate) use run::{launch, Access, Call, Fault};

/// Every kernel of the shipped modules, or why one cannot be read.
fn kernels() -> Result<&'static BTreeMap<String, Kernel>, EmulationError> {
	static KERNELS: OnceLock<Result<BTreeMap<String, Kernel>, EmulationError>> = OnceLock::new();
	let all = KERNELS.get_or_init(|| {
		let mut kernels = BTreeMap::new();
		for module in MODULES {
			let parsed = parse::module(module.ptx).map_err(|(line, text)| EmulationError::Ptx {
				module: module.name,
				line,
				text,
			})?;
			kernels.extend(parsed);
		}
		Ok(kernels)
	});
	all.as_ref().map_err(Clone::clone)
}
