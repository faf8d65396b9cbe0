//! Low-rank parts, int8 layers and evaluation of trained decoders.

mod support;

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path, State, Tensor};
use assay_import::{
	evaluate_fine_tuning, fine_tuned, fine_tuning, forward, Checkpoint, FineTuning, Forward, ImportError, Inputs,
	LoraTerms, ModelDirectory,
};
use assay_models::Optimiser;
use assay_program::{DType, Lane, Role};
use support::{case, distance, engine, output};

const STEPS: u64 = 60;

fn tuning(lora: Option<LoraTerms>, lane: Lane) -> FineTuning {
	let optimiser = Optimiser::adamw(0.01);
	FineTuning { optimiser, lora, lane, batch: 4, steps: STEPS, segment_steps: 10, seed: [3; 32] }
}

const TERMS: LoraTerms = LoraTerms { rank: 4, alpha: 8.0 };

/// Sequences that repeat: after 3 comes 4, after 4 comes 5.
fn tokens(rows: u32) -> Tensor {
	let ids = (0..rows).flat_map(|row| (0..9u32).map(move |position| 3 + (row + position) % 6));
	Tensor::new(DType::I32, rows, 9, ids.collect()).unwrap()
}

/// The engine, the state after training, and each step's loss.
fn train(directory: &ModelDirectory, config: &FineTuning) -> (Engine, State, Vec<f32>) {
	let model = fine_tuning(directory.family(), directory.checkpoint(), &tokens(6), config).expect("builds");
	let engine = engine(&model);
	let mut state = engine.initial_state();
	let mut losses = Vec::new();
	let mut keep = |report: &assay_engine::StepReport<'_>| {
		losses.push(report.metrics[0]);
		ControlFlow::Continue(())
	};
	engine.run(&mut state, STEPS, &mut keep).expect("runs");
	(engine, state, losses)
}

#[test]
fn training_starts_from_the_model_and_changes_only_low_rank_parts() {
	for name in ["gpt2", "llama", "llama3"] {
		let (directory, _, _) = case(name);
		let (_, _, whole) = train(&directory, &tuning(None, Lane::F32));
		let (engine, state, losses) = train(&directory, &tuning(Some(TERMS), Lane::F32));
		assert!((losses[0] - whole[0]).abs() < 1e-5, "{name}: {} where {} is the frozen model's", losses[0], whole[0]);
		let last = losses[STEPS as usize - 1];
		assert!(last < 0.7 * losses[0], "{name}: {} to {last}", losses[0]);
		let params = engine.program().tensors.iter().filter(|decl| matches!(decl.role, Role::Param(_)));
		let names: Vec<_> = params.map(|decl| String::from_utf8(decl.name.clone()).unwrap()).collect();
		assert!(names.iter().all(|name| name.ends_with(".lora_a") || name.ends_with(".lora_b")), "{names:?}");
		let layers = directory.family().layers() as usize;
		assert_eq!(names.len(), 2 * layers * if name == "gpt2" { 4 } else { 7 });
		for name in names {
			let tensor = |state| engine.state_tensor_named(state, &name);
			assert_ne!(tensor(&state), tensor(&engine.initial_state()), "{name} has not changed");
		}
	}
}

#[test]
fn merged_weights_give_the_adapted_networks_loss() {
	for name in ["gpt2", "llama", "llama3"] {
		let (directory, _, _) = case(name);
		let (family, config) = (directory.family(), tuning(Some(TERMS), Lane::F32));
		let (engine, state, _) = train(&directory, &config);
		let tensors = fine_tuned(family, directory.checkpoint(), &config, &engine, &state).expect("merges");
		let merged = Checkpoint::from_tensors(tensors).expect("finite");
		let held_out = tokens(5);
		let cpu = || Arc::new(Cpu::new(Path::Auto, 1).unwrap());
		let evaluate = |checkpoint: &Checkpoint, config: &FineTuning, engine: &Engine, state: &State| {
			evaluate_fine_tuning(family, checkpoint, config, engine, state, &held_out, cpu()).expect("runs").loss
		};
		let adapted = evaluate(directory.checkpoint(), &config, &engine, &state);
		// The merged weights as a model of its own, at the start of its own training.
		let whole = tuning(None, Lane::F32);
		let fresh = support::engine(&fine_tuning(family, &merged, &held_out, &whole).expect("builds"));
		let found = evaluate(&merged, &whole, &fresh, &fresh.initial_state());
		assert!((found - adapted).abs() < 1e-4, "{name}: {found} where {adapted} is the adapted network's");
		let original = fine_tuning(family, directory.checkpoint(), &held_out, &whole).expect("builds");
		let original = support::engine(&original);
		let before = evaluate(directory.checkpoint(), &whole, &original, &original.initial_state());
		assert!(adapted < 0.7 * before, "{name}: {before} to {adapted}");
	}
}

#[test]
fn merged_weights_give_the_adapted_networks_logits() {
	for name in ["gpt2", "llama"] {
		let (directory, _, _) = case(name);
		let (family, config) = (directory.family(), tuning(Some(TERMS), Lane::F32));
		let (engine, state, _) = train(&directory, &config);
		let tensors = fine_tuned(family, directory.checkpoint(), &config, &engine, &state).expect("merges");
		let merged = Checkpoint::from_tensors(tensors).expect("finite");
		let ids = Tensor::new(DType::I32, 1, 8, tokens(1).bits()[..8].to_vec()).unwrap();
		let logits = |checkpoint: &Checkpoint| {
			output(&forward(family, checkpoint, &Inputs::tokens(ids.clone()), &Forward::default()).expect("builds"))
		};
		// The adapted network's own logits, out of a program of the same graph: the first operand of its cross entropy.
		let row = Tensor::new(DType::I32, 1, 9, tokens(1).bits().to_vec()).unwrap();
		let one = FineTuning { batch: 1, ..config.clone() };
		let model = fine_tuning(family, directory.checkpoint(), &row, &one).expect("builds");
		let adapted = support::engine(&model);
		let start = adapted.initial_state_with(|name| engine.state_tensor_named(&state, name)).expect("fits");
		let spec = logits(&merged).spec();
		let first = adapted.program().ops.iter().map(|op| op.output).find(|id| {
			adapted.program().decl(*id).is_some_and(|decl| (decl.rows, decl.cols) == (spec.rows, spec.cols))
		});
		let found = adapted.outputs(&start, &[first.expect("logits")]).expect("runs").remove(0);
		let error = distance(&found, &logits(&merged));
		assert!(error < 1e-4, "{name}: {error:e}");
		assert!(distance(&found, &logits(directory.checkpoint())) > 0.1, "{name}");
	}
}

#[test]
fn layers_in_int8_learn_too() {
	let (directory, _, _) = case("llama");
	for lora in [None, Some(TERMS)] {
		let (engine, _, losses) = train(&directory, &tuning(lora, Lane::I8));
		assert_eq!(engine.program().header.lane, Lane::I8);
		let last = losses[STEPS as usize - 1];
		assert!(last < 0.7 * losses[0], "{lora:?}: {} to {last}", losses[0]);
	}
}

#[test]
fn all_weights_are_exported_where_all_are_trained() {
	let (directory, _, _) = case("gpt2");
	let config = tuning(None, Lane::F32);
	let (engine, state, _) = train(&directory, &config);
	let tensors = fine_tuned(directory.family(), directory.checkpoint(), &config, &engine, &state).unwrap();
	assert_eq!(tensors.len(), directory.checkpoint().names().count());
	for (name, tensor) in &tensors {
		assert_eq!(Some(tensor), engine.state_tensor_named(&state, name).as_ref());
		assert_ne!(tensor, &directory.checkpoint().read(name).unwrap(), "{name}");
	}
}

#[test]
fn fails_when_terms_make_no_sense() {
	let (directory, _, _) = case("gpt2");
	for (rank, alpha) in [(0, 1.0), (1 << 17, 1.0), (4, 0.0), (4, f32::NAN)] {
		let config = tuning(Some(LoraTerms { rank, alpha }), Lane::F32);
		let made = fine_tuning(directory.family(), directory.checkpoint(), &tokens(6), &config);
		assert!(matches!(made, Err(ImportError::Request(_))), "{rank} {alpha}");
	}
}
