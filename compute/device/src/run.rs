//! Runs steps, whatever becomes of the device.

use std::ops::ControlFlow;

use assay_engine::{AcceleratorError, Engine, Outcome, RunError, State};

/// Runs `state` on to `until` steps while `go_on` says so, asked after each step. If the device fails, `tell` learns why, and
/// the CPU does the run from its start: the engine does not use the device again.
///
/// # Errors
/// [`RunError`], as of [`Engine::run`], but none of a device.
pub fn run(
	engine: &Engine,
	state: &mut State,
	until: u64,
	go_on: &dyn Fn() -> bool,
	tell: &dyn Fn(&AcceleratorError),
) -> Result<Outcome, RunError> {
	let mut once = || {
		engine.run(state, until, &mut |_| match go_on() {
			true => ControlFlow::Continue(()),
			false => ControlFlow::Break(()),
		})
	};
	match once() {
		Err(RunError::Accelerator { source, .. }) => {
			tell(&source);
			once()
		}
		done => done,
	}
}
