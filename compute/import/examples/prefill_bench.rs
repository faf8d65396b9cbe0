//! What generating costs against checking it with `Replay`, on a random GPT-2-like model.
//!
//! `cargo run --release -p assay-import --example prefill_bench -- --threads 2`

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc, time::Instant};

use assay_engine::{Cpu, Engine, Path, Tensor};
use assay_import::{claims, generation, Checkpoint, Family, Generation, Gpt2, Nonlinearity, Replay};
use assay_program::{philox::Key, DType, Lane};

const PROMPT: u32 = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
	let options: Vec<String> = std::env::args().skip(1).collect();
	let options: BTreeMap<&str, &str> =
		options.chunks(2).filter_map(|pair| Some((pair.first()?.strip_prefix("--")?, pair.get(1)?.as_str()))).collect();
	let option = |name, default| options.get(name).map_or(Ok(default), |value| value.parse::<u32>());
	let lane = if options.get("lane") == Some(&"i8") { Lane::I8 } else { Lane::F32 };
	let (threads, tokens, batch) = (option("threads", 1)?, option("tokens", 64)?, option("batch", 1)?);
	let (width, layers, vocabulary) = (option("width", 384)?, option("layers", 8)?, option("vocabulary", 8192)?);
	let config = Gpt2 {
		vocabulary,
		context: PROMPT + tokens,
		layers,
		heads: width / 64,
		width,
		inner: 4 * width,
		nonlinearity: Nonlinearity::GeluTanh,
		epsilon: 1e-5,
		tied: true,
	};
	let checkpoint = Checkpoint::from_tensors(weights(&config)?)?;
	let family = Family::Gpt2(config);
	let prompts: Vec<Vec<u32>> =
		(0..batch).map(|prompt| (0..PROMPT).map(|at| (prompt * 31 + at * 17) % vocabulary).collect()).collect();
	let settings = Generation { batch, tokens, temperature: 0.0, segment_groups: 1, seed: [1; 32], lane, ends: vec![] };
	println!(
		"{:.1} M parameters, {batch} prompts of {PROMPT}, {tokens} new tokens, {threads} threads",
		checkpoint.elements() as f64 / 1e6
	);

	let cpu = Arc::new(Cpu::new(Path::Auto, threads as usize)?);
	let model = generation(&family, &checkpoint, &prompts, &settings)?;
	let engine = Engine::new(model.program, model.data, cpu.clone())?;
	let replay = Replay::new(&family, &checkpoint, &prompts, &settings, cpu)?;
	let before = engine.initial_state();
	let (mut ran, mut checked) = (f64::INFINITY, f64::INFINITY);
	for _ in 0..3 {
		let (mut after, start) = (before.clone(), Instant::now());
		engine.run_segment(&mut after, 0, &mut |_| ControlFlow::Continue(()))?;
		ran = ran.min(start.elapsed().as_secs_f64());
		let claimed = claims(&engine, &after, 0).ok_or("no claims")?;
		let start = Instant::now();
		let found = replay.segment(&engine, &before, 0, &claimed)?.ok_or("the claim was not confirmed")?;
		checked = checked.min(start.elapsed().as_secs_f64());
		if engine.state_root(&found)? != engine.state_root(&after)? {
			return Err("the replay ends in another state".into());
		}
	}
	let positions = f64::from(PROMPT + tokens - 1);
	println!("generation {:7.1} ms, {:.2} ms per position", ran * 1e3, ran * 1e3 / positions);
	println!("replay     {:7.1} ms, {:.2} ms per position", checked * 1e3, checked * 1e3 / positions);
	println!("the check takes 1/{:.1} of the time", ran / checked);
	Ok(())
}

fn weights(config: &Gpt2) -> Result<Vec<(String, Tensor)>, Box<dyn std::error::Error>> {
	let (width, inner) = (config.width, config.inner);
	let mut shapes = vec![
		("wte.weight".to_owned(), config.vocabulary, width, 0.04),
		("wpe.weight".into(), config.context, width, 0.02),
		("ln_f.weight".into(), 1, width, 1.0),
		("ln_f.bias".into(), 1, width, 0.1),
	];
	for layer in 0..config.layers {
		for (name, rows, cols, bound) in [
			("ln_1.weight", 1, width, 1.0),
			("ln_1.bias", 1, width, 0.1),
			("attn.c_attn.weight", width, 3 * width, 0.04),
			("attn.c_attn.bias", 1, 3 * width, 0.04),
			("attn.c_proj.weight", width, width, 0.04),
			("attn.c_proj.bias", 1, width, 0.04),
			("ln_2.weight", 1, width, 1.0),
			("ln_2.bias", 1, width, 0.1),
			("mlp.c_fc.weight", width, inner, 0.04),
			("mlp.c_fc.bias", 1, inner, 0.04),
			("mlp.c_proj.weight", inner, width, 0.04),
			("mlp.c_proj.bias", 1, width, 0.04),
		] {
			shapes.push((format!("h.{layer}.{name}"), rows, cols, bound));
		}
	}
	let key = Key::init(&[7; 32]);
	let mut tensors = Vec::new();
	for ((name, rows, cols, bound), stream) in shapes.into_iter().zip(0u32..) {
		let bits = (0..rows * cols).map(|element| key.uniform(stream, element, f32::to_bits(bound))).collect();
		tensors.push((name, Tensor::new(DType::F32, rows, cols, bits)?));
	}
	Ok(tensors)
}
