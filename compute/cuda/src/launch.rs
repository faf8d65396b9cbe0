//! Work for a device: kernels by name, grids, arguments.

/// What of the device decides how work is cut up. It never changes a bit of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
	/// Processors that run thread blocks, at least 1.
	pub multiprocessors: u32,
	/// Whether they multiply tiles of 8-bit integers: tensor cores of compute capability 8.0 or newer.
	pub int8_tiles: bool,
}

/// An argument of a kernel before memory has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
	/// Elements of input number so much.
	Input(u8),
	/// Elements of the output.
	Output,
	/// Scratch memory number so much.
	Scratch(u8),
	/// The word that a kernel sets when an output element is infinite or NaN.
	Flag,
	/// The step's number, two words.
	Step,
	/// No memory.
	Null,
	/// A number of 4 bytes.
	U32(u32),
	/// A number of 8 bytes.
	U64(u64),
}

/// A kernel to launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
	/// Name of the kernel.
	pub kernel: &'static str,
	/// Blocks.
	pub grid: [u32; 3],
	/// Threads of a block.
	pub block: [u32; 3],
	/// Arguments in order.
	pub args: Vec<Arg>,
}

/// What an op comes down to: launches in order, and the scratch memory between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
	/// Launches, one after another.
	pub launches: Vec<Launch>,
	/// Words of each scratch memory. Their content at the start does not matter.
	pub scratch: Vec<u64>,
}

/// An argument that a device can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
	/// Address on the device.
	Address(u64),
	/// A number of 4 bytes.
	U32(u32),
	/// A number of 8 bytes.
	U64(u64),
}

/// One piece of work in the order of a device's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
	/// Launch a kernel.
	Launch {
		/// Name of the kernel.
		kernel: &'static str,
		/// Blocks.
		grid: [u32; 3],
		/// Threads of a block.
		block: [u32; 3],
		/// Arguments in order.
		args: Vec<Value>,
	},
	/// Copy between device memories that do not overlap.
	Copy {
		/// Address read.
		from: u64,
		/// Address written.
		to: u64,
		/// Words of 4 bytes.
		words: u64,
	},
	/// Set words to zero.
	Clear {
		/// Address written.
		to: u64,
		/// Words of 4 bytes.
		words: u64,
	},
}

/// Addresses of what an op's arguments name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses<'a> {
	/// Elements of each input; 0 for a scalar.
	pub(crate) inputs: &'a [u64],
	pub(crate) output: u64,
	pub(crate) scratch: &'a [u64],
	pub(crate) flag: u64,
	pub(crate) step: u64,
}

impl Launch {
	/// The launch with addresses. An argument that names what is not there becomes address 0.
	pub(crate) fn bind(&self, at: &Addresses<'_>) -> Work {
		let of = |list: &[u64], index: u8| Value::Address(list.get(usize::from(index)).copied().unwrap_or(0));
		let value = |arg: &Arg| match *arg {
			Arg::Input(index) => of(at.inputs, index),
			Arg::Scratch(index) => of(at.scratch, index),
			Arg::Output => Value::Address(at.output),
			Arg::Flag => Value::Address(at.flag),
			Arg::Step => Value::Address(at.step),
			Arg::Null => Value::Address(0),
			Arg::U32(word) => Value::U32(word),
			Arg::U64(word) => Value::U64(word),
		};
		Work::Launch {
			kernel: self.kernel,
			grid: self.grid,
			block: self.block,
			args: self.args.iter().map(value).collect(),
		}
	}
}
