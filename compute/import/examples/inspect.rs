//! Prints what a saved model is, and what running it as a program costs.
//!
//! `cargo run -p assay-import --example inspect -- DIR [--text TEXT]` for a directory with `config.json` and safetensors
//! files; `-- FILE.onnx` for the ports of an ONNX file. With a text and a tokenizer, a decoder also says which tokens it
//! finds likeliest to come next.

use std::{error::Error, ops::ControlFlow, path::Path, process::ExitCode, sync::Arc};

use assay_engine::{Cpu, Engine, Tensor};
use assay_import::{forward, Family, Forward, Inputs, ModelDirectory, Onnx, Rows, Tokenizer, OUTPUT};
use assay_program::DType;

fn main() -> ExitCode {
	match inspect() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("{error}");
			ExitCode::FAILURE
		}
	}
}

fn inspect() -> Result<(), Box<dyn Error>> {
	let arguments: Vec<String> = std::env::args().skip(1).collect();
	let (path, text) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
		[path] => (Path::new(path), None),
		[path, "--text", text] => (Path::new(path), Some(text)),
		_ => return Err("give a model's directory or an ONNX file, and perhaps --text TEXT".into()),
	};
	if path.extension().is_some_and(|extension| extension == "onnx") {
		return ports(path);
	}
	let directory = ModelDirectory::open(path)?;
	let family = directory.family();
	println!("family      {}", family.name());
	println!("vocabulary  {}", family.vocabulary());
	println!("context     {} positions", family.context());
	println!("layers      {}", family.layers());
	println!("parameters  {}", directory.checkpoint().elements());
	let tokenizer = directory.tokenizer()?;
	println!(
		"tokenizer   {}",
		tokenizer.as_ref().map_or("none".into(), |known| format!("{} tokens", known.vocabulary()))
	);

	let ids = match (&tokenizer, text) {
		(Some(tokenizer), Some(text)) => tokenizer.encode(text)?,
		(None, Some(_)) => return Err("the directory has no tokenizer.json to read a text with".into()),
		_ => vec![0; family.context() as usize],
	};
	let positions = u32::try_from(ids.len())?;
	let inputs = Inputs::tokens(Tensor::new(DType::I32, 1, positions, ids)?);
	let rows = if matches!(family, Family::Bert(_)) { Rows::Every } else { Rows::Last };
	let model = forward(family, directory.checkpoint(), &inputs, &Forward { rows, ..Forward::default() })?;
	let (cost, memory) = (model.program.step_cost(), model.program.memory());
	println!("\nthe program of one forward run over {positions} positions");
	println!("ops         {}", model.program.ops.len());
	println!("flops       {}", cost.flops);
	println!("referee     {} scalar operations", cost.referee_ops);
	println!("memory      {} bytes, {} of them weights and inputs", memory.total(), memory.data);

	let engine = Engine::new(model.program, model.data, Arc::new(Cpu::new(assay_engine::Path::Auto, 0)?))?;
	let root = engine.commitment().root().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
	println!("root        {root}");
	match (rows, text, &tokenizer) {
		(Rows::Last, Some(_), Some(tokenizer)) => likeliest(&engine, tokenizer),
		_ => Ok(()),
	}
}

/// The five tokens with the largest logits.
fn likeliest(engine: &Engine, tokenizer: &Tokenizer) -> Result<(), Box<dyn Error>> {
	let mut state = engine.initial_state();
	engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(()))?;
	let logits = engine.state_tensor_named(&state, OUTPUT).ok_or("the program has no output")?.to_f32();
	let mut order: Vec<(u32, f32)> = (0..).zip(logits).collect();
	order.sort_by(|a, b| b.1.total_cmp(&a.1));
	println!("\nnext        logit");
	for (id, logit) in order.into_iter().take(5) {
		println!("{:<10}  {logit:+.4}", format!("{:?}", tokenizer.decode(&[id])?));
	}
	Ok(())
}

fn ports(path: &Path) -> Result<(), Box<dyn Error>> {
	let onnx = Onnx::open(path)?;
	for (what, ports) in [("reads", onnx.inputs()?), ("computes", onnx.outputs()?)] {
		for port in ports {
			let extent = |extent: &Option<u64>| extent.map_or("?".into(), |extent| extent.to_string());
			let shape =
				port.shape.map_or("any shape".into(), |shape| shape.iter().map(extent).collect::<Vec<_>>().join(" x "));
			println!("{what:<8}  {}: {} {shape}", port.name, port.dtype);
		}
	}
	Ok(())
}
