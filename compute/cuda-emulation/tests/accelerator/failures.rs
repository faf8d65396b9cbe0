//! What goes wrong: numbers that overflow, memory that does not suffice, a device that fails.

use std::sync::{
	atomic::{AtomicU64, Ordering},
	Arc,
};

use assay_cuda::Device as _;
use assay_cuda_emulation::{Emulated, Order};
use assay_engine::{Accelerator, AcceleratorError, Hash, Loaded, Outcome, RunError, Stepped, Tensor};
use assay_program::{Lane, Program, TensorId};

use super::{device, on_cpu, on_device, programs, segment, usual};

#[test]
fn numbers_that_overflow_in_the_middle_of_a_segment_fail_alike() {
	let model = programs::diverging();
	let (cpu, device) = (on_cpu(&model), on_device(&model, &usual()));
	let (mut here, mut there) = (cpu.initial_state(), device.initial_state());
	let shown = segment(&device, &mut there, 0, None);
	assert!(shown == segment(&cpu, &mut here, 0, None), "{shown:?}");
	let Err(RunError::NonFinite { step, op, .. }) = shown.ended else { panic!("{shown:?}") };
	assert!(step > 0 && there.step() == step, "it must fail after some steps, and the state stays at the last one");
	assert!(here == there, "other states");
	assert_eq!(device.state_root(&there), cpu.state_root(&here));
	// The trace of the step, which a dispute would need, is the CPU's.
	assert_eq!(device.trace(&there).expect("a trace").failure(), Some(op));
	// Again, from where it failed: the device has that state.
	assert_eq!(segment(&device, &mut there, 0, None), segment(&cpu, &mut here, 0, None));
}

#[test]
fn memory_that_does_not_suffice_is_told_before_anything_runs() {
	let model = programs::language(Lane::I8, 4, 2);
	let refuse = |memory| {
		let device = device(Emulated::new(8, Order::Ascending).with_memory(memory));
		let before = device.backend().device().free_memory().expect("known");
		let mut engine = on_cpu(&model);
		let error = engine.accelerate(&device).expect_err("too large");
		assert_eq!(device.backend().device().free_memory(), Ok(before), "memory was kept");
		assert_eq!(engine.accelerator(), None);
		let AcceleratorError::OutOfMemory { needed, free } = error else { panic!("{error}") };
		assert_eq!(free, before);
		assert!(needed > free && error.to_string().contains(&format!("{needed} bytes")), "{error}");
		(engine, needed)
	};
	let (engine, needed) = refuse(50_000);
	// The engine goes on as one that has no device.
	let (cpu, mut here) = (on_cpu(&model), on_cpu(&model).initial_state());
	let mut there = engine.initial_state();
	assert_eq!(segment(&engine, &mut there, 0, None), segment(&cpu, &mut here, 0, None));
	assert!(here == there);
	// What is asked for is enough, and not much more than what is used by tensors as small as these.
	let exact = device(Emulated::new(8, Order::Ascending).with_memory(needed + 64));
	let free = || exact.backend().device().free_memory().expect("known");
	let before = free();
	let engine = on_device(&model, &exact);
	assert!(free() < needed / 5, "{} of {needed} bytes are unused", free());
	let mut there = engine.initial_state();
	assert_eq!(segment(&engine, &mut there, 0, None).ended, Ok(Outcome::Finished));
	assert!(here == there);
	drop(engine);
	assert_eq!(free(), before, "memory is given back with the engine");
	let (_, again) = refuse(needed / 2);
	assert_eq!(again, needed);
}

/// A device that fails at a call.
#[derive(Debug)]
struct Failing<A> {
	device: A,
	calls: Arc<AtomicU64>,
}

#[derive(Debug)]
struct FailingProgram {
	program: Box<dyn Loaded>,
	calls: Arc<AtomicU64>,
}

impl<A: Accelerator> Accelerator for Failing<A> {
	fn name(&self) -> String {
		"failing".into()
	}

	fn load(&self, program: &Program, data: &[(TensorId, &Tensor)]) -> Result<Box<dyn Loaded>, AcceleratorError> {
		let program = self.device.load(program, data)?;
		Ok(Box::new(FailingProgram { program, calls: self.calls.clone() }))
	}
}

impl FailingProgram {
	fn count(&self) -> Result<(), AcceleratorError> {
		match self.calls.fetch_sub(1, Ordering::Relaxed) {
			1 => Err(AcceleratorError::Failed("it fell off the bus".into())),
			_ => Ok(()),
		}
	}
}

impl Loaded for FailingProgram {
	fn write(&mut self, state: &[Tensor], step: u64) -> Result<(), AcceleratorError> {
		self.count()?;
		self.program.write(state, step)
	}

	fn step(&mut self) -> Result<Stepped, AcceleratorError> {
		self.count()?;
		self.program.step()
	}

	fn metrics(&mut self) -> Result<Vec<u32>, AcceleratorError> {
		self.count()?;
		self.program.metrics()
	}

	fn read(&mut self) -> Result<Vec<Vec<u32>>, AcceleratorError> {
		self.count()?;
		self.program.read()
	}

	fn roots(&mut self) -> Result<Vec<Hash>, AcceleratorError> {
		self.program.roots()
	}
}

#[test]
fn a_device_that_fails_leaves_the_state_before_the_run_and_the_cpu_goes_on() {
	let model = programs::digits_mlp(Lane::F32, 0.002);
	let cpu = on_cpu(&model);
	let mut whole = cpu.initial_state();
	segment(&cpu, &mut whole, 0, None);
	// Four steps: the state's way there, a step and its metrics each, the state's way back.
	for call in 1..=10 {
		let calls = Arc::new(AtomicU64::new(call));
		let mut engine = on_cpu(&model);
		engine.accelerate(&Failing { device: usual(), calls }).expect("fits");
		let (start, mut state) = (engine.initial_state(), engine.initial_state());
		let shown = segment(&engine, &mut state, 0, None);
		let Err(RunError::Accelerator { source, .. }) = &shown.ended else { panic!("call {call}: {shown:?}") };
		assert!(source.to_string().contains("fell off the bus"), "{source}");
		assert!(state == start, "call {call}: the state was changed");
		assert_eq!((engine.accelerator(), engine.accelerator_failure()), (None, Some(source)));
		assert_eq!(segment(&engine, &mut state, 0, None).ended, Ok(Outcome::Finished));
		assert!(state == whole, "call {call}");
		assert_eq!(engine.state_root(&state), cpu.state_root(&whole));
	}
}
