//! Evaluation of a language model on held-out sequences.

mod support;

use std::ops::ControlFlow;

use assay_engine::{Engine, Path, State, Tensor};
use assay_models::{evaluate_transformer, transformer, Optimiser, Sequences, TransformerConfig};
use assay_program::{DType, Lane};
use support::{cpu, engine};

fn config() -> TransformerConfig {
	TransformerConfig {
		vocabulary: 13,
		context: 9,
		layers: 1,
		heads: 2,
		width: 32,
		dropout: 0.1,
		lane: Lane::F32,
		optimiser: Optimiser::adamw(0.005),
		batch: 4,
		steps: 60,
		segment_steps: 30,
		seed: [7; 32],
	}
}

/// Sequences of a text in which each token is 3 times the one before plus 1 or plus 2 modulo 13.
fn sequences() -> Sequences {
	let ids = (0..310u32).scan(5, |token, at| {
		*token = (3 * *token + 1 + u32::from(at % 7 == 0)) % 13;
		Some(*token)
	});
	Sequences::cut(&ids.collect::<Vec<_>>(), 9, 5).expect("long enough")
}

fn loss(trained: &Engine, state: &State, held_out: &Tensor, batch: u32) -> f32 {
	let config = TransformerConfig { batch, ..config() };
	evaluate_transformer(&config, trained, state, held_out, cpu(Path::Auto, 1)).expect("runs").loss
}

#[test]
fn training_lowers_the_held_out_loss() {
	let data = sequences();
	let engine = engine(&transformer(&config(), &data.train).expect("valid"), cpu(Path::Auto, 1));
	let mut state = engine.initial_state();
	let before = loss(&engine, &state, &data.held_out, 4);
	engine.run(&mut state, 60, &mut |_| ControlFlow::Continue(())).expect("runs");
	let after = loss(&engine, &state, &data.held_out, 4);
	assert!((before - 13f32.ln()).abs() < 0.1, "{before}");
	assert!(after < 0.7 * before, "{before} to {after}");
}

#[test]
fn groups_of_any_size_give_the_mean_of_all_sequences() {
	let data = sequences();
	let engine = engine(&transformer(&config(), &data.train).expect("valid"), cpu(Path::Auto, 1));
	let mut state = engine.initial_state();
	engine.run(&mut state, 20, &mut |_| ControlFlow::Continue(())).expect("runs");
	let bits = data.held_out.bits();
	let rows: Vec<&[u32]> = bits.chunks(10).collect();
	assert_eq!(rows.len(), 6);
	let each: Vec<f32> = rows
		.iter()
		.map(|row| loss(&engine, &state, &Tensor::new(DType::I32, 1, 10, row.to_vec()).unwrap(), 4))
		.collect();
	let mean = each.iter().sum::<f32>() / 6.0;
	assert!(each.iter().any(|loss| (loss - mean).abs() > 0.01), "{each:?}");
	for batch in [1, 2, 4, 5, 6, 100] {
		let found = loss(&engine, &state, &data.held_out, batch);
		assert!((found - mean).abs() < 1e-5, "{batch}: {found} where {mean} is the mean");
	}
}

#[test]
fn fails_when_sequences_have_another_length() {
	let data = sequences();
	let config = TransformerConfig { context: 8, ..config() };
	assert!(assay_models::transformer_evaluation(&config, &data.held_out).is_err());
}
