//! Whole training steps: state, metrics and roots are those of the CPU engine.

use std::{ops::ControlFlow, sync::Arc};

use assay_cuda::{cases::Random, Backend, Device, Session};
use assay_engine::{Cpu, Engine, Path, State, Tensor};
use assay_models::{cnn, transformer, CnnConfig, Model, Optimiser, Split, TransformerConfig};
use assay_program::{DType, Lane, TensorId};

/// Sequences in which each token follows from the one before: 3 x + 1 modulo 13, from every start.
fn sequences(length: u32) -> Result<Tensor, String> {
	let tokens = (0..13u32).flat_map(|start| {
		(0..length).scan(start, |token, _| {
			let now = *token;
			*token = (3 * now + 1) % 13;
			Some(now)
		})
	});
	Tensor::new(DType::I32, 13, length, tokens.collect()).map_err(|error| error.to_string())
}

/// A language model of two blocks with dropout: every kind of op that training one needs.
pub(crate) fn model() -> Result<Model, String> {
	language_model(Lane::F32)
}

fn language_model(lane: Lane) -> Result<Model, String> {
	let config = TransformerConfig {
		lane,
		vocabulary: 13,
		context: 9,
		layers: 2,
		heads: 2,
		width: 32,
		dropout: 0.1,
		optimiser: Optimiser::adamw(0.003),
		batch: 5,
		steps: 60,
		segment_steps: 10,
		seed: [7; 32],
	};
	transformer(&config, &sequences(10)?).map_err(|error| format!("{error:?}"))
}

pub(crate) fn engine(model: &Model) -> Result<Engine, String> {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1).map_err(|error| error.to_string())?);
	Engine::new(model.program.clone(), model.data.clone(), cpu).map_err(|error| error.to_string())
}

pub(crate) fn bits(engine: &Engine, state: &State) -> Vec<Vec<u32>> {
	let tensors = engine.program().state_tensors();
	tensors.filter_map(|(id, _)| Some(engine.state_tensor(state, id)?.bits().to_vec())).collect()
}

/// Data of a model that has none in int8.
pub(crate) fn data(model: &Model) -> Vec<(TensorId, &[u32])> {
	model.data.iter().map(|(id, tensor)| (*id, tensor.matrix().bits)).collect()
}

/// A convolutional classifier of noise.
fn image_model() -> Result<Model, String> {
	let (images, mut random) = (20, Random::new(24));
	let pixels = (0..images * 9 * 7 * 3).map(|_| random.ordinary()).collect();
	let x = Tensor::new(DType::F32, images, 9 * 7 * 3, pixels).map_err(|error| error.to_string())?;
	let y = (0..images).map(|_| random.below(4)).collect();
	let y = Tensor::new(DType::I32, images, 1, y).map_err(|error| error.to_string())?;
	let config = CnnConfig { convolutions: vec![5, 4], batch: 6, ..CnnConfig::new(9, 7, 3, 4) };
	cnn(&config, &Split { x, y }).map_err(|error| format!("{error:?}"))
}

pub(crate) fn training<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	three_steps(devices, &model()?)
}

pub(crate) fn training_in_int8<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	three_steps(devices, &language_model(Lane::I8)?)
}

pub(crate) fn training_on_images<D: Device>(devices: &[Backend<D>]) -> Result<(), String> {
	three_steps(devices, &image_model()?)
}

/// Three steps, looked at after each.
fn three_steps<D: Device>(devices: &[Backend<D>], model: &Model) -> Result<(), String> {
	let engine = engine(model)?;
	for backend in devices {
		let mut state = engine.initial_state();
		let mut session = Session::new(backend, engine.program(), &data(model), &bits(&engine, &state), 0)
			.map_err(|error| error.to_string())?;
		for step in 0..3 {
			let mut metrics = Vec::new();
			let mut keep = |report: &assay_engine::StepReport<'_>| {
				metrics = report.metrics.iter().map(|metric| metric.to_bits()).collect();
				ControlFlow::Continue(())
			};
			engine.run(&mut state, step + 1, &mut keep).map_err(|error| error.to_string())?;
			session.step().map_err(|error| error.to_string())?;
			if session.metrics().map_err(|error| error.to_string())? != metrics {
				return Err(format!("step {step}: the metrics differ"));
			}
			if session.state().map_err(|error| error.to_string())? != bits(&engine, &state) {
				return Err(format!("step {step}: the states differ"));
			}
		}
		let tensors = engine.program().state_tensors();
		let roots: Vec<_> = tensors.filter_map(|(id, _)| Some(engine.state_tensor(&state, id)?.root())).collect();
		if session.state_roots().map_err(|error| error.to_string())? != roots || roots.is_empty() {
			return Err("the roots of the state differ".to_owned());
		}
	}
	Ok(())
}
