//! Programs that continue prompts choose the tokens that repeated runs of the whole network would.

mod support;

use std::ops::ControlFlow;

use assay_engine::Tensor;
use assay_import::{generation, Forward, Generation, ImportError, Inputs, ModelDirectory, Rows, OUTPUT};
use assay_program::{DType, Lane};
use support::{assert_one_root, build, case, engine, output};

fn settings(batch: u32) -> Generation {
	Generation { batch, tokens: 4, temperature: 0.0, segment_groups: 1, seed: [9; 32], lane: Lane::F32, ends: vec![] }
}

/// Prompts of 1 to 6 tokens.
fn prompts(count: u32) -> Vec<Vec<u32>> {
	(0..count).map(|prompt| (0..=(prompt * 5) % 6).map(|at| (7 + 31 * prompt + 11 * at) % 80).collect()).collect()
}

fn run(directory: &ModelDirectory, prompts: &[Vec<u32>], config: &Generation) -> Tensor {
	let model = generation(directory.family(), directory.checkpoint(), prompts, config).expect("builds");
	let engine = engine(&model);
	let mut state = engine.initial_state();
	let steps = model.program.header.steps;
	engine.run(&mut state, steps, &mut |_| ControlFlow::Continue(())).expect("runs");
	engine.state_tensor_named(&state, OUTPUT).expect("an output")
}

/// The likeliest next token, by the whole network.
fn next(directory: &ModelDirectory, tokens: &[u32]) -> u32 {
	let ids = Tensor::new(DType::I32, 1, tokens.len() as u32, tokens.to_vec()).unwrap();
	let options = Forward { rows: Rows::Last, ..Forward::default() };
	let logits = output(&build(directory, &Inputs::tokens(ids), &options)).to_f32();
	(0..logits.len()).fold(0, |best, at| if logits[at] > logits[best] { at } else { best }) as u32
}

#[test]
fn greedy_is_the_whole_network_again_and_again() {
	for (name, count, batch) in [("gpt2", 5, 2), ("llama", 4, 3), ("llama3", 3, 2), ("gpt2", 3, 1)] {
		let (directory, _, _) = case(name);
		let (config, prompts) = (settings(batch), prompts(count));
		let found = config.continuations(&prompts, &run(&directory, &prompts, &config));
		for (prompt, found) in prompts.iter().zip(&found) {
			let mut tokens = prompt.clone();
			for _ in 0..config.tokens {
				tokens.push(next(&directory, &tokens));
			}
			assert_eq!(found, &tokens[prompt.len()..], "{name}: {prompt:?}");
		}
	}
}

#[test]
fn a_slot_without_a_prompt_repeats_the_last() {
	let (directory, _, _) = case("gpt2");
	let (config, prompts) = (settings(3), prompts(4));
	let output = run(&directory, &prompts, &config);
	assert_eq!((output.spec().rows, output.spec().cols), (6, 9));
	let bits = output.bits();
	let rows: Vec<&[u32]> = bits.chunks(9).collect();
	assert_eq!((rows[4], rows[5]), (rows[3], rows[3]));
	assert_ne!(rows[2], rows[3]);
}

#[test]
fn neighbours_change_nothing() {
	let (directory, _, _) = case("llama3");
	let all = prompts(5);
	let continued = |prompts: &[Vec<u32>], batch| {
		let config = settings(batch);
		config.continuations(prompts, &run(&directory, prompts, &config))
	};
	let together = continued(&all, 2);
	for (prompt, expected) in all.iter().zip(&together) {
		assert_eq!(&continued(std::slice::from_ref(prompt), 1)[0], expected);
	}
}

#[test]
fn samples_are_the_seeds() {
	let (directory, _, _) = case("gpt2");
	let prompts = prompts(3);
	let sampled = |seed| run(&directory, &prompts, &Generation { temperature: 0.8, seed: [seed; 32], ..settings(2) });
	assert_eq!(sampled(1), sampled(1));
	assert_ne!(sampled(1), sampled(2));
	assert_ne!(sampled(1), run(&directory, &prompts, &settings(2)));
}

#[test]
fn resuming_at_a_segment_is_the_same_run() {
	let (directory, _, _) = case("llama");
	let prompts = prompts(5);
	let model = generation(directory.family(), directory.checkpoint(), &prompts, &settings(2)).unwrap();
	let engine = engine(&model);
	let mut state = engine.initial_state();
	for segment in 0..engine.segments() {
		let blob = engine.encode_checkpoint(&state).unwrap();
		state = engine.decode_checkpoint(&blob).unwrap().0;
		engine.run_segment(&mut state, segment, &mut |_| ControlFlow::Continue(())).unwrap();
		for name in ["keys.0", "values.1"] {
			let cache = engine.state_tensor_named(&state, name).unwrap();
			assert!(cache.bits().iter().all(|bits| *bits == 0), "{name} is left over after segment {segment}");
		}
	}
	assert_eq!(engine.segments(), 3);
	assert_eq!(engine.state_tensor_named(&state, OUTPUT).unwrap(), run(&directory, &prompts, &settings(2)));
}

#[test]
fn fails_when_prompts_or_settings_do_not_fit() {
	let (directory, _, _) = case("gpt2");
	let refused = |prompts: &[Vec<u32>], config: &Generation| match generation(
		directory.family(),
		directory.checkpoint(),
		prompts,
		config,
	) {
		Err(ImportError::Request(problem)) => problem,
		other => panic!("{other:?}"),
	};
	let prompt = || vec![vec![1, 2]];
	assert!(refused(&prompt(), &Generation { ends: vec![3, 80], ..settings(1) }).contains("token 80 that ends"));
	assert!(refused(&prompt(), &Generation { ends: vec![3; 65], ..settings(1) }).contains("at most 64"));
	assert!(refused(&[], &settings(1)).contains("no prompts"));
	assert!(refused(&[vec![1], vec![]], &settings(1)).contains("prompt 1 has no tokens"));
	assert!(refused(&[vec![80]], &settings(1)).contains("token 80 is outside"));
	assert!(refused(&[vec![1; 22]], &settings(1)).contains("the model has 24"));
	assert!(refused(&prompt(), &settings(0)).contains("batch is 0"));
	assert!(refused(&prompt(), &Generation { tokens: 0, ..settings(1) }).contains("tokens is 0"));
	for temperature in [-1.0, f32::NAN, f32::INFINITY] {
		assert!(refused(&prompt(), &Generation { temperature, ..settings(1) }).contains("temperature"));
	}
	let (encoder, _, _) = case("bert");
	let made = generation(encoder.family(), encoder.checkpoint(), &prompt(), &settings(1));
	assert!(made.unwrap_err().to_string().contains("an encoder does not generate"));
}

/// What is chosen before a text's end does not depend on ends, and after it only the end is chosen.
#[test]
fn a_text_that_has_ended_stays_at_its_end() {
	let (directory, _, _) = case("llama3");
	let prompts = prompts(5);
	for (temperature, lane) in [(0.0, Lane::F32), (0.9, Lane::F32), (0.0, Lane::I8)] {
		let config = Generation { tokens: 9, temperature, lane, ..settings(2) };
		let free = config.continuations(&prompts, &run(&directory, &prompts, &config));
		// One that a text has in its middle, and one that is in none; the first of them is what texts stay at.
		let seen = free[1][2];
		let unseen = (0..80).find(|token| free.iter().flatten().all(|other| other != token)).expect("many tokens");
		let ended = Generation { ends: vec![unseen, seen], ..config.clone() };
		let output = run(&directory, &prompts, &ended);
		let found = ended.continuations(&prompts, &output);
		let mut cut = 0;
		for (index, (free, found)) in free.iter().zip(&found).enumerate() {
			let until = free.iter().position(|token| *token == seen).unwrap_or(free.len());
			assert_eq!(found, &free[..until], "text {index}");
			let cols = output.spec().cols as usize;
			let row = &output.bits()[index * cols..][..cols];
			let new = row.iter().skip(prompts[index].len() - 1).take(9).map(|bits| f32::from_bits(*bits) as u32);
			let after: Vec<u32> = new.skip(until + 1).collect();
			assert!(after.iter().all(|token| *token == unseen), "text {index}: {after:?}");
			cut += usize::from(!after.is_empty());
		}
		assert!(cut > 0, "no text ended");
	}
}

/// A token of the prompt ends nothing.
#[test]
fn ends_in_prompts_do_not_count() {
	let (directory, _, _) = case("gpt2");
	let prompts = [vec![7, 9, 7], vec![9]];
	let config = settings(2);
	let free = config.continuations(&prompts, &run(&directory, &prompts, &config));
	let end = (0..80).find(|token| !free.iter().flatten().any(|other| other == token)).unwrap();
	let prompts = [vec![end, 9, end], vec![end]];
	let free = config.continuations(&prompts, &run(&directory, &prompts, &config));
	let ended = Generation { ends: vec![end], ..config };
	let found = ended.continuations(&prompts, &run(&directory, &prompts, &ended));
	for (free, found) in free.iter().zip(&found) {
		let until = free.iter().position(|token| *token == end).unwrap_or(free.len());
		assert_eq!(found, &free[..until]);
	}
}

#[test]
fn one_root_on_every_path() {
	let (directory, _, _) = case("llama3");
	let prompts = prompts(5);
	for lane in [Lane::F32, Lane::I8] {
		let config = Generation { lane, ends: (0..20).collect(), ..settings(2) };
		let model = generation(directory.family(), directory.checkpoint(), &prompts, &config).expect("builds");
		assert_one_root(&model, &format!("{lane:?}"));
	}
}
