//! Whole jobs through the engine on an emulated device, beside the CPU: the same states, roots, metrics, errors, whatever
//! the interruptions, and whichever of the two made the checkpoint.

mod failures;
mod programs;
mod residence;

use std::{ops::ControlFlow, sync::Arc};

use assay_cuda::DeviceAccelerator;
use assay_cuda_emulation::{Emulated, Order};
use assay_engine::{Cpu, Engine, Outcome, Path, RunError, State, StepReport};
use assay_models::Model;
use assay_program::Lane;

pub(crate) type Device = DeviceAccelerator<Emulated>;

pub(crate) fn device(device: Emulated) -> Device {
	DeviceAccelerator::new("emulated", device).expect("memory")
}

/// Half of its kernels' blocks loop, and threads take turns in an adverse order.
pub(crate) fn usual() -> Device {
	device(Emulated::new(8, Order::Scattered).with_int8_tiles())
}

pub(crate) fn on_cpu(model: &Model) -> Engine {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1).expect("a path"));
	Engine::new(model.program.clone(), model.data.clone(), cpu).expect("loads")
}

pub(crate) fn on_device(model: &Model, device: &Device) -> Engine {
	let mut engine = on_cpu(model);
	engine.accelerate(device).expect("fits");
	assert_eq!(engine.accelerator(), Some("emulated"));
	engine
}

/// What a run shows: metrics of each step in bits, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
	steps: Vec<(u64, Vec<u32>)>,
	ended: Result<Outcome, RunError>,
}

/// Runs a segment, stopping after step `stop_after` if it comes by.
pub(crate) fn segment(engine: &Engine, state: &mut State, segment: u64, stop_after: Option<u64>) -> Shown {
	let mut steps = Vec::new();
	let mut observer = |report: &StepReport<'_>| {
		steps.push((report.step, report.metrics.iter().map(|metric| metric.to_bits()).collect()));
		match stop_after == Some(report.step) {
			true => ControlFlow::Break(()),
			false => ControlFlow::Continue(()),
		}
	};
	let ended = engine.run_segment(state, segment, &mut observer);
	Shown { steps, ended }
}

/// All segments on both, compared after each.
fn same_segments(name: &str, model: &Model, device: &Device) {
	let (cpu, device) = (on_cpu(model), on_device(model, device));
	let (mut here, mut there) = (cpu.initial_state(), device.initial_state());
	for number in 0..cpu.segments() {
		let shown = segment(&device, &mut there, number, None);
		assert_eq!(shown.ended, Ok(Outcome::Finished), "{name}, segment {number}");
		assert!(shown == segment(&cpu, &mut here, number, None), "{name}, segment {number}: other metrics");
		let root = device.state_root(&there).expect("a root");
		assert_eq!(root, cpu.state_root(&here).expect("a root"), "{name}, segment {number}");
		assert!(here == there, "{name}, segment {number}: other states");
		// The device's root and the one that the CPU makes of what the device gave back.
		let blob = device.encode_checkpoint(&there).expect("encodes");
		assert!(cpu.load_checkpoint(&blob, &root).as_ref() == Ok(&here), "{name}, segment {number}: checkpoint");
	}
	assert!(cpu.segments() > 1 && device.accelerator_failure().is_none());
}

#[test]
fn every_kind_of_job_ends_its_segments_in_the_same_roots() {
	let device = usual();
	for (name, model) in programs::all() {
		same_segments(name, &model, &device);
	}
	assert!(device.backend().device().launches().contains_key("chain"), "nothing ran on the device");
}

/// The PTX that a card would be given.
#[test]
fn shipped_kernels_give_the_same_roots() {
	let device = device(Emulated::interpreting(1000, Order::Scattered).with_int8_tiles());
	same_segments("language model in int8", &programs::language(Lane::I8, 2, 1), &device);
}

#[test]
#[ignore = "minutes"]
fn shipped_kernels_give_the_same_roots_in_every_kind_of_job() {
	let device = device(Emulated::interpreting(4, Order::Descending).with_int8_tiles());
	for (name, model) in programs::all() {
		same_segments(name, &model, &device);
	}
}

/// What `scripts/gpu-check` asks of a card.
#[test]
#[ignore = "minutes"]
fn a_thousand_steps_end_in_one_root() {
	let device = usual();
	for lane in [Lane::F32, Lane::I8] {
		same_segments("language model", &programs::language(lane, 1_000, 100), &device);
	}
}

#[test]
fn an_interrupted_run_goes_on_on_either_side() {
	let device = usual();
	for (name, model) in programs::all() {
		let (cpu, device) = (on_cpu(&model), on_device(&model, &device));
		let mut whole = cpu.initial_state();
		let steps = cpu.segment_steps(1).expect("two segments");
		cpu.run(&mut whole, steps.end, &mut |_| ControlFlow::Continue(())).expect("runs");

		// Stopped in the first segment, which each side ends on the other's checkpoint.
		let stop = Some(steps.start - 2);
		let (mut here, mut there) = (cpu.initial_state(), device.initial_state());
		let shown = segment(&device, &mut there, 0, stop);
		assert_eq!(shown.ended, Ok(Outcome::Stopped), "{name}");
		assert!(shown == segment(&cpu, &mut here, 0, stop) && here == there, "{name}: stopped");
		let blobs = [&cpu, &device].map(|engine| engine.encode_checkpoint(&there).expect("encodes"));
		assert!(blobs[0] == blobs[1], "{name}: checkpoints");
		for (from, to) in [(&cpu, &device), (&device, &cpu), (&device, &device)] {
			let (mut state, root) = to.decode_checkpoint(&blobs[0]).expect("decodes");
			assert_eq!(root, from.state_root(&there).expect("a root"), "{name}");
			assert_eq!(segment(to, &mut state, 0, None).ended, Ok(Outcome::Finished), "{name}");
			let mut state = from.decode_checkpoint(&to.encode_checkpoint(&state).expect("encodes")).expect("decodes").0;
			assert_eq!(segment(from, &mut state, 1, None).ended, Ok(Outcome::Finished), "{name}");
			assert!(state == whole, "{name}: resumed elsewhere");
		}
	}
}

/// To stop after the last step is to finish, on both.
#[test]
fn stopping_at_the_end_is_finishing() {
	let model = programs::digits_mlp(Lane::F32, 0.002);
	for engine in [on_cpu(&model), on_device(&model, &usual())] {
		let mut state = engine.initial_state();
		assert_eq!(segment(&engine, &mut state, 0, Some(3)).ended, Ok(Outcome::Finished));
		assert_eq!(segment(&engine, &mut state, 0, None), Shown { steps: vec![], ended: Ok(Outcome::Finished) });
		for wrong in [3, u64::MAX] {
			let shown = segment(&engine, &mut state, wrong, None);
			assert!(matches!(shown.ended, Err(RunError::OutOfRange { .. })), "{shown:?}");
		}
		assert!(matches!(engine.run(&mut state, 2, &mut |_| unreachable!()), Err(RunError::OutOfRange { .. })));
	}
}
