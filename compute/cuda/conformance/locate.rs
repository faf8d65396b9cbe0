//! Where a device's step begins to differ from the CPU's, for people.

use std::ops::ControlFlow;

use assay_cuda::{
	cases::{compare_in, Case, Given},
	Backend, Context, Device, Session,
};
use assay_engine::{Engine, State};
use assay_program::{Operand, TensorId};

use super::training::bits;

/// Of the steps from `state` up to step `until`, each begun with the CPU's state, the first that differs, and what of it.
pub(crate) fn in_run<D: Device>(
	backend: &Backend<D>,
	engine: &Engine,
	data: &[(TensorId, &[u32])],
	mut state: State,
	until: u64,
) -> String {
	while state.step() < until {
		if let Some(what) = in_step(backend, engine, data, &state) {
			return format!("step {}: {what}", state.step());
		}
		let next = state.step() + 1;
		if let Err(error) = engine.run(&mut state, next, &mut |_| ControlFlow::Continue(())) {
			return error.to_string();
		}
	}
	"each step alone is equal: what one leaves on the device changes another".to_owned()
}

/// What differs in the step after `state`; `None` if nothing does.
pub(crate) fn in_step<D: Device>(
	backend: &Backend<D>,
	engine: &Engine,
	data: &[(TensorId, &[u32])],
	state: &State,
) -> Option<String> {
	let differs = session_step(backend, engine, data, state).err()?;
	Some(match single_op(backend, engine, state) {
		Err(op) => format!("{op}; the step: {differs}"),
		Ok(()) => format!("every op is equal by itself, so a group of them is not (chain, chain_rows): {differs}"),
	})
}

/// The step on the device, beside the CPU's. `Err`: the first element of the state that differs, or what went wrong.
fn session_step<D: Device>(
	backend: &Backend<D>,
	engine: &Engine,
	data: &[(TensorId, &[u32])],
	state: &State,
) -> Result<(), String> {
	let mut after = state.clone();
	let expected = engine.run(&mut after, state.step() + 1, &mut |_| ControlFlow::Continue(()));
	let session = Session::new(backend, engine.program(), data, &bits(engine, state), state.step());
	let mut session = session.map_err(|error| error.to_string())?;
	match (expected, session.step()) {
		(Ok(_), Ok(())) => {}
		(
			Err(assay_engine::RunError::NonFinite { op, .. }),
			Err(assay_cuda::SessionError::NonFinite { op: found, .. }),
		) if op == found => {}
		(expected, found) => return Err(format!("{found:?}, the CPU: {:?}", expected.map(drop))),
	}
	let found = session.state().map_err(|error| error.to_string())?;
	let after = bits(engine, &after);
	for ((_, decl), (found, expected)) in engine.program().state_tensors().zip(found.iter().zip(&after)) {
		if let Some(at) = found.iter().zip(expected).position(|(found, expected)| found != expected) {
			let name = String::from_utf8_lossy(&decl.name).into_owned();
			return Err(format!("`{name}`: element {at} is {:08x}, expected {:08x}", found[at], expected[at]));
		}
	}
	Ok(())
}

/// Every op of the step by itself, on the CPU's inputs. `Err`: the first that differs.
fn single_op<D: Device>(backend: &Backend<D>, engine: &Engine, state: &State) -> Result<(), String> {
	let trace = engine.trace(state).map_err(|error| error.to_string())?;
	let program = engine.program();
	let context = Context { seed: program.header.seed, step: state.step() };
	let last = trace.failure().map_or(program.ops.len(), |failed| failed as usize + 1);
	let tensor = |id| engine.traced_tensor(&trace, id).ok_or_else(|| "a tensor has no declaration".to_owned());
	for (index, op) in program.ops.iter().enumerate().take(last) {
		let given = op.inputs.iter().map(|input| match *input {
			Operand::Scalar(bits) => Ok(Given::Scalar(bits)),
			Operand::Tensor(id) => {
				tensor(id).map(|tensor| Given::Tensor(tensor.spec(), tensor.bits().into_owned(), true))
			}
		});
		let (given, output) = (given.collect::<Result<_, String>>()?, tensor(op.output)?);
		let case = Case { kind: op.kind, given, output: output.spec() };
		compare_in(core::slice::from_ref(backend), &case, &output.bits(), &context)
			.map_err(|what| format!("op {index}: {what}"))?;
	}
	Ok(())
}
