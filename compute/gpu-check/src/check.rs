//! The checks of bits.

use std::ops::ControlFlow;

use assay_cuda::Driver;
use assay_device::{conformance, fuzz};
use assay_engine::{Engine, Outcome};
use assay_models::Model;
use assay_program::Lane;

use crate::{conformance as suites, model, worker::Bench};

pub(crate) fn suite(bench: &Bench<'_>, name: &str) -> Result<String, String> {
	let suite = suites::suites::<Driver>().into_iter().find(|(suite, _)| *suite == name);
	let (_, suite) = suite.ok_or("there is no such suite")?;
	suite(core::slice::from_ref(bench.device.backend())).map(|()| String::new())
}

pub(crate) fn daemon(bench: &Bench<'_>) -> Result<String, String> {
	conformance(&bench.device, &bench.cpu).map(|()| String::new()).map_err(|difference| difference.to_string())
}

pub(crate) fn random_ops(bench: &Bench<'_>, scale: u32, elements: u64) -> Result<String, String> {
	let compared = fuzz(bench.device.backend(), &bench.cpu, bench.options.seed, elements, scale);
	let compared = compared.map_err(|difference| difference.to_string())?;
	let least = compared.values().min().copied().unwrap_or(0);
	Ok(format!("at least {least} elements of each of {} kinds", compared.len()))
}

/// Trains on both, segment by segment, through a checkpoint of the other side in the middle.
pub(crate) fn identity(bench: &Bench<'_>, lane: Lane, steps: u64) -> Result<String, String> {
	let text = |error: assay_engine::RunError| error.to_string();
	let Model { program, data } = model::small(lane, steps)?;
	let load = || Engine::new(program.clone(), data.clone(), bench.cpu.clone()).map_err(|error| error.to_string());
	let (here, mut there) = (load()?, load()?);
	there.accelerate(&bench.device).map_err(|error| error.to_string())?;
	let (mut ours, mut theirs) = (here.initial_state(), there.initial_state());
	let mut root = here.state_root(&ours).map_err(text)?;
	for segment in 0..here.segments() {
		let before = ours.clone();
		for (engine, state) in [(&here, &mut ours), (&there, &mut theirs)] {
			let ended = engine.run_segment(state, segment, &mut |_| ControlFlow::Continue(())).map_err(text)?;
			if ended != Outcome::Finished {
				return Err(format!("segment {segment} was not finished"));
			}
		}
		// The engine goes on without a device that fails.
		if let Some(failure) = there.accelerator_failure() {
			return Err(format!("segment {segment}: {failure}"));
		}
		root = here.state_root(&ours).map_err(text)?;
		if there.state_root(&theirs).map_err(text)? != root || ours != theirs {
			let data: Vec<_> = data.iter().map(|(id, tensor)| (*id, tensor.bits())).collect();
			let data: Vec<_> = data.iter().map(|(id, bits)| (*id, &**bits)).collect();
			let what = suites::locate::in_run(bench.device.backend(), &here, &data, before, ours.step());
			return Err(format!("another state after segment {segment}, step {}: {what}", theirs.step()));
		}
		if segment == here.segments() / 2 {
			let blob = here.encode_checkpoint(&ours).map_err(text)?;
			theirs = there.load_checkpoint(&blob, &root).map_err(|error| error.to_string())?;
		}
	}
	let root: String = root.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
	Ok(format!("{} segments end in the same roots, the last in {root}...", here.segments()))
}
