//! One program, one result: whatever the instructions, the threads, the interruptions; and the referee's.

mod support;

use std::{collections::BTreeSet, ops::ControlFlow};

use assay_engine::{Outcome, Path, RunError, Tensor};
use assay_models::{transformer, Model, Optimiser, TransformerConfig};
use assay_program::{DType, Lane};
use assay_referee::whole;
use support::{cpu, digits, engine, on, small};

#[test]
fn paths_and_threads_give_one_root() {
	let (_, model) = small();
	let mut roots = BTreeSet::new();
	for path in Path::here() {
		for threads in [1, 2] {
			let engine = engine(&model, cpu(path, threads));
			let mut state = engine.initial_state();
			assert_eq!(engine.run(&mut state, 12, &mut on), Ok(Outcome::Finished));
			roots.insert(engine.state_root(&state).expect("a root"));
		}
	}
	assert_eq!(roots.len(), 1);
}

#[test]
fn an_interrupted_run_resumes_to_the_same_root() {
	let (_, model) = small();
	let engine = engine(&model, cpu(Path::Auto, 1));
	let mut whole = engine.initial_state();
	engine.run(&mut whole, 12, &mut on).expect("runs");

	let mut state = engine.initial_state();
	let mut stop_after_seven = |report: &assay_engine::StepReport<'_>| match report.step {
		6 => ControlFlow::Break(()),
		_ => ControlFlow::Continue(()),
	};
	assert_eq!(engine.run(&mut state, 12, &mut stop_after_seven), Ok(Outcome::Stopped));
	assert_eq!(state.step(), 7);
	let blob = engine.encode_checkpoint(&state).expect("encodes");
	assert_eq!(blob.len() as u64, engine.checkpoint_len());
	let root = engine.state_root(&state).expect("a root");

	let (mut resumed, loaded_root) = engine.decode_checkpoint(&blob).expect("decodes");
	assert_eq!((loaded_root, &resumed), (root, &state));
	engine.run_segment(&mut resumed, 1, &mut on).expect("finishes the segment");
	assert_eq!(resumed.step(), 8);
	engine.run_segment(&mut resumed, 2, &mut on).expect("runs the last segment");
	assert_eq!(resumed, whole);
	assert!(matches!(engine.run_segment(&mut resumed, 3, &mut on), Err(RunError::OutOfRange { .. })));
}

#[test]
fn the_referee_gets_the_same_trace() {
	let (_, model) = small();
	let engine = engine(&model, cpu(Path::Auto, 2));
	let program = engine.program();
	let mut state = engine.initial_state();
	let soft_start = whole::init_state(program);
	assert_eq!(whole::state_root_of(program, 0, &soft_start), Ok(engine.state_root(&state).expect("a root")));

	engine.run(&mut state, 5, &mut on).expect("runs");
	let ids: Vec<_> = program.state_tensors().map(|(id, _)| id).collect();
	let soft =
		ids.iter().map(|id| (*id, engine.state_tensor(&state, *id).expect("a state tensor").bits().to_vec())).collect();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, 5, &soft, &data).expect("runs");
	let trace = engine.trace(&state).expect("runs");
	let leaves = whole::trace_leaves(program, 5, &step).expect("a trace");
	assert_eq!(trace.leaves(), leaves.iter().copied().map(Some).collect::<Vec<_>>());
	assert_eq!(trace.tree().map(|tree| tree.root()), whole::trace_root(&leaves));
	engine.run(&mut state, 6, &mut on).expect("runs");
	assert_eq!(trace.post(), Some(&state));
}

#[test]
fn another_seed_or_other_data_give_another_root() {
	let (config, model) = small();
	let root = |model: &assay_models::Model| {
		let engine = engine(model, cpu(Path::Auto, 1));
		let mut state = engine.initial_state();
		engine.run(&mut state, 2, &mut on).expect("runs");
		engine.state_root(&state).expect("a root")
	};
	let data = digits();
	let seeded = assay_models::MlpConfig { seed: [6; 32], ..config.clone() };
	let seeded = assay_models::mlp(&seeded, &data.train).expect("valid");
	let other = assay_models::mlp(&config, &data.held_out).expect("valid");
	assert_eq!(BTreeSet::from([root(&model), root(&seeded), root(&other)]).len(), 3);
}

#[test]
fn checkpoints_that_are_not_the_programs_are_refused() {
	use assay_engine::CheckpointError;
	let (config, model) = small();
	let engine = engine(&model, cpu(Path::Auto, 1));
	let mut state = engine.initial_state();
	engine.run(&mut state, 3, &mut on).expect("runs");
	let blob = engine.encode_checkpoint(&state).expect("encodes");
	let root = engine.state_root(&state).expect("a root");
	assert_eq!(engine.load_checkpoint(&blob, &root).as_ref(), Ok(&state));

	assert!(matches!(engine.decode_checkpoint(&blob[1..]), Err(CheckpointError::Length { .. })));
	assert!(matches!(engine.decode_checkpoint(&[]), Err(CheckpointError::Length { .. })));
	let altered = |at: usize| {
		let mut blob = blob.clone();
		blob[at] ^= 1;
		engine.load_checkpoint(&blob, &root).expect_err("altered")
	};
	assert_eq!(altered(0), CheckpointError::Format);
	assert_eq!(altered(9), CheckpointError::Format);
	assert_eq!(altered(10), CheckpointError::Program);
	assert_eq!(altered(42), CheckpointError::Root);
	assert!(matches!(altered(49), CheckpointError::Step(_)));
	assert_eq!(altered(50), CheckpointError::Root);
	// The last bytes pad the last tensor.
	assert!(matches!(altered(blob.len() - 1), CheckpointError::Tensor { .. }));

	let other = assay_models::MlpConfig { seed: [6; 32], ..config };
	let other = assay_models::mlp(&other, &digits().train).expect("valid");
	assert_eq!(
		support::engine(&other, cpu(Path::Auto, 1)).decode_checkpoint(&blob).err(),
		Some(CheckpointError::Program)
	);
}

#[test]
fn a_run_that_diverges_fails_at_one_place() {
	let data = digits();
	let config = assay_models::MlpConfig {
		optimiser: assay_models::Optimiser::Sgd { rate: 1e12, momentum: 0.0 },
		steps: 50,
		..assay_models::MlpConfig::new(data.features, data.classes)
	};
	let model = assay_models::mlp(&config, &data.train).expect("valid");
	let mut failures = BTreeSet::new();
	for path in [Path::Portable, Path::Auto] {
		let engine = engine(&model, cpu(path, 1));
		let mut state = engine.initial_state();
		match engine.run(&mut state, 50, &mut on) {
			Err(RunError::NonFinite { step, op, .. }) => {
				assert_eq!(state.step(), step, "the state stays at the last step done");
				let trace = engine.trace(&state).expect("a trace up to the failure");
				assert_eq!(trace.failure(), Some(op));
				assert!(trace.leaves()[..op as usize].iter().all(Option::is_some));
				assert!(trace.leaves()[op as usize..].iter().all(Option::is_none));
				let chunks = engine.traced_chunks(&trace, op).expect("the op's chunks");
				assert!(chunks.iter().any(Option::is_none));
				failures.insert((step, op));
			}
			other => panic!("{other:?}"),
		}
	}
	assert_eq!(failures.len(), 1);
}

/// A GPT-2-style model on 64 sequences of small integers.
fn language(lane: Lane) -> Model {
	let config = TransformerConfig {
		vocabulary: 48,
		context: 12,
		layers: 1,
		heads: 2,
		width: 24,
		dropout: 0.1,
		lane,
		optimiser: Optimiser::adamw(0.002),
		batch: 2,
		steps: 1_000,
		segment_steps: 100,
		seed: [3; 32],
	};
	let tokens = (0..64 * 13u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 20) % 48).collect();
	let tokens = Tensor::new(DType::I32, 64, 13, tokens).expect("a shape");
	transformer(&config, &tokens).expect("valid")
}

/// What every machine ends in, whatever its processor.
const F32_ROOT: &str = "db6443e4c220a507c3e3e3a250bf332a0602bc874256bda0d9392249efd3c415";
const I8_ROOT: &str = "a90cc3879cd7bec6f31e5872cef6f3ab5df5236ee17e426ee5d86589778c24f7";

/// Long enough for a difference in any bit to spread over the whole state.
#[test]
fn a_thousand_steps_of_a_language_model_give_one_root_in_each_lane() {
	for (lane, known) in [(Lane::F32, F32_ROOT), (Lane::I8, I8_ROOT)] {
		let model = language(lane);
		let mut roots = BTreeSet::new();
		for path in Path::here() {
			for threads in [1, 2] {
				let engine = engine(&model, cpu(path, threads));
				let mut state = engine.initial_state();
				engine.run(&mut state, 1_000, &mut on).expect("runs");
				roots.insert(engine.state_root(&state).expect("a root"));
			}
		}
		let engine = engine(&model, cpu(Path::Auto, 2));
		let mut state = engine.initial_state();
		for until in [1, 17, 500, 983] {
			engine.run(&mut state, until, &mut on).expect("runs");
			let blob = engine.encode_checkpoint(&state).expect("encodes");
			(state, _) = engine.decode_checkpoint(&blob).expect("decodes");
		}
		engine.run(&mut state, 1_000, &mut on).expect("runs");
		roots.insert(engine.state_root(&state).expect("a root"));
		assert_eq!(roots.len(), 1, "{lane:?}");
		let found = roots.first().map(|root| root.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
		assert_eq!(found.as_deref(), Some(known), "{lane:?}: the same on every machine");
	}
}
