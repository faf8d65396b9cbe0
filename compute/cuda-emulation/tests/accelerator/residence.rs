//! A state moves when it must, and what a device holds is never taken for another state.

use std::{ops::ControlFlow, sync::Barrier};

use assay_engine::{Engine, Outcome, State};
use assay_models::Model;
use assay_program::Lane;

use super::{on_cpu, on_device, programs, segment, usual, Device};

fn model() -> Model {
	programs::language(Lane::F32, 8, 2)
}

/// Words that went to the device for a segment, beside the number of each step.
fn moved(device: &Device, engine: &Engine, state: &mut State, number: u64) -> u64 {
	let (_, before) = device.backend().device().uploads();
	let shown = segment(engine, state, number, None);
	assert_eq!(shown.ended, Ok(Outcome::Finished));
	let (_, after) = device.backend().device().uploads();
	after - before - 2 * shown.steps.len() as u64
}

fn words(engine: &Engine) -> u64 {
	engine.program().state_tensors().map(|(_, decl)| decl.spec().elements()).sum()
}

#[test]
fn a_state_that_is_there_does_not_move() {
	let (model, device) = (model(), usual());
	let engine = on_device(&model, &device);
	let mut state = engine.initial_state();
	assert_eq!(moved(&device, &engine, &mut state, 0), words(&engine));
	let first = state.clone();
	assert_eq!(moved(&device, &engine, &mut state, 1), 0, "the next segment begins with the state that is there");
	// A copy of the state is the same state.
	let mut copy = state.clone();
	assert_eq!(moved(&device, &engine, &mut copy, 2), 0);
	// The state before is another one, though this engine made it.
	let mut again = first.clone();
	assert_eq!(moved(&device, &engine, &mut again, 1), words(&engine));
	assert!(again == state);
	// So is the one that it went on to elsewhere.
	let mut elsewhere = again.clone();
	segment(&on_cpu(&model), &mut elsewhere, 2, None);
	assert_eq!(moved(&device, &engine, &mut elsewhere, 3), words(&engine));
	// And one that was read from a checkpoint, though its bits are those on the device.
	let blob = engine.encode_checkpoint(&again).expect("encodes");
	let mut read = engine.decode_checkpoint(&blob).expect("decodes").0;
	assert_eq!(moved(&device, &engine, &mut read, 2), words(&engine));
	assert_eq!(moved(&device, &engine, &mut read, 3), 0);
	assert!(read == elsewhere);
}

fn hashes(device: &Device) -> u64 {
	let launches = device.backend().device().launches();
	launches.iter().filter(|(name, _)| name.ends_with("_cvs")).map(|(_, count)| count).sum()
}

#[test]
fn a_root_is_hashed_on_the_device_once() {
	let (model, device) = (model(), usual());
	let (cpu, engine) = (on_cpu(&model), on_device(&model, &device));
	let mut state = engine.initial_state();
	let mut roots = Vec::new();
	for number in 0..2 {
		segment(&engine, &mut state, number, None);
		let before = hashes(&device);
		roots.push((state.clone(), engine.state_root(&state).expect("a root")));
		let after = hashes(&device);
		assert!(after > before, "not hashed on the device");
		assert_eq!(engine.state_root(&state.clone()).as_ref(), Ok(&roots[number as usize].1));
		assert_eq!(hashes(&device), after, "hashed twice");
	}
	// States that the device does not hold any more, or never held.
	let before = hashes(&device);
	for (state, root) in &roots {
		assert_eq!(cpu.state_root(state).as_ref(), Ok(root));
		assert_eq!(engine.state_root(state).as_ref(), Ok(root));
	}
	let mut other = cpu.initial_state();
	segment(&cpu, &mut other, 0, None);
	assert_eq!(engine.state_root(&other).as_ref(), Ok(&roots[0].1));
	assert_eq!(hashes(&device), before);
}

/// Bits that fit two programs have a root in each.
#[test]
fn a_root_is_of_the_program_that_asks() {
	let (model, other) = (programs::language(Lane::F32, 8, 2), programs::language(Lane::F32, 6, 2));
	let device = usual();
	let (engine, cpu, foreign) = (on_device(&model, &device), on_cpu(&model), on_device(&other, &device));
	let mut state = engine.initial_state();
	segment(&engine, &mut state, 0, None);
	assert_eq!(engine.state_root(&state), cpu.state_root(&state));
	assert_eq!(foreign.state_root(&state), on_cpu(&other).state_root(&state));
}

#[test]
fn programs_share_a_device() {
	let (models, device) = ([model(), programs::language(Lane::I8, 8, 2), model()], usual());
	let start = Barrier::new(models.len());
	std::thread::scope(|scope| {
		for model in &models {
			let (device, start) = (&device, &start);
			scope.spawn(move || {
				let (cpu, engine) = (on_cpu(model), on_device(model, device));
				let (mut here, mut there) = (cpu.initial_state(), engine.initial_state());
				start.wait();
				for number in 0..cpu.segments() {
					let shown = segment(&engine, &mut there, number, None);
					assert!(shown == segment(&cpu, &mut here, number, None) && here == there, "segment {number}");
					assert_eq!(engine.state_root(&there), cpu.state_root(&here));
				}
			});
		}
	});
}

/// The second run finds the device taken, and is done by the CPU.
#[test]
fn a_run_inside_of_a_run() {
	let (model, device) = (model(), usual());
	let (cpu, engine) = (on_cpu(&model), on_device(&model, &device));
	let mut whole = cpu.initial_state();
	cpu.run(&mut whole, 8, &mut |_| ControlFlow::Continue(())).expect("runs");
	let (mut outer, mut inner) = (engine.initial_state(), engine.initial_state());
	let ended = engine.run(&mut outer, 8, &mut |report| {
		if report.step == 3 {
			assert_eq!(engine.run(&mut inner, 8, &mut |_| ControlFlow::Continue(())), Ok(Outcome::Finished));
		}
		ControlFlow::Continue(())
	});
	assert_eq!(ended, Ok(Outcome::Finished));
	assert!(outer == whole && inner == whole);
}

/// An observer that panics leaves the state as it was, and the device is not trusted to hold it.
#[test]
fn a_run_that_panics() {
	let (model, device) = (model(), usual());
	let (cpu, engine) = (on_cpu(&model), on_device(&model, &device));
	let mut state = engine.initial_state();
	segment(&engine, &mut state, 0, None);
	let before = state.clone();
	let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
		engine.run(&mut state, 8, &mut |report| {
			if report.step == 3 {
				panic!("wanted")
			} else {
				ControlFlow::Continue(())
			}
		})
	}));
	assert!(panicked.is_err() && state == before);
	let mut here = before;
	assert_eq!(segment(&engine, &mut state, 1, None), segment(&cpu, &mut here, 1, None));
	assert!(state == here);
}
