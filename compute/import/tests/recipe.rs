//! A program's recipe gives its replay; a recipe of another program, or of none, gives nothing.

mod support;

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path, Tensor};
use assay_import::{claims, generation, Generation, Replay};
use assay_models::Model;
use assay_program::{DType, Lane, Role, TensorId};
use proptest::prelude::*;
use support::case;

fn cpu() -> Arc<Cpu> {
	Arc::new(Cpu::new(Path::Auto, 1).unwrap())
}

fn model(name: &str, temperature: f32) -> Model {
	model_of(name, temperature, Lane::F32, vec![])
}

fn model_of(name: &str, temperature: f32, lane: Lane, ends: Vec<u32>) -> Model {
	let (directory, _, _) = case(name);
	let config = Generation { batch: 2, tokens: 3, temperature, segment_groups: 1, seed: [8; 32], lane, ends };
	let prompts = [vec![3, 1, 4], vec![1], vec![5, 9, 2, 6], vec![5], vec![3, 5]];
	generation(directory.family(), directory.checkpoint(), &prompts, &config).expect("builds")
}

fn load(model: &Model) -> Engine {
	Engine::new(model.program.clone(), model.data.clone(), cpu()).expect("loads")
}

fn replay(engine: &Engine) -> Option<Replay> {
	Replay::of(engine, cpu(), 1 << 24)
}

fn id(model: &Model, name: &str) -> TensorId {
	TensorId(model.program.tensors.iter().position(|decl| decl.name == name.as_bytes()).expect(name) as u32)
}

/// The program with another data tensor, of any shape.
fn with(model: &Model, name: &str, tensor: Tensor) -> Model {
	let (mut model, id) = (model.clone(), id(model, name));
	let decl = &mut model.program.tensors[id.0 as usize];
	decl.role = Role::Data { root: tensor.root() };
	(decl.dtype, decl.rows, decl.cols) = (tensor.spec().dtype, tensor.spec().rows, tensor.spec().cols);
	model.data.iter_mut().find(|(of, _)| *of == id).expect("data").1 = tensor;
	model
}

fn data(model: &Model, name: &str) -> Vec<u32> {
	let id = id(model, name);
	model.data.iter().find(|(of, _)| *of == id).expect("data").1.bits().to_vec()
}

fn column(bits: Vec<u32>) -> Tensor {
	Tensor::new(DType::I32, bits.len() as u32, 1, bits).unwrap()
}

#[test]
fn a_program_gives_its_replay() {
	let cases = [
		("gpt2", 0.0, Lane::F32, vec![]),
		("llama", 0.7, Lane::F32, vec![]),
		("llama3", 0.0, Lane::F32, vec![5]),
		("gpt2", 0.8, Lane::I8, vec![7, 3]),
		("llama", 0.0, Lane::I8, vec![]),
		("llama3", 0.0, Lane::I8, (0..40).collect()),
	];
	for (name, temperature, lane, ends) in cases {
		let engine = load(&model_of(name, temperature, lane, ends));
		let replay = replay(&engine).expect("a replay");
		let mut before = engine.initial_state();
		for segment in 0..3 {
			let mut after = before.clone();
			engine.run_segment(&mut after, segment, &mut |_| ControlFlow::Continue(())).unwrap();
			let claimed = claims(&engine, &after, segment).unwrap();
			let found = replay.segment(&engine, &before, segment, &claimed).unwrap().expect("confirmed");
			assert_eq!(engine.state_root(&found), engine.state_root(&after));
			before = after;
		}
	}
}

/// Whether a replay follows the program; one that does has to confirm what the program computes, as a recipe may
/// differ from the one that was written in what the computation does not see, such as the last bits of a frequency.
fn is_followed(engine: &Engine) -> bool {
	let Some(replay) = replay(engine) else { return false };
	let before = engine.initial_state();
	let mut after = before.clone();
	engine.run_segment(&mut after, 0, &mut |_| ControlFlow::Continue(())).unwrap();
	let found = replay.segment(engine, &before, 0, &claims(engine, &after, 0).unwrap()).unwrap();
	assert_eq!(engine.state_root(&found.expect("confirmed")), engine.state_root(&after));
	true
}

#[test]
fn a_changed_recipe_is_refused_or_means_the_same() {
	let cases = [("gpt2", false, Lane::F32), ("llama3", true, Lane::F32), ("gpt2", false, Lane::I8)];
	for (name, may_mean_the_same, lane) in cases {
		let model = model_of(name, 0.5, lane, vec![6]);
		let recipe = data(&model, "recipe");
		assert!(recipe.len() < 128);
		let mut followed = 0;
		for place in 0..recipe.len() {
			for bit in 0..8 {
				let mut changed = recipe.clone();
				changed[place] ^= 1 << bit;
				followed += usize::from(is_followed(&load(&with(&model, "recipe", column(changed)))));
			}
		}
		assert_eq!(followed > 0, may_mean_the_same, "{name}");
	}
}

/// A recipe is data that no op reads, so it may claim any sizes: nothing is built by them that the program does not have.
#[test]
fn a_recipe_of_a_longer_text_is_refused_before_its_tables_are_built() {
	let model = model("llama3", 0.0);
	let recipe = data(&model, "recipe");
	let put = |recipe: &[u32], at: usize, value: u32| {
		let mut changed = recipe.to_vec();
		changed[at..at + 4].copy_from_slice(&value.to_le_bytes().map(u32::from));
		changed
	};
	let follows = |recipe: Vec<u32>| is_followed(&load(&with(&model, "recipe", column(recipe))));
	// The model's positions only bound what is asked of it, so more of them mean the same.
	let roomy = put(&recipe, 6, 1 << 24);
	assert!(roomy != recipe && follows(roomy.clone()));
	let tokens = recipe.len() - 10;
	assert_eq!(recipe[tokens..tokens + 4], [3, 0, 0, 0]);
	for more in [4, 2_000, 20_000, 1 << 20, (1 << 24) - 4] {
		assert!(!follows(put(&roomy, tokens, more)), "{more}");
	}
}

#[test]
fn another_program_is_not_followed() {
	let model = model("gpt2", 0.0);
	assert!(replay(&load(&model)).is_some());
	let mut prompts = data(&model, "prompts");
	prompts[0] = u32::MAX;
	assert!(replay(&load(&with(&model, "prompts", column(prompts)))).is_none());
	let mut steps = model.clone();
	steps.program.header.segment_steps += 1;
	assert!(replay(&load(&steps)).is_none());
	let mut mask = model.clone();
	mask.program.updates.pop();
	assert!(replay(&load(&mask)).is_none());
	let mut absent = model.clone();
	let recipe = id(&model, "recipe").0 as usize;
	absent.program.tensors[recipe].name = b"receipt".to_vec();
	assert!(replay(&load(&absent)).is_none());
	assert!(Replay::of(&load(&model), cpu(), 1 << 16).is_none());
	for table in ["at.here", "at.masked", "prompts"] {
		let mut other = model.clone();
		let id = id(&model, table).0 as usize;
		other.program.tensors[id].name = b"other".to_vec();
		assert!(replay(&load(&other)).is_none(), "{table}");
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn hostile_recipes_are_refused_or_mean_the_same(
		bytes in prop::collection::vec(any::<u8>(), 1..200),
		kind in 0u8..3,
		keep in 0usize..120,
		wide in any::<bool>(),
	) {
		let model = model("llama3", 0.0);
		let honest = data(&model, "recipe");
		let mut recipe: Vec<u32> = bytes.iter().map(|byte| u32::from(*byte)).collect();
		if wide {
			recipe[0] |= 1 << 20;
		}
		match kind {
			// Some honest bytes, then others.
			0 => recipe = honest.iter().copied().take(keep).chain(recipe).collect(),
			// Others in the middle.
			1 => {
				let mut spliced = honest.clone();
				for (place, byte) in recipe.iter().enumerate().take(8) {
					let length = spliced.len();
					spliced[(keep + place) % length] = *byte;
				}
				recipe = spliced;
			}
			_ => {}
		}
		let followed = is_followed(&load(&with(&model, "recipe", column(recipe))));
		prop_assert!(kind < 2 || !followed, "followed a recipe that holds nothing of the honest one");
	}
}
