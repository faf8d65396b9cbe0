//! The same work under the engine that executes the chain's runtime, configured as the node's executor configures it.

use std::path::Path;

use anyhow::{bail, Context, Result};
use wasmtime::{Config, Engine, Instance, Memory, Module, OptLevel, Store, TypedFunc, WasmParams};

use crate::time::fastest;

/// What a measured export returns when the work has no result.
const NONE: u64 = u64::MAX;

/// A running guest.
pub(crate) struct Guest {
	store: Store<()>,
	instance: Instance,
	memory: Memory,
}

impl Guest {
	/// Compiles and starts the module in `path`.
	pub(crate) fn load(path: &Path) -> Result<Self> {
		let mut config = Config::new();
		config.cranelift_opt_level(OptLevel::SpeedAndSize).cranelift_nan_canonicalization(false);
		let engine = Engine::new(&config)?;
		let module = Module::from_file(&engine, path).with_context(|| format!("{}", path.display()))?;
		let mut store = Store::new(&engine, ());
		let instance = Instance::new(&mut store, &module, &[])?;
		let memory = instance.get_memory(&mut store, "memory").context("the guest exports its memory")?;
		Ok(Self { store, instance, memory })
	}

	/// An export that prepares an input; gives its address.
	pub(crate) fn prepare<P: WasmParams>(&mut self, export: &str, params: P) -> Result<u32> {
		match self.function::<P, u32>(export)?.call(&mut self.store, params)? {
			0 => bail!("the guest's {export} found nothing"),
			address => Ok(address),
		}
	}

	/// Bytes in the guest's memory.
	pub(crate) fn place(&mut self, bytes: &[u8]) -> Result<u32> {
		let address = self.prepare("reserve", u32::try_from(bytes.len())?)?;
		self.memory.write(&mut self.store, address as usize, bytes)?;
		Ok(address)
	}

	/// Seconds of a measured export, and what it returns.
	pub(crate) fn measure<P: WasmParams + Copy>(&mut self, export: &str, params: P) -> Result<(f64, u64)> {
		let function = self.function::<P, u64>(export)?;
		let mut result = NONE;
		let seconds = fastest(|| {
			result = function.call(&mut self.store, params)?;
			anyhow::Ok(())
		})?;
		if result == NONE {
			bail!("the guest's {export} has no result");
		}
		Ok((seconds, result))
	}

	fn function<P: WasmParams, R: wasmtime::WasmResults>(&mut self, export: &str) -> Result<TypedFunc<P, R>> {
		self.instance.get_typed_func(&mut self.store, export).with_context(|| format!("the guest's {export}"))
	}
}
