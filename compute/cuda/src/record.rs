//! From a program's pieces to work with addresses, to be recorded as graphs.

use assay_program::{Op, Operand, OperandSpec, Program, TensorId, TensorSpec};

use crate::{
	backend::grow,
	bytes::device_words,
	chain::{Chain, Place},
	device::{Buffer, Device},
	launch::{Addresses, Lowered, Work},
	lower::{lower, lower_root},
	session::SessionError,
	CudaError, OpError,
};

/// Memory that holds `bits`.
pub(crate) fn filled<D: Device>(device: &D, bits: &[u32]) -> Result<D::Buffer, CudaError> {
	let buffer = device.allocate(bits.len() as u64)?;
	device.upload(bits, &buffer)?;
	Ok(buffer)
}

/// The copies at the end of a step: new states, and metrics, from temps that nothing overwrites.
pub(crate) fn assignments(program: &Program, places: &[Place], metrics: u64) -> Vec<Work> {
	let place = |id: TensorId| places.get(id.0 as usize);
	let states = program.updates.iter().filter_map(|update| {
		let (from, to) = (place(update.value)?, place(update.state)?);
		Some(Work::Copy { from: from.address, to: to.address, words: device_words(to.spec) })
	});
	let metrics = (0u64..)
		.zip(&program.metrics)
		.filter_map(|(index, id)| Some(Work::Copy { from: place(*id)?.address, to: metrics + 4 * index, words: 1 }));
	states.chain(metrics).collect()
}

/// A launch with the addresses of its tensors, waiting for scratch memory to reach its final size.
struct Pending {
	lowered: Lowered,
	inputs: Vec<u64>,
	output: u64,
	flag: u64,
	step: u64,
}

/// Collects launches, then gives all of them the same scratch memory, which is as large as the largest needs.
pub(crate) struct Recorder<'a, D: Device> {
	device: &'a D,
	/// Shared by all launches.
	pub(crate) scratch: Vec<D::Buffer>,
	pending: Vec<Pending>,
}

impl<'a, D: Device> Recorder<'a, D> {
	pub(crate) fn new(device: &'a D) -> Self {
		Self { device, scratch: Vec::new(), pending: Vec::new() }
	}

	pub(crate) fn op(
		&mut self,
		program: &Program,
		op: &Op,
		index: u32,
		places: &[Place],
		flags: u64,
		step: u64,
	) -> Result<(), SessionError> {
		let wrong = |source| SessionError::Op { op: index, source };
		let absent = || wrong(OpError::Shape("a tensor of the op is not declared"));
		let place = |id: TensorId| places.get(id.0 as usize).copied().ok_or_else(absent);
		let (mut operands, mut inputs) = (Vec::new(), Vec::new());
		for input in &op.inputs {
			match *input {
				Operand::Scalar(bits) => {
					operands.push(OperandSpec::Scalar(bits));
					inputs.push(0);
				}
				Operand::Tensor(id) => {
					let place = place(id)?;
					operands.push(OperandSpec::Tensor { spec: place.spec, data: false });
					inputs.push(place.address);
				}
			}
		}
		let output = place(op.output)?;
		let profile = self.device.profile();
		let lowered = lower(op.kind, &operands, output.spec, &program.header.seed, &profile).map_err(wrong)?;
		let flag = flags + 4 * u64::from(index);
		self.push(Pending { lowered, inputs, output: output.address, flag, step })
	}

	/// Returns the memory that holds the instructions.
	pub(crate) fn chain(
		&mut self,
		program: &Program,
		chain: &Chain,
		places: &[Place],
		flags: u64,
		step: u64,
	) -> Result<D::Buffer, SessionError> {
		let nowhere = Place { address: 0, spec: TensorSpec::f32(1, 1) };
		let place = |id: TensorId| places.get(id.0 as usize).copied().unwrap_or(nowhere);
		let code = filled(self.device, &chain.words(program, place, flags))?;
		let launches = vec![chain.launch(program, &self.device.profile())];
		let lowered = Lowered { launches, scratch: Vec::new() };
		self.push(Pending { lowered, inputs: vec![code.address()], output: 0, flag: 0, step })?;
		Ok(code)
	}

	pub(crate) fn root(&mut self, spec: TensorSpec, input: u64, output: u64) -> Result<(), SessionError> {
		let lowered = lower_root(&spec, &self.device.profile()).map_err(|_| SessionError::State)?;
		self.push(Pending { lowered, inputs: vec![input], output, flag: 0, step: 0 })
	}

	fn push(&mut self, pending: Pending) -> Result<(), SessionError> {
		grow(self.device, &pending.lowered.scratch, &mut self.scratch)?;
		self.pending.push(pending);
		Ok(())
	}

	/// The work of the first `count` that were pushed, and of the others. Scratch memory must not grow afterwards.
	pub(crate) fn bind(&mut self, count: usize) -> (Vec<Work>, Vec<Work>) {
		let scratch: Vec<u64> = self.scratch.iter().map(Buffer::address).collect();
		let bind = |Pending { lowered, inputs, output, flag, step }: Pending| -> Vec<Work> {
			let addresses = Addresses { inputs: &inputs, output, scratch: &scratch, flag, step };
			lowered.launches.iter().map(|launch| launch.bind(&addresses)).collect()
		};
		let mut pending = core::mem::take(&mut self.pending).into_iter();
		let first = pending.by_ref().take(count).flat_map(bind).collect();
		(first, pending.flat_map(bind).collect())
	}
}
