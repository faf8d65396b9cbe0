//! Each family computes what PyTorch computes, within the accuracy of f32.
//!
//! Outputs are of the order of one. PyTorch's own f32 is up to about 1e-6 from its f64 on these models, so a bound of
//! `TOLERANCE` holds for rounding alone; a wrong layer is off by 1e-2 or more.

mod support;

use std::collections::BTreeSet;

use assay_import::{Forward, Inputs, Rows, Weights};
use support::{build, case, distance, engine, output};

const TOLERANCE: f32 = 4e-6;

fn close(name: &str, options: &Forward) {
	let (directory, inputs, expected) = case(name);
	let error = distance(&output(&build(&directory, &inputs, options)), &expected);
	println!("{name}: largest error {error:.1e}");
	assert!(error < TOLERANCE, "{name}: {error:e}");
}

#[test]
fn gpt2() {
	close("gpt2", &Forward::default());
}

#[test]
fn gpt2_in_two_files_of_two_types() {
	close("gpt2-shards", &Forward { rows: Rows::Last, ..Forward::default() });
}

#[test]
fn llama_with_grouped_queries_in_bf16() {
	close("llama", &Forward::default());
}

#[test]
fn llama_with_scaled_rotary_positions_biases_and_tied_weights() {
	close("llama3", &Forward { rows: Rows::Last, ..Forward::default() });
}

#[test]
fn bert_with_padding_and_token_types() {
	close("bert", &Forward::default());
}

#[test]
fn bert_that_classifies() {
	close("bert-classes", &Forward::default());
}

#[test]
fn padding_changes_nothing() {
	let (directory, inputs, _) = case("bert-classes");
	let run = |inputs: &Inputs| output(&build(&directory, inputs, &Forward::default()));
	let mut bits = inputs.ids.bits().to_vec();
	// The second sequence has five tokens.
	bits[9 + 6] = (bits[9 + 6] + 1) % 80;
	let ids = assay_engine::Tensor::new(assay_program::DType::I32, 3, 9, bits).unwrap();
	assert_eq!(run(&inputs), run(&Inputs { ids: ids.clone(), ..inputs.clone() }));
	assert_ne!(run(&inputs), run(&Inputs { mask: None, ..inputs.clone() }));
	assert_ne!(run(&Inputs { ids, mask: None, ..inputs.clone() }), run(&Inputs { mask: None, ..inputs }));
}

#[test]
fn frozen_and_trained_weights_give_the_same_bits_and_other_programs() {
	let (directory, inputs, _) = case("gpt2");
	let models = [Weights::Frozen, Weights::Trained]
		.map(|weights| build(&directory, &inputs, &Forward { weights, ..Forward::default() }));
	let roots: BTreeSet<_> = models.iter().map(|model| engine(model).commitment().root()).collect();
	assert_eq!(roots.len(), 2);
	assert_eq!(output(&models[0]), output(&models[1]));
}

/// A directory of the caller's, with `expected.safetensors` as the fixtures have: `ASSAY_IMPORT_MODEL=DIR`, release build.
#[test]
#[ignore = "needs a model; see docs/import.md"]
fn a_model_of_the_callers() {
	let path = std::env::var("ASSAY_IMPORT_MODEL").expect("ASSAY_IMPORT_MODEL names a directory");
	let start = std::time::Instant::now();
	let (directory, inputs, expected) = case(&path);
	let every = expected.spec().rows as u64 == inputs.ids.spec().elements();
	let rows = if every { Rows::Every } else { Rows::Last };
	let model = build(&directory, &inputs, &Forward { rows, ..Forward::default() });
	let built = start.elapsed();
	let found = output(&model);
	let largest = expected.to_f32().into_iter().fold(0f32, |largest, value| largest.max(value.abs()));
	let error = distance(&found, &expected);
	println!(
		"{} parameters: built in {built:.1?}, run after {:.1?}",
		directory.checkpoint().elements(),
		start.elapsed()
	);
	println!("largest error {error:.1e} of outputs up to {largest:.1}");
	assert!(error < 1e-5 * largest.max(1.0));
}
