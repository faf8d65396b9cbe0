//! The checks of bits.

use std::{ops::ControlFlow, sync::Arc};

use assay_cuda::{CudaAccelerator, Driver};
use assay_device::{conformance, fuzz};
use assay_engine::{Cpu, Engine, Outcome};
use assay_models::Model;
use assay_program::Lane;

use crate::{conformance as suites, error::Error, model, options::Options, report::Report};

/// Suites of a quick run.
const QUICK: [&str; 4] = ["zeros_keep_the_sign_that_the_order_gives", "masks", "to_and_from_integers", "chains"];

/// Everything that must be equal.
pub(crate) fn all(
	device: &CudaAccelerator,
	cpu: &Arc<Cpu>,
	options: &Options,
	report: &mut Report,
) -> Result<(), Error> {
	let backends = core::slice::from_ref(device.backend());
	for (name, suite) in suites::suites::<Driver>() {
		if !options.quick || QUICK.contains(&name) {
			report.check(format!("{name}, against the referee"), || suite(backends).map(|()| String::new()));
		}
	}
	if !options.quick {
		report.check("what a daemon looks at when it starts", || {
			conformance(device, cpu).map(|()| String::new()).map_err(|difference| difference.to_string())
		});
	}
	// Also short sides, on which other kernels are chosen and edges are met more often.
	let (elements, scales) = if options.quick { (1, &[1][..]) } else { (options.fuzz, &[1, 8][..]) };
	for scale in scales {
		let elements = if *scale == 1 { elements.min(100_000) } else { elements };
		report.check(format!("random ops, sides times {scale}, against the CPU"), || {
			let compared = fuzz(device.backend(), cpu, options.seed, elements, *scale);
			let compared = compared.map_err(|difference| difference.to_string())?;
			let least = compared.values().min().copied().unwrap_or(0);
			Ok(format!("at least {least} elements of each of {} kinds", compared.len()))
		});
	}
	let steps = if options.quick { 2 } else { options.steps };
	for (lane, name) in [(Lane::F32, "F32"), (Lane::I8, "I8")] {
		report.check(format!("{steps} training steps in lane {name}, against the CPU"), || {
			identity(device, cpu, lane, steps)
		});
	}
	match report.differing() {
		0 => Ok(()),
		count => Err(Error::Differs(count)),
	}
}

/// Trains on both, segment by segment, through a checkpoint of the other side in the middle.
fn identity(device: &CudaAccelerator, cpu: &Arc<Cpu>, lane: Lane, steps: u64) -> Result<String, String> {
	let text = |error: assay_engine::RunError| error.to_string();
	let Model { program, data } = model::small(lane, steps)?;
	let load = || Engine::new(program.clone(), data.clone(), cpu.clone()).map_err(|error| error.to_string());
	let (here, mut there) = (load()?, load()?);
	there.accelerate(device).map_err(|error| error.to_string())?;
	let (mut ours, mut theirs) = (here.initial_state(), there.initial_state());
	let mut root = here.state_root(&ours).map_err(text)?;
	for segment in 0..here.segments() {
		for (engine, state) in [(&here, &mut ours), (&there, &mut theirs)] {
			let ended = engine.run_segment(state, segment, &mut |_| ControlFlow::Continue(())).map_err(text)?;
			if ended != Outcome::Finished {
				return Err(format!("segment {segment} was not finished"));
			}
		}
		root = here.state_root(&ours).map_err(text)?;
		if there.state_root(&theirs).map_err(text)? != root || ours != theirs {
			return Err(format!("another state after segment {segment}, step {}", theirs.step()));
		}
		if segment == here.segments() / 2 {
			let blob = here.encode_checkpoint(&ours).map_err(text)?;
			theirs = there.load_checkpoint(&blob, &root).map_err(|error| error.to_string())?;
		}
	}
	let root: String = root.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
	Ok(format!("{} segments end in the same roots, the last in {root}...", here.segments()))
}
