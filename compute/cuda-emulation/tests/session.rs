//! Sessions: resuming, overflow, what does not fit. Whole steps are a suite of `conformance`.

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;

use std::ops::ControlFlow;

use assay_cuda::{Backend, Device, Session, SessionError, StepTraffic};
use assay_cuda_emulation::{Emulated, Order};
use assay_engine::Tensor;
use assay_program::{Axis, OpKind, TensorId};
use conformance::training::{bits, data, engine, model};

#[test]
fn a_session_goes_on_from_a_checkpoint() {
	let model = model().expect("valid");
	let engine = engine(&model).expect("loads");
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let mut state = engine.initial_state();
	engine.run(&mut state, 4, &mut |_| ControlFlow::Continue(())).expect("runs");
	let mut session = Session::new(&backend, engine.program(), &data(&model), &bits(&engine, &state), 4).expect("fits");
	session.step().expect("runs");
	engine.run(&mut state, 5, &mut |_| ControlFlow::Continue(())).expect("runs");
	assert!(session.state().expect("reads") == bits(&engine, &state));
}

/// Parameters' updates, thirteen ops of AdamW each, are among them, and norms, softmaxes, the cross-entropy, and their gradients;
/// what lies between has no memory.
#[test]
fn ops_that_go_together_are_one_launch() {
	let model = model().expect("valid");
	let engine = engine(&model).expect("loads");
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let start = bits(&engine, &engine.initial_state());
	let mut session = Session::new(&backend, engine.program(), &data(&model), &start, 0).expect("fits");
	session.step().expect("runs");
	let launches = backend.device().launches();
	let program = engine.program();
	let count = |of: fn(OpKind) -> bool| program.ops.iter().filter(|op| of(op.kind)).count() as u64;
	let elementwise = count(|kind| matches!(kind, OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma));
	let single: u64 = launches
		.iter()
		.filter(|(name, _)| name.contains("ary_") || **name == "multiply_add")
		.map(|(_, count)| count)
		.sum();
	assert!(launches["chain"] + launches["chain_rows"] + single < elementwise / 8, "{elementwise} ops: {launches:?}");
	assert!(count(|kind| matches!(kind, OpKind::Reduce { axis: Axis::Cols, .. })) > 20);
	for kernel in ["sum_over_cols", "max_over_cols", "causal", "dropout", "one_hot", "unary_exp"] {
		assert!(!launches.contains_key(kernel), "{kernel}: {launches:?}");
	}
	// What is counted without a device is what is launched, and copied at the end of the step.
	let counted = StepTraffic::of(program, &backend.device().profile()).expect("lowers");
	assert_eq!(counted.sum().launches - program.updates.len() as u64, launches.values().sum());
	assert_eq!(counted.kernels["chain_rows"].launches, launches["chain_rows"]);
}

#[test]
fn a_step_that_overflows_leaves_the_state() {
	let model = model().expect("valid");
	let engine = engine(&model).expect("loads");
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let mut start = bits(&engine, &engine.initial_state());
	// The largest number everywhere in the first parameter: products with it overflow.
	start[0].fill(0x7f7f_ffff);
	let mut session = Session::new(&backend, engine.program(), &data(&model), &start, 0).expect("fits");
	let failed = session.step();
	let (_, large) = engine.program().state_tensors().next().expect("a parameter");
	let tensor = Tensor::new(large.dtype, large.rows, large.cols, start[0].clone()).expect("its shape");
	let mut state = engine.state_at(0, |name| (name.as_bytes() == large.name).then(|| tensor.clone())).expect("fits");
	match (engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(())), failed) {
		(Err(assay_engine::RunError::NonFinite { op: cpu, .. }), Err(SessionError::NonFinite { step: 0, op })) => {
			assert_eq!(op, cpu);
		}
		other => panic!("{other:?}"),
	}
	assert_eq!(session.steps_done(), 0);
	assert!(session.state().expect("reads") == start, "the state was written");
}

#[test]
fn what_does_not_belong_to_the_program_is_refused() {
	let model = model().expect("valid");
	let engine = engine(&model).expect("loads");
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let start = bits(&engine, &engine.initial_state());
	let refused = |data: &[(TensorId, &[u32])], state: &[Vec<u32>]| {
		Session::new(&backend, engine.program(), data, state, 0).map(|_| ()).expect_err("refused")
	};
	assert!(matches!(refused(&[], &start), SessionError::Data(_)));
	assert_eq!(refused(&data(&model), &start[1..]), SessionError::State);
	let longer: Vec<_> = start.iter().cloned().chain([vec![0]]).collect();
	assert_eq!(refused(&data(&model), &longer), SessionError::State);
}

/// What a suite says of a device of which one kernel has one bit wrong.
fn said_of(kernel: &'static str) -> String {
	let device = Emulated::new(8, Order::Ascending).with_faulty_kernel(kernel);
	conformance::training::training(&[Backend::on(device).expect("memory")]).expect_err("a wrong bit")
}

#[test]
fn a_difference_is_told_with_its_op_kernel_element_and_bits() {
	let said = said_of("lookup");
	for part in ["step 0", "op ", "Lookup", "kernels lookup", "element ", "expected "] {
		assert!(said.contains(part), "{part}: {said}");
	}
	let said = said_of("chain_rows");
	for part in ["every op is equal by itself", "chain_rows", "`", "element ", "expected "] {
		assert!(said.contains(part), "{part}: {said}");
	}
}
