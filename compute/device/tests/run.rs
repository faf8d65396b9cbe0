//! A run ends where the CPU's does, also where the device fails on the way.

use std::{
	cell::{Cell, RefCell},
	sync::Arc,
};

use assay_device::{run, Compute};
use assay_engine::{
	Accelerator, AcceleratorError, Cpu, Engine, Hash, Loaded, Outcome, Path, RunError, Stepped, Tensor,
};
use assay_models::{Graph, Optimiser};
use assay_program::{Header, Init, Lane, Program, TensorId};

/// A device that takes every program and fails at its first step.
#[derive(Clone, Copy, Debug)]
enum Broken {
	/// With an error.
	Dead,
	/// By finding a number that is not finite.
	Wrong,
}

fn broken() -> AcceleratorError {
	AcceleratorError::Failed("cuGraphLaunch: CUDA_ERROR_ECC_UNCORRECTABLE (214)".into())
}

impl Accelerator for Broken {
	fn name(&self) -> String {
		"broken".into()
	}

	fn load(&self, _: &Program, _: &[(TensorId, &Tensor)]) -> Result<Box<dyn Loaded>, AcceleratorError> {
		Ok(Box::new(*self))
	}
}

impl Loaded for Broken {
	fn write(&mut self, _: &[Tensor], _: u64) -> Result<(), AcceleratorError> {
		Ok(())
	}

	fn step(&mut self) -> Result<Stepped, AcceleratorError> {
		match self {
			Self::Dead => Err(broken()),
			Self::Wrong => Ok(Stepped::NonFinite { op: 1 }),
		}
	}

	fn metrics(&mut self) -> Result<Vec<u32>, AcceleratorError> {
		Err(broken())
	}

	fn read(&mut self) -> Result<Vec<Vec<u32>>, AcceleratorError> {
		Err(broken())
	}

	fn roots(&mut self) -> Result<Vec<Hash>, AcceleratorError> {
		Err(broken())
	}
}

/// Four steps; with a rate that is too high its numbers overflow.
fn engine(compute: &Compute, rate: f32) -> Engine {
	let mut graph = Graph::new(1);
	let weight = graph.param("weight", 5, 3, Init::Constant(2.0f32.to_bits()));
	let square = graph.mul(weight, weight);
	let loss = graph.mean_all(square);
	let gradients = graph.gradients(loss, &[weight]);
	Optimiser::Sgd { rate, momentum: 0.0 }.apply(&mut graph, &[weight], &gradients);
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 4, batch: 1, segment_steps: 2 };
	let program = graph.finish(header).expect("valid");
	let mut engine = Engine::new(program, Vec::new(), compute.cpu().clone()).expect("loads");
	compute.accelerate(&mut engine).expect("takes it");
	engine
}

#[test]
fn the_cpu_does_a_failed_run_and_the_failure_is_told_once() {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1).expect("a path"));
	let (on_cpu, on_device) = (Compute::on_cpu(cpu.clone()), Compute::on_device(cpu, Arc::new(Broken::Dead)));
	for rate in [0.1, 1e30] {
		let (here, there) = (engine(&on_cpu, rate), engine(&on_device, rate));
		assert_eq!((here.accelerator(), there.accelerator()), (None, Some("broken")));
		let told = RefCell::new(Vec::new());
		let tell = |error: &AcceleratorError| told.borrow_mut().push(error.clone());
		let (mut ours, mut theirs) = (here.initial_state(), there.initial_state());
		for until in [2, 4] {
			let expected = run(&here, &mut ours, until, &|| true, &|_| unreachable!());
			assert_eq!(run(&there, &mut theirs, until, &|| true, &tell), expected);
			assert_eq!((&theirs, there.state_root(&theirs)), (&ours, here.state_root(&ours)));
			assert_eq!(expected.is_ok(), rate < 1.0);
			if let Err(error) = expected {
				assert!(matches!(error, RunError::NonFinite { .. }), "{error}");
			}
		}
		assert_eq!(*told.borrow(), [broken()]);
	}
}

#[test]
fn a_run_stops_after_the_step_that_it_is_told_to_stop_in() {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1).expect("a path"));
	for compute in [Compute::on_cpu(cpu.clone()), Compute::on_device(cpu, Arc::new(Broken::Dead))] {
		let engine = engine(&compute, 0.1);
		let (mut state, asked) = (engine.initial_state(), Cell::new(0));
		let go_on = || asked.replace(asked.get() + 1) < 2;
		assert_eq!(run(&engine, &mut state, 4, &go_on, &|_| ()), Ok(Outcome::Stopped));
		assert_eq!((state.step(), asked.get()), (3, 3));
	}
}

/// A claim with which a client would be blamed, or a verifier's bond lost, is not made on the word of a device.
#[test]
fn a_number_that_only_the_device_finds_not_finite_is_the_devices_failure() {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1).expect("a path"));
	let compute = Compute::on_device(cpu.clone(), Arc::new(Broken::Wrong));
	let (here, there) = (engine(&Compute::on_cpu(cpu), 0.1), engine(&compute, 0.1));
	let told = RefCell::new(Vec::new());
	let (mut ours, mut theirs) = (here.initial_state(), there.initial_state());
	assert_eq!(run(&here, &mut ours, 4, &|| true, &|_| unreachable!()), Ok(Outcome::Finished));
	let tell = |error: &AcceleratorError| told.borrow_mut().push(error.to_string());
	assert_eq!(run(&there, &mut theirs, 4, &|| true, &tell), Ok(Outcome::Finished));
	assert_eq!(theirs, ours);
	assert!(told.borrow().len() == 1 && told.borrow()[0].contains("not finite"), "{told:?}");
	assert!(there.accelerator().is_none());
}
