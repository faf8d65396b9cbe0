//! A replayed segment ends in the state that running it ends in.

mod support;

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path, RunError, State, Tensor};
use assay_import::{
	claims, generation, Checkpoint, Family, Generation, Gpt2, Llama, Nonlinearity, Replay, Rope, Scaling, OUTPUT,
};
use assay_program::{DType, Lane};
use proptest::prelude::*;
use support::{case, engine};

fn cpu() -> Arc<Cpu> {
	Arc::new(Cpu::new(Path::Auto, 1).unwrap())
}

fn settings(batch: u32, temperature: f32) -> Generation {
	Generation { batch, tokens: 5, temperature, segment_groups: 2, seed: [4; 32], lane: Lane::F32, ends: vec![] }
}

fn prompts(count: u32, vocabulary: u32) -> Vec<Vec<u32>> {
	let prompt = |prompt: u32| (0..=(prompt * 5) % 4).map(|at| (7 + 31 * prompt + 11 * at) % vocabulary).collect();
	(0..count).map(prompt).collect()
}

/// States before and after each segment.
fn run(engine: &Engine) -> Vec<State> {
	let mut states = vec![engine.initial_state()];
	for segment in 0..engine.segments() {
		let mut state = states[states.len() - 1].clone();
		engine.run_segment(&mut state, segment, &mut |_| ControlFlow::Continue(())).expect("runs");
		states.push(state);
	}
	states
}

fn agrees(family: &Family, checkpoint: &Checkpoint, prompts: &[Vec<u32>], config: &Generation) -> usize {
	let engine = engine(&generation(family, checkpoint, prompts, config).expect("builds"));
	let replay = Replay::new(family, checkpoint, prompts, config, cpu()).expect("builds");
	let states = run(&engine);
	for (segment, pair) in (0..).zip(states.windows(2)) {
		let claimed = claims(&engine, &pair[1], segment).expect("a generation");
		let found = replay.segment(&engine, &pair[0], segment, &claimed).expect("runs").expect("confirmed");
		assert_eq!(engine.state_root(&found), engine.state_root(&pair[1]), "segment {segment}");
	}
	states.len() - 1
}

#[test]
fn it_ends_where_running_ends() {
	for name in ["gpt2", "llama", "llama3"] {
		let (directory, _, _) = case(name);
		for (batch, temperature) in [(2, 0.0), (2, 0.8), (1, 1.0), (3, 0.0)] {
			for (lane, ends) in [(Lane::F32, vec![]), (Lane::I8, vec![]), (Lane::I8, (0..30).collect())] {
				let (prompts, config) = (prompts(7, 80), Generation { lane, ends, ..settings(batch, temperature) });
				let segments = agrees(directory.family(), directory.checkpoint(), &prompts, &config);
				assert_eq!(segments, [4, 2, 2][batch as usize - 1]);
			}
		}
	}
}

#[test]
fn a_single_position_has_nothing_to_claim() {
	for ends in [vec![], vec![4, 5]] {
		let config = Generation { tokens: 1, ends, ..settings(2, 0.0) };
		one(&config);
	}
}

fn one(config: &Generation) {
	let (directory, _, _) = case("gpt2");
	agrees(directory.family(), directory.checkpoint(), &[vec![3], vec![4], vec![5]], config);
}

struct Job {
	engine: Engine,
	replay: Replay,
	before: State,
	claimed: Vec<u32>,
}

/// Segment 1 of a generation.
fn job(temperature: f32) -> Job {
	let (directory, _, _) = case("llama3");
	let (family, checkpoint) = (directory.family(), directory.checkpoint());
	let (prompts, config) = (prompts(7, 80), settings(2, temperature));
	let engine = engine(&generation(family, checkpoint, &prompts, &config).unwrap());
	let replay = Replay::new(family, checkpoint, &prompts, &config, cpu()).unwrap();
	let states = run(&engine);
	let claimed = claims(&engine, &states[2], 1).unwrap();
	Job { replay, before: states[1].clone(), claimed, engine }
}

#[test]
fn a_changed_claim_is_not_confirmed() {
	for temperature in [0.0, 0.8] {
		let Job { engine, replay, before, claimed } = job(temperature);
		assert_eq!(claimed.len(), 2 * 2 * 7);
		let confirmed = |claimed: &[u32]| replay.segment(&engine, &before, 1, claimed).unwrap().is_some();
		assert!(confirmed(&claimed));
		for place in 0..claimed.len() {
			for token in [(claimed[place] + 1) % 80, 80, u32::MAX] {
				let mut changed = claimed.clone();
				changed[place] = token;
				assert!(!confirmed(&changed), "{place} {token}");
			}
		}
		assert!(!confirmed(&claimed[1..]));
		assert!(!confirmed(&[claimed.as_slice(), &[0]].concat()));
	}
}

#[test]
fn a_state_that_no_run_arrives_at() {
	let Job { engine, replay, before, claimed } = job(0.0);
	let with = |name: &str, bits: u32| {
		let mut tensor = engine.state_tensor_named(&before, name).unwrap();
		let spec = tensor.spec();
		let mut all = tensor.into_bits();
		all[0] = bits;
		tensor = Tensor::new(spec.dtype, spec.rows, spec.cols, all).unwrap();
		let source = |wanted: &str| {
			if wanted == name {
				Some(tensor.clone())
			} else {
				engine.state_tensor_named(&before, wanted)
			}
		};
		engine.state_at(before.step(), source).unwrap()
	};
	let replayed = |before: &State| replay.segment(&engine, before, 1, &claimed).unwrap();
	for bits in [1, (-0.0f32).to_bits()] {
		assert!(replayed(&with("keys.0", bits)).is_none());
		assert!(replayed(&with("values.0", bits)).is_none());
	}
	assert!(replayed(&with(OUTPUT, f32::INFINITY.to_bits())).is_none());
	// The program adds to whatever its output holds, and does not read the last token where tokens are given.
	for (name, bits) in
		[(OUTPUT, 0.3f32.to_bits()), (OUTPUT, (-0.0f32).to_bits()), ("chosen", 79), ("chosen", u32::MAX)]
	{
		let before = with(name, bits);
		let mut after = before.clone();
		engine.run_segment(&mut after, 1, &mut |_| ControlFlow::Continue(())).unwrap();
		let found = replayed(&before).expect("confirmed");
		assert_eq!(engine.state_root(&found), engine.state_root(&after), "{name}");
	}
}

#[test]
fn fails_when_asked_for_another_job_or_segment() {
	let Job { engine, replay, before, claimed } = job(0.0);
	let segment = |segment| replay.segment(&engine, &before, segment, &claimed);
	assert!(matches!(segment(0), Err(RunError::OutOfRange { .. })));
	assert!(matches!(segment(9), Err(RunError::OutOfRange { .. })));
	let (directory, _, _) = case("llama3");
	let other = Generation { seed: [5; 32], ..settings(2, 0.0) };
	let model = generation(directory.family(), directory.checkpoint(), &prompts(7, 80), &other).unwrap();
	let found = replay.segment(&support::engine(&model), &before, 1, &claimed);
	assert_eq!(found, Err(RunError::ForeignState));
}

/// Weights of every kind that arithmetic treats apart.
fn number() -> impl Strategy<Value = u32> {
	prop_oneof![
		12 => (-1.0f32..1.0).prop_map(f32::to_bits),
		2 => Just((-0.0f32).to_bits()),
		2 => Just(0),
		2 => 1u32..1 << 23,
		2 => (1u32..1 << 23).prop_map(|bits| bits | 1 << 31),
		1 => (-1e-30f32..1e-30).prop_map(f32::to_bits),
		1 => (-1e6f32..1e6).prop_map(f32::to_bits),
	]
}

/// Tensors of these shapes, drawn from a pool of numbers.
fn weights(shapes: &[(String, u32, u32)], pool: &[u32]) -> Checkpoint {
	let mut draw = 0x9e37_79b9u32;
	let mut next = || {
		draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		pool[(draw >> 8) as usize % pool.len()]
	};
	let tensors = shapes.iter().map(|(name, rows, cols)| {
		let bits = (0..rows * cols).map(|_| next()).collect();
		(name.clone(), Tensor::new(DType::F32, *rows, *cols, bits).unwrap())
	});
	Checkpoint::from_tensors(tensors.collect()).unwrap()
}

fn gpt2(pool: &[u32]) -> (Family, Checkpoint) {
	gpt2_of(12, pool)
}

fn gpt2_of(context: u32, pool: &[u32]) -> (Family, Checkpoint) {
	let config = Gpt2 {
		vocabulary: 7,
		context,
		layers: 2,
		heads: 2,
		width: 16,
		inner: 8,
		nonlinearity: Nonlinearity::GeluTanh,
		epsilon: 1e-5,
		tied: true,
	};
	let mut shapes = vec![("wte.weight".to_owned(), 7, 16), ("wpe.weight".into(), context, 16)];
	for layer in 0..2 {
		for (name, rows, cols) in [
			("ln_1.weight", 1, 16),
			("ln_1.bias", 1, 16),
			("attn.c_attn.weight", 16, 48),
			("attn.c_attn.bias", 1, 48),
			("attn.c_proj.weight", 16, 16),
			("attn.c_proj.bias", 1, 16),
			("ln_2.weight", 1, 16),
			("ln_2.bias", 1, 16),
			("mlp.c_fc.weight", 16, 8),
			("mlp.c_fc.bias", 1, 8),
			("mlp.c_proj.weight", 8, 16),
			("mlp.c_proj.bias", 1, 16),
		] {
			shapes.push((format!("h.{layer}.{name}"), rows, cols));
		}
	}
	shapes.extend([("ln_f.weight".into(), 1, 16), ("ln_f.bias".into(), 1, 16)]);
	(Family::Gpt2(config), weights(&shapes, pool))
}

fn llama(pool: &[u32]) -> (Family, Checkpoint) {
	let config = Llama {
		vocabulary: 7,
		context: 12,
		layers: 1,
		heads: 2,
		key_heads: 1,
		head_width: 8,
		width: 16,
		inner: 8,
		nonlinearity: Nonlinearity::Silu,
		epsilon: 1e-6,
		rope: Rope { theta: 1e4, scaling: Scaling::None },
		attention_bias: false,
		inner_bias: false,
		tied: false,
	};
	let mut shapes = vec![
		("model.embed_tokens.weight".to_owned(), 7, 16),
		("model.norm.weight".into(), 1, 16),
		("lm_head.weight".into(), 7, 16),
	];
	for (name, rows, cols) in [
		("input_layernorm", 1, 16),
		("self_attn.q_proj", 16, 16),
		("self_attn.k_proj", 8, 16),
		("self_attn.v_proj", 8, 16),
		("self_attn.o_proj", 16, 16),
		("post_attention_layernorm", 1, 16),
		("mlp.gate_proj", 8, 16),
		("mlp.up_proj", 8, 16),
		("mlp.down_proj", 16, 8),
	] {
		shapes.push((format!("model.layers.0.{name}.weight"), rows, cols));
	}
	(Family::Llama(config), weights(&shapes, pool))
}

/// What a run and its replay have in common, weight by weight: the state, or that neither has one.
fn agree_or_fail(
	(family, checkpoint): &(Family, Checkpoint),
	temperature: f32,
	(lane, ends): (Lane, Vec<u32>),
) -> bool {
	let config = Generation { segment_groups: 1, lane, ends, ..settings(2, temperature) };
	let prompts = prompts(3, 7);
	let engine = engine(&generation(family, checkpoint, &prompts, &config).unwrap());
	let replay = Replay::new(family, checkpoint, &prompts, &config, cpu()).unwrap();
	let before = engine.initial_state();
	let mut after = before.clone();
	let ran = engine.run_segment(&mut after, 0, &mut |_| ControlFlow::Continue(())).is_ok();
	let claimed = claims(&engine, &after, 0).unwrap();
	let found = replay.segment(&engine, &before, 0, &claimed).unwrap();
	match found {
		Some(found) => {
			assert!(ran);
			assert_eq!(engine.state_root(&found), engine.state_root(&after));
			true
		}
		// Scores of masked positions may overflow in the pass alone.
		None => {
			assert!(!ran || pool_is_large(checkpoint));
			false
		}
	}
}

fn pool_is_large(checkpoint: &Checkpoint) -> bool {
	let largest =
		|name: &str| checkpoint.read(name).unwrap().to_f32().into_iter().fold(0f32, |max, x| max.max(x.abs()));
	checkpoint.names().map(largest).fold(0.0, f32::max) > 1e5
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

	#[test]
	fn any_weights(
		pool in prop::collection::vec(number(), 5..400),
		temperature in prop_oneof![Just(0.0f32), 0.05f32..3.0],
		lane in prop_oneof![Just(Lane::F32), Just(Lane::I8)],
		ends in prop::collection::vec(0u32..7, 0..4),
	) {
		agree_or_fail(&gpt2(&pool), temperature, (lane, ends.clone()));
		agree_or_fail(&llama(&pool), temperature, (lane, ends));
	}
}

/// Past the 512 terms that a product adds in one chain, and past what a pass computes the logits of at once.
#[test]
fn sequences_of_more_than_a_product_adds_at_once() {
	let pool: Vec<u32> = (0..401i32).map(|at| ((at * 137 % 401 - 200) as f32 / 300.0).to_bits()).collect();
	for (batch, temperature) in [(1, 0.0), (3, 0.9)] {
		let config = Generation { tokens: 595, segment_groups: 1, ..settings(batch, temperature) };
		let (family, checkpoint) = gpt2_of(600, &pool);
		assert_eq!(agrees(&family, &checkpoint, &prompts(3, 7), &config), 3 / batch as usize);
	}
}

/// Where all that a position sees has scores below what masks the others, a mask on scores alone would not be one.
#[test]
fn scores_far_below_the_mask() {
	let mut confirmed = 0;
	for seed in 0..60i32 {
		let pool: Vec<u32> = (0..97i32).map(|at| (((at * 37 + seed) % 97 - 48) as f32 / 48.0).to_bits()).collect();
		let (family, checkpoint) = llama(&pool);
		let scaled = checkpoint.names().map(|name| {
			let tensor = checkpoint.read(name).unwrap();
			let factor = if name.contains("q_proj") || name.contains("k_proj") { 1e17 } else { 1.0 };
			let bits = tensor.to_f32().into_iter().map(|x| (x * factor).to_bits()).collect();
			(name.to_owned(), Tensor::new(DType::F32, tensor.spec().rows, tensor.spec().cols, bits).unwrap())
		});
		let checkpoint = Checkpoint::from_tensors(scaled.collect()).unwrap();
		let (prompts, config) = ([vec![(seed % 7) as u32, 3]], settings(1, 0.0));
		let engine = engine(&generation(&family, &checkpoint, &prompts, &config).unwrap());
		let replay = Replay::new(&family, &checkpoint, &prompts, &config, cpu()).unwrap();
		let before = engine.initial_state();
		let mut after = before.clone();
		let ran = engine.run_segment(&mut after, 0, &mut |_| ControlFlow::Continue(()));
		let found = replay.segment(&engine, &before, 0, &claims(&engine, &after, 0).unwrap()).unwrap();
		assert_eq!(ran.is_ok(), found.is_some(), "{seed}: {ran:?}");
		if let Some(found) = found {
			assert_eq!(engine.state_root(&found), engine.state_root(&after));
			confirmed += 1;
		}
	}
	assert!(confirmed > 0 && confirmed < 60, "{confirmed}");
}

#[test]
fn the_drawn_weights_run() {
	let pool: Vec<u32> = (0..97i32).map(|at| ((at * 37 % 97 - 48) as f32 / 48.0).to_bits()).collect();
	for lane in [Lane::F32, Lane::I8] {
		assert!(agree_or_fail(&gpt2(&pool), 0.0, (lane, vec![])));
		assert!(agree_or_fail(&llama(&pool), 0.7, (lane, vec![2, 4])));
	}
}
