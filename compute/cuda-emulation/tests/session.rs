//! Sessions: resuming, overflow, what does not fit. Whole steps are a suite of `conformance`.

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;

use std::ops::ControlFlow;

use assay_cuda::{Backend, Session, SessionError};
use assay_cuda_emulation::{Emulated, Order};
use assay_engine::Tensor;
use assay_program::{OpKind, Role, TensorId};
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

/// Each parameter's update, thirteen ops of AdamW, is among them; its intermediate results have no memory.
#[test]
fn elementwise_ops_that_follow_each_other_are_one_launch() {
	let model = model().expect("valid");
	let engine = engine(&model).expect("loads");
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let start = bits(&engine, &engine.initial_state());
	let mut session = Session::new(&backend, engine.program(), &data(&model), &start, 0).expect("fits");
	session.step().expect("runs");
	let launches = backend.device().launches();
	let elementwise = |kind| matches!(kind, OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma);
	let ops = engine.program().ops.iter().filter(|op| elementwise(op.kind)).count() as u64;
	let single: u64 = launches
		.iter()
		.filter(|(name, _)| name.contains("ary_") || **name == "multiply_add")
		.map(|(_, count)| count)
		.sum();
	let params = engine.program().tensors.iter().filter(|decl| matches!(decl.role, Role::Param(_))).count() as u64;
	assert!(
		launches["chain"] >= params && launches["chain"] + single < ops / 4,
		"{ops} ops, {params} parameters: {launches:?}"
	);
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
