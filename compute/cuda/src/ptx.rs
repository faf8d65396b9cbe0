//! The kernels as shipped: PTX for compute capability 6.1, and for 8.0 what needs tensor cores, written by `scripts/ptx`.

/// A module of kernels.
#[derive(Clone, Copy, Debug)]
pub struct Module {
	/// Name of the file without its ending.
	pub name: &'static str,
	/// PTX text.
	pub ptx: &'static str,
}

macro_rules! modules {
	($($name:literal)*) => {
		&[$(Module { name: $name, ptx: include_str!(concat!("../ptx/", $name, ".ptx")) }),*]
	};
}

/// Every module.
pub const MODULES: &[Module] = modules![
	"chain" "elementwise" "hadamard" "mask" "matmul" "matmul_i8" "mma_i8" "pack" "quantise" "rearrange" "reduce" "root"
	"rows" "sample" "scatter" "window"
];

impl Module {
	/// Names of the kernels.
	pub fn kernels(&self) -> impl Iterator<Item = &'static str> {
		self.ptx.lines().filter_map(|line| line.strip_prefix(".visible .entry ")?.strip_suffix('('))
	}

	/// Compute capability of the oldest device that runs the module.
	pub fn needs_capability(&self) -> Option<(u32, u32)> {
		let target = self.ptx.lines().find_map(|line| line.strip_prefix(".target sm_"))?;
		let number: u32 = target.trim().parse().ok()?;
		Some((number / 10, number % 10))
	}

	/// CUDA version of the oldest driver that loads the module, 1000 * major + 10 * minor, by the version of its PTX.
	///
	/// PTX 8.0 to 8.9 came with CUDA 12.0 to 12.9, so far.
	pub fn needs_driver(&self) -> Option<u32> {
		let version = self.ptx.lines().find_map(|line| line.strip_prefix(".version "))?;
		let (major, minor) = version.trim().split_once('.')?;
		let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
		Some((major + 4) * 1000 + minor * 10)
	}
}
