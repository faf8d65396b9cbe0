//! Parameters that start from given tensors: what a program needs, what it refuses, and training on from them.

mod support;

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{requirements, Cpu, Engine, EngineError, Path, Tensor};
use assay_import::{
	fine_tuning, fine_tuning_evaluation, write_safetensors, Checkpoint, FineTuning, Forward, Inputs, LoraTerms, Named,
	Weights,
};
use assay_models::{Model, Optimiser};
use assay_program::{decode_program, DType, Init, Lane, Limits, Role};
use assay_referee::whole;
use support::{build, case, engine, output};

fn load(model: Model) -> Result<Engine, EngineError> {
	Engine::new(model.program, model.data, Arc::new(Cpu::new(Path::Portable, 1).unwrap()))
}

fn trained() -> Model {
	let (directory, inputs, _) = case("gpt2");
	build(&directory, &inputs, &Forward { weights: Weights::Trained, ..Forward::default() })
}

#[test]
fn the_initial_state_is_what_was_given() {
	let (directory, _, _) = case("gpt2");
	let engine = engine(&trained());
	let state = engine.initial_state();
	assert_eq!(
		whole::init_state(engine.program()).len(),
		1,
		"the referee computes initial values, it is not given any"
	);
	for name in directory.checkpoint().names() {
		assert_eq!(engine.state_tensor_named(&state, name), Some(directory.checkpoint().read(name).unwrap()), "{name}");
	}
}

#[test]
fn requirements_name_every_blob() {
	use codec::Encode;
	let model = trained();
	let wanted = requirements(&model.program);
	assert_eq!(wanted.len(), model.data.len());
	for (wanted, (id, tensor)) in wanted.iter().zip(&model.data) {
		assert_eq!((wanted.id, wanted.spec, wanted.root), (*id, tensor.spec(), tensor.root()));
	}
	let given = |role: &Role| matches!(role, Role::Param(Init::Given { .. }));
	assert_eq!(model.program.tensors.iter().filter(|decl| given(&decl.role)).count(), 28);
	// The memory of given values is counted next to the state's.
	let frozen = build(&case("gpt2").0, &case("gpt2").1, &Forward::default());
	assert_eq!(model.program.memory().data, frozen.program.memory().data);
	assert!(model.program.memory().state > frozen.program.memory().state);
	let bytes = model.program.encode();
	assert_eq!(decode_program(&bytes, &Limits::default()), Ok(model.program));
}

#[test]
fn fails_when_a_given_value_is_missing_or_another() {
	let model = trained();
	let at = model.program.tensors.iter().position(|decl| decl.name.starts_with(b"transformer.h.0.ln_1")).unwrap();
	let position = model.data.iter().position(|(id, _)| id.0 as usize == at).unwrap();
	let with = |alter: &dyn Fn(&mut Model)| {
		let mut model = model.clone();
		alter(&mut model);
		load(model).err()
	};
	let name = || String::from_utf8(model.program.tensors[at].name.clone()).unwrap();
	assert_eq!(with(&|model| drop(model.data.remove(position))), Some(EngineError::DataMissing { name: name() }));
	let other = |rows, cols| Tensor::new(DType::F32, rows, cols, vec![0; (rows * cols) as usize]).unwrap();
	assert_eq!(with(&|model| model.data[position].1 = other(1, 24)), Some(EngineError::DataRoot { name: name() }));
	assert_eq!(with(&|model| model.data[position].1 = other(24, 1)), Some(EngineError::DataShape { name: name() }));
	assert!(matches!(with(&|m| m.data.push(m.data[position].clone())), Some(EngineError::DataUnknown { .. })));
	assert_eq!(with(&|_| ()), None);
}

/// Sequences that repeat: after 3 comes 4, after 4 comes 5.
fn tokens() -> Tensor {
	let rows = (0..6u32).flat_map(|row| (0..9u32).map(move |position| 3 + (row + position) % 6));
	Tensor::new(DType::I32, 6, 9, rows.collect()).unwrap()
}

fn tuning() -> FineTuning {
	FineTuning {
		optimiser: Optimiser::adamw(0.003),
		lora: None,
		lane: Lane::F32,
		batch: 4,
		steps: 40,
		segment_steps: 10,
		seed: [3; 32],
	}
}

#[test]
fn a_decoder_is_trained_on() {
	for name in ["gpt2", "llama", "llama3"] {
		let (directory, _, _) = case(name);
		let model = fine_tuning(directory.family(), directory.checkpoint(), &tokens(), &tuning()).unwrap();
		let engine = engine(&model);
		let mut state = engine.initial_state();
		let mut losses = Vec::new();
		let mut keep = |report: &assay_engine::StepReport<'_>| {
			losses.push(report.metrics[0]);
			ControlFlow::Continue(())
		};
		engine.run(&mut state, 40, &mut keep).unwrap();
		// Guessing among 80 costs 4.4 nats.
		assert!(losses[0] > 3.0 && losses[39] < 0.5, "{name}: {losses:?}");
	}
}

#[test]
fn the_referee_gets_the_same_trace() {
	let terms = Some(LoraTerms { rank: 2, alpha: 4.0 });
	for (name, lora, lane) in [("llama3", None, Lane::F32), ("gpt2", terms, Lane::F32), ("llama", terms, Lane::I8)] {
		let (directory, _, _) = case(name);
		let config = FineTuning { lora, lane, ..tuning() };
		let (family, checkpoint) = (directory.family(), directory.checkpoint());
		refereed(&fine_tuning(family, checkpoint, &tokens(), &config).unwrap());
		refereed(&fine_tuning_evaluation(family, checkpoint, &tokens(), &config).unwrap());
	}
}

/// The first step, by integers alone and by the backend.
fn refereed(model: &Model) {
	let engine = engine(model);
	let state = engine.initial_state();
	let program = engine.program();
	let tensor = |id| engine.state_tensor(&state, id).expect("a state tensor").bits().to_vec();
	let soft = program.state_tensors().map(|(id, _)| (id, tensor(id))).collect();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, 0, &soft, &data).expect("runs");
	let leaves = whole::trace_leaves(program, 0, &step).expect("a trace");
	let trace = engine.trace(&state).expect("runs");
	assert_eq!(trace.leaves(), leaves.iter().copied().map(Some).collect::<Vec<_>>());
}

#[test]
fn a_trained_model_is_exported_and_imported_again() {
	let (directory, inputs, _) = case("gpt2");
	let model = fine_tuning(directory.family(), directory.checkpoint(), &tokens(), &tuning()).unwrap();
	let engine = engine(&model);
	let mut state = engine.initial_state();
	engine.run(&mut state, 10, &mut |_| ControlFlow::Continue(())).unwrap();

	let exported: Vec<(String, Tensor)> = directory
		.checkpoint()
		.names()
		.map(|name| (name.to_owned(), engine.state_tensor_named(&state, name).expect("a parameter")))
		.collect();
	let named: Vec<_> = exported.iter().map(|(name, tensor)| Named { name, tensor, flat: true }).collect();
	let folder = tempfile::TempDir::new().unwrap();
	let path = folder.path().join("model.safetensors");
	write_safetensors(&path, &named).unwrap();

	let checkpoint = Checkpoint::file(&path).unwrap();
	for (name, tensor) in &exported {
		assert_eq!(&checkpoint.read(name).unwrap(), tensor);
		assert_eq!(checkpoint.entry(name).unwrap().shape, directory.checkpoint().entry(name).unwrap().shape, "{name}");
	}
	let inputs = Inputs::tokens(inputs.ids);
	let run = |checkpoint| {
		output(&assay_import::forward(directory.family(), checkpoint, &inputs, &Forward::default()).unwrap())
	};
	assert_ne!(run(&checkpoint), run(directory.checkpoint()));
}
