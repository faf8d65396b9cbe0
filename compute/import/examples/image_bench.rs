//! Runs an ONNX classifier of images beside what onnxruntime computed.
//!
//! `tools/import-fixtures/onnx_image_bench.py FOLDER` writes known architectures with random weights, images and onnxruntime's
//! scores, and prints its images a second on one thread. Then
//! `cargo run --release -p assay-import --example image_bench -- FOLDER/resnet18.onnx [--batch 8] [--threads 1] [--repeat 5] [--lane f32|i8]
//! [--profile]` prints for each lane the largest difference, our images a second of processor time, and where a step's goes.

use std::{error::Error, ops::ControlFlow, path::Path, process::ExitCode, sync::Arc};

use assay_engine::{Cpu, Engine, Tensor};
use assay_import::{Onnx, RowBatches, Safetensors, OUTPUT};
use assay_program::{DType, Lane};

fn main() -> ExitCode {
	match bench() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("{error}");
			ExitCode::FAILURE
		}
	}
}

/// Seconds that the process's threads were on a processor: others on the machine do not count. Linux says them.
fn busy_seconds() -> f64 {
	let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
	let busy = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
	let nanoseconds: u64 = busy.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum();
	nanoseconds as f64 / 1e9
}

fn bench() -> Result<(), Box<dyn Error>> {
	let arguments: Vec<String> = std::env::args().skip(1).collect();
	let number = |name: &str, default: u32| match arguments.iter().position(|argument| argument == name) {
		Some(at) => arguments.get(at + 1).ok_or("a number is missing")?.parse().map_err(Box::<dyn Error>::from),
		None => Ok(default),
	};
	let (batch, threads, repeat) = (number("--batch", 8)?, number("--threads", 1)? as usize, number("--repeat", 5)?);
	let lanes = match arguments.iter().position(|argument| argument == "--lane").map(|at| arguments.get(at + 1)) {
		None => vec![Lane::F32, Lane::I8],
		Some(Some(lane)) if lane == "f32" => vec![Lane::F32],
		Some(Some(lane)) if lane == "i8" => vec![Lane::I8],
		Some(_) => return Err("--lane is f32 or i8".into()),
	};
	let path = Path::new(arguments.first().ok_or("give an ONNX file beside which its scores lie")?);
	let recorded = Safetensors::open(&path.with_extension("safetensors"))?;
	let (given, expected) = (recorded.read("in:x")?, recorded.read("out:0")?.to_f32());
	let images = u32::try_from(recorded.read("images")?.bits().len())?;
	let rows = Tensor::new(DType::F32, images, u32::try_from(given.bits().len())? / images, given.bits().to_vec())?;
	let onnx = Onnx::open(path)?;
	println!("{}: {images} images, {batch} at a time, {threads} threads", path.display());
	for lane in lanes {
		let model = onnx.rows(&rows, &RowBatches { batch, segment_steps: 1, lane })?;
		let (steps, ops, cost) = (model.program.header.steps, model.program.ops.len(), model.program.step_cost());
		let engine = Engine::new(model.program, model.data, Arc::new(Cpu::new(assay_engine::Path::Auto, threads)?))?;
		let mut state = engine.initial_state();
		engine.run(&mut state, steps, &mut |_| ControlFlow::Continue(()))?;
		let found = engine.state_tensor_named(&state, OUTPUT).ok_or("no output")?.to_f32();
		let difference = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
		let largest = expected.iter().fold(0f32, |largest, x| largest.max(x.abs()));
		let mut best = f64::MAX;
		for _ in 0..repeat {
			let mut state = engine.initial_state();
			let begin = busy_seconds();
			engine.run(&mut state, steps, &mut |_| ControlFlow::Continue(()))?;
			best = best.min(busy_seconds() - begin);
		}
		let (rate, flops) = (f64::from(images) / best, cost.flops as f64 * steps as f64 / best / 1e9);
		println!(
			"{lane:?}: {rate:.2} images/s, {flops:.1} GFLOP/s, {ops} ops; off by {difference:.1e} of scores up to {largest:.2}"
		);
		if arguments.iter().any(|argument| argument == "--profile") {
			println!("{}", engine.profile(&mut engine.initial_state(), 3)?);
		}
	}
	Ok(())
}
