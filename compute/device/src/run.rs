//! Runs steps, whatever becomes of the device.

use std::ops::ControlFlow;

use assay_engine::{AcceleratorError, Engine, Outcome, RunError, State, StepReport};

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
	let observer = &mut |_: &StepReport<'_>| match go_on() {
		true => ControlFlow::Continue(()),
		false => ControlFlow::Break(()),
	};
	run_observed(engine, state, until, observer, tell)
}

/// [`run`], but `observer` sees each step and says whether to go on. After a failure of the device it sees the steps again.
///
/// # Errors
/// Those of [`run`].
pub fn run_observed(
	engine: &Engine,
	state: &mut State,
	until: u64,
	observer: &mut dyn FnMut(&StepReport<'_>) -> ControlFlow<()>,
	tell: &dyn Fn(&AcceleratorError),
) -> Result<Outcome, RunError> {
	match engine.run(state, until, observer) {
		Err(RunError::Accelerator { source, .. }) => {
			tell(&source);
			engine.run(state, until, observer)
		}
		done => done,
	}
}
