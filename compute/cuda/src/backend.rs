//! The backend: tensors on a device, ops run one at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_commitment::Hash;
use assay_program::{OpKind, OperandSpec, TensorSpec};

use crate::{
	bytes::{device_words, to_device, to_host},
	device::{Buffer, Device},
	launch::{Addresses, Arg, Lowered, Work},
	lower::{lower, lower_root},
	CudaError, OpError,
};

/// Words of a hash.
const ROOT_WORDS: usize = 8;

/// What ops that draw random numbers depend on.
#[derive(Clone, Copy, Debug)]
pub struct Context {
	/// The program's seed.
	pub seed: [u8; 32],
	/// The step, from 0.
	pub step: u64,
}

/// A matrix on the device, row-major.
#[derive(Debug)]
pub struct DeviceTensor<D: Device> {
	spec: TensorSpec,
	buffer: D::Buffer,
}

impl<D: Device> DeviceTensor<D> {
	/// Element type and shape.
	pub fn spec(&self) -> TensorSpec {
		self.spec
	}

	/// Where its elements are on the device.
	pub fn address(&self) -> u64 {
		self.buffer.address()
	}
}

/// One input of an op.
#[derive(Debug)]
pub enum Input<'a, D: Device> {
	/// A tensor.
	Tensor(&'a DeviceTensor<D>),
	/// The same f32 bits for every element.
	Scalar(u32),
}

/// Memory that every op uses in turn.
#[derive(Debug)]
struct Shared<B> {
	scratch: Vec<B>,
	flag: B,
	step: B,
	root: B,
}

/// Runs ops on a device. Ops of several threads run one after another.
#[derive(Debug)]
pub struct Backend<D: Device> {
	device: Arc<D>,
	shared: Mutex<Shared<D::Buffer>>,
}

impl<D: Device> Backend<D> {
	/// A backend on a device.
	pub fn on(device: D) -> Result<Self, CudaError> {
		let (flag, step, root) = (device.allocate(1)?, device.allocate(2)?, device.allocate(ROOT_WORDS as u64)?);
		let device = Arc::new(device);
		Ok(Self { device, shared: Mutex::new(Shared { scratch: Vec::new(), flag, step, root }) })
	}

	/// The device.
	pub fn device(&self) -> &D {
		&self.device
	}

	/// The device, to hold.
	pub(crate) fn shared_device(&self) -> Arc<D> {
		Arc::clone(&self.device)
	}

	/// A tensor with any content.
	pub fn allocate(&self, spec: TensorSpec) -> Result<DeviceTensor<D>, CudaError> {
		Ok(DeviceTensor { spec, buffer: self.device.allocate(device_words(spec))? })
	}

	/// A tensor with these row-major bits.
	pub fn upload(&self, spec: TensorSpec, bits: &[u32]) -> Result<DeviceTensor<D>, CudaError> {
		let mut tensor = self.allocate(spec)?;
		self.write(bits, &mut tensor)?;
		Ok(tensor)
	}

	/// Replaces a tensor's elements.
	pub fn write(&self, bits: &[u32], tensor: &mut DeviceTensor<D>) -> Result<(), CudaError> {
		same_length(bits.len(), tensor.spec)?;
		self.device.upload(&to_device(tensor.spec, bits), &tensor.buffer)
	}

	/// A tensor's row-major bits.
	pub fn download(&self, tensor: &DeviceTensor<D>) -> Result<Vec<u32>, CudaError> {
		read(&*self.device, tensor.spec, &tensor.buffer)
	}

	/// Runs one op and waits for it. On [`OpError::NonFinite`] the output is written, on a wrong shape it is not.
	pub fn run(
		&self,
		kind: OpKind,
		inputs: &[Input<'_, D>],
		context: &Context,
		out: &mut DeviceTensor<D>,
	) -> Result<(), OpError> {
		let operands: Vec<OperandSpec> = inputs
			.iter()
			.map(|input| match input {
				Input::Tensor(tensor) => OperandSpec::Tensor { spec: tensor.spec, data: false },
				Input::Scalar(bits) => OperandSpec::Scalar(*bits),
			})
			.collect();
		let lowered = lower(kind, &operands, out.spec, &context.seed, &self.device.profile())?;
		let addresses: Vec<u64> = inputs
			.iter()
			.map(|input| match input {
				Input::Tensor(tensor) => tensor.buffer.address(),
				Input::Scalar(_) => 0,
			})
			.collect();
		let mut shared = self.shared();
		if lowered.launches.iter().any(|launch| launch.args.contains(&Arg::Step)) {
			self.device.upload(&[context.step as u32, (context.step >> 32) as u32], &shared.step)?;
		}
		self.submit(&lowered, &addresses, out.buffer.address(), &mut shared)?;
		let mut flag = [0];
		self.device.download(&shared.flag, &mut flag)?;
		if flag == [0] {
			Ok(())
		} else {
			Err(OpError::NonFinite)
		}
	}

	/// The root of a tensor: BLAKE3 of its canonical bytes, hashed on the device.
	pub fn root(&self, tensor: &DeviceTensor<D>) -> Result<Hash, OpError> {
		let lowered = lower_root(&tensor.spec, &self.device.profile())?;
		let mut shared = self.shared();
		let out = shared.root.address();
		self.submit(&lowered, &[tensor.buffer.address()], out, &mut shared)?;
		let mut words = [0; ROOT_WORDS];
		self.device.download(&shared.root, &mut words)?;
		Ok(hash_of(&words))
	}

	fn submit(
		&self,
		lowered: &Lowered,
		inputs: &[u64],
		output: u64,
		shared: &mut Shared<D::Buffer>,
	) -> Result<(), CudaError> {
		grow(&*self.device, &lowered.scratch, &mut shared.scratch)?;
		let scratch: Vec<u64> = shared.scratch.iter().map(Buffer::address).collect();
		let (flag, step) = (shared.flag.address(), shared.step.address());
		let addresses = Addresses { inputs, output, scratch: &scratch, flag, step };
		let clear = Work::Clear { to: flag, words: 1 };
		let work: Vec<_> =
			[clear].into_iter().chain(lowered.launches.iter().map(|launch| launch.bind(&addresses))).collect();
		// SAFETY: `lower` makes arguments for tensors of the specs that the buffers were allocated for, and scratch
		// memory is at least as large as it asks. All of it is borrowed until the caller has waited, or lives on in `self`.
		unsafe { self.device.submit(&work) }
	}

	/// A thread that panicked while it held the lock left nothing behind that the next op would not overwrite.
	fn shared(&self) -> MutexGuard<'_, Shared<D::Buffer>> {
		self.shared.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Makes each scratch memory at least as large as asked.
pub(crate) fn grow<D: Device>(device: &D, words: &[u64], scratch: &mut Vec<D::Buffer>) -> Result<(), CudaError> {
	for (index, words) in words.iter().enumerate() {
		match scratch.get(index) {
			Some(buffer) if buffer.words() >= *words => {}
			Some(_) => scratch[index] = device.allocate(*words)?,
			None => scratch.push(device.allocate(*words)?),
		}
	}
	Ok(())
}

/// The row-major bits of a tensor that a buffer holds.
pub(crate) fn read<D: Device>(device: &D, spec: TensorSpec, buffer: &D::Buffer) -> Result<Vec<u32>, CudaError> {
	let too_large = CudaError::Length { given: 0, holds: spec.elements() };
	let mut words = vec![0; usize::try_from(device_words(spec)).map_err(|_| too_large)?];
	device.download(buffer, &mut words)?;
	Ok(to_host(spec, words))
}

/// Whether `words` are the elements of a tensor.
pub(crate) fn same_length(words: usize, spec: TensorSpec) -> Result<(), CudaError> {
	let (given, holds) = (words as u64, spec.elements());
	if given == holds {
		Ok(())
	} else {
		Err(CudaError::Length { given, holds })
	}
}

/// The hash whose little-endian words these are.
pub(crate) fn hash_of(words: &[u32]) -> Hash {
	let mut hash = [0; 32];
	for (bytes, word) in hash.chunks_exact_mut(4).zip(words) {
		bytes.copy_from_slice(&word.to_le_bytes());
	}
	hash
}
