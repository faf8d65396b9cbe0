//! How fast the device is.

use std::{ops::ControlFlow, time::Instant};

use assay_cuda::{
	cases::{Random, CONTEXT},
	Cuda, CudaError, Device as _, DeviceTensor, Driver, Input, OpError, StepTraffic,
};
use assay_engine::{AcceleratorError, Engine, RunError};
use assay_models::Model;
use assay_program::{BinaryKind, DType, Lane, OpKind, TensorSpec};

use crate::{cublas, model, options::Options, report::Figure, time::fastest, worker::Bench};

fn ordinary(cuda: &Cuda, spec: TensorSpec, seed: u64) -> Result<DeviceTensor<Driver>, CudaError> {
	let mut random = Random::new(seed);
	let bits: Vec<u32> = match spec.dtype {
		DType::I8 => (0..spec.elements()).map(|_| (random.next() >> 24) as u8 as i8 as u32).collect(),
		_ => (0..spec.elements()).map(|_| random.ordinary()).collect(),
	};
	cuda.upload(spec, &bits)
}

const TRANSPOSED: [(bool, bool, &str); 3] = [(false, false, "A B"), (false, true, "A B^T"), (true, false, "A^T B")];

fn sides(options: &Options) -> &'static [u32] {
	if options.quick {
		&[40]
	} else {
		&[1024, 4096]
	}
}

fn tera(operations: f64, seconds: f64) -> Option<f64> {
	Some(operations / seconds / 1e12)
}

pub(crate) fn products(bench: &Bench<'_>) -> Result<String, OpError> {
	let (cuda, options) = (bench.device.backend(), bench.options);
	for n in sides(options) {
		let spec = TensorSpec::f32(*n, *n);
		let (a, b, mut out) = (ordinary(cuda, spec, 1)?, ordinary(cuda, spec, 2)?, cuda.allocate(spec)?);
		let operations = 2.0 * f64::from(*n).powi(3);
		let mut plain = f64::NAN;
		for (trans_a, trans_b, name) in TRANSPOSED {
			let kind = OpKind::MatMul { trans_a, trans_b };
			let inputs = [Input::Tensor(&a), Input::Tensor(&b)];
			let seconds = fastest(|| cuda.run(kind, &inputs, &CONTEXT, &mut out))?;
			if (trans_a, trans_b) == (false, false) {
				plain = seconds;
			}
			let what = format!("{name}, {n} x {n} x {n}, F32");
			bench.figure(Figure { what, value: tera(operations, seconds), unit: "TFLOP/s", note: String::new() });
		}
		let theirs = cublas::sgemm(cuda.device(), *n, &a, &b, &mut out);
		let (seconds, note) = match theirs {
			Ok(seconds) => (Some(seconds), String::new()),
			Err(reason) => (None, reason),
		};
		let what = format!("cuBLAS SGEMM, {n} x {n} x {n}");
		let value = seconds.and_then(|seconds| tera(operations, seconds));
		bench.figure(Figure { what, value, unit: "TFLOP/s", note: note.clone() });
		let what = format!("A B in F32, share of cuBLAS's speed, n = {n}");
		let value = seconds.map(|seconds| 100.0 * seconds / plain);
		bench.figure(Figure { what, value, unit: "%", note });
	}
	Ok(String::new())
}

pub(crate) fn products_i8(bench: &Bench<'_>) -> Result<String, OpError> {
	let (cuda, options) = (bench.device.backend(), bench.options);
	for n in sides(options) {
		let spec = TensorSpec { dtype: DType::I8, rows: *n, cols: *n };
		let (a, b) = (ordinary(cuda, spec, 1)?, ordinary(cuda, spec, 2)?);
		let mut out = cuda.allocate(TensorSpec { dtype: DType::I32, ..spec })?;
		let operations = 2.0 * f64::from(*n).powi(3);
		for (trans_a, trans_b, name) in TRANSPOSED {
			let kind = OpKind::MatMulI8 { trans_a, trans_b };
			let inputs = [Input::Tensor(&a), Input::Tensor(&b)];
			let seconds = fastest(|| cuda.run(kind, &inputs, &CONTEXT, &mut out))?;
			let (what, note) = (format!("{name}, {n} x {n} x {n}, I8"), "packing included".to_owned());
			bench.figure(Figure { what, value: tera(operations, seconds), unit: "TOP/s", note });
		}
	}
	Ok(String::new())
}

pub(crate) fn memory(bench: &Bench<'_>) -> Result<String, OpError> {
	let (cuda, options) = (bench.device.backend(), bench.options);
	let side = if options.quick { 64 } else { 8192 };
	let spec = TensorSpec::f32(side, side);
	let bytes = spec.elements() as f64 * 4.0;
	let (x, y, mut out) = (ordinary(cuda, spec, 1)?, ordinary(cuda, spec, 2)?, cuda.allocate(spec)?);
	let seconds = fastest(|| cuda.root(&x).map(|_| ()))?;
	let mib = bytes / f64::from(1 << 20);
	let what = format!("BLAKE3 root of {mib} MiB");
	bench.figure(Figure { what, value: Some(bytes / seconds / 1e9), unit: "GB/s", note: String::new() });
	let add = OpKind::Binary(BinaryKind::Add);
	let seconds = fastest(|| cuda.run(add, &[Input::Tensor(&x), Input::Tensor(&y)], &CONTEXT, &mut out))?;
	let (what, note) = (format!("sum of two tensors of {mib} MiB"), "bytes read and written".to_owned());
	bench.figure(Figure { what, value: Some(3.0 * bytes / seconds / 1e9), unit: "GB/s", note });
	Ok(String::new())
}

/// An engine on the device with the largest batch that fits, of the asked one and its halves.
fn fitting(bench: &Bench<'_>, lane: Lane) -> Result<(Engine, u32), String> {
	let options = bench.options;
	let mut batch = if options.quick { 2 } else { options.batch };
	loop {
		let Model { program, data } = model::gpt2(lane, batch, options.quick)?;
		let mut engine = Engine::new(program, data, bench.cpu.clone()).map_err(|error| error.to_string())?;
		match engine.accelerate(&bench.device) {
			Ok(()) => return Ok((engine, batch)),
			Err(AcceleratorError::OutOfMemory { .. }) if batch > 1 => batch /= 2,
			Err(error) => return Err(error.to_string()),
		}
	}
}

/// Steps, and what a commitment costs beside the steps of a segment.
pub(crate) fn training(bench: &Bench<'_>, lane: Lane) -> Result<String, String> {
	let text = |error: RunError| error.to_string();
	let (engine, batch) = fitting(bench, lane)?;
	let flops = engine.program().step_cost().flops as f64;
	let options = bench.options;
	let name = if options.quick { "no model" } else { "GPT-2" };
	let millions = model::parameters(&engine) as f64 / 1e6;
	let name = format!("{name}, {millions:.0} million parameters, batch {batch}, lane {lane:?}");
	let mut state = engine.initial_state();
	let segment = u64::from(engine.program().header.segment_steps);
	let (mut step, mut commit, mut back) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
	for number in 0..if options.quick { 1 } else { 3 } {
		let started = Instant::now();
		let mut last = started;
		let mut in_steps = 0.0;
		engine
			.run(&mut state, (number + 1) * segment, &mut |_| {
				let seconds = last.elapsed().as_secs_f64();
				// The first step of a run waits for the state.
				if in_steps > 0.0 || number > 0 {
					step = step.min(seconds);
				}
				in_steps += seconds;
				last = Instant::now();
				ControlFlow::Continue(())
			})
			.map_err(text)?;
		if let Some(failure) = engine.accelerator_failure() {
			return Err(failure.to_string());
		}
		back = back.min(last.elapsed().as_secs_f64());
		let started = Instant::now();
		engine.state_root(&state).map_err(text)?;
		commit = commit.min(started.elapsed().as_secs_f64());
	}
	let profile = bench.device.backend().device().profile();
	let traffic = StepTraffic::of(engine.program(), &profile).map_err(|error| error.to_string())?.sum();
	let figure = |what: &str, value: f64, unit, note: &str| {
		bench.figure(Figure { what: format!("{name}: {what}"), value: Some(value), unit, note: note.into() });
	};
	figure("step", 1e3 * step, "ms", "");
	figure("training", flops / step / 1e12, "TFLOP/s", "operations of the program's ops, of both types");
	figure("state root, hashed on the device", 1e3 * commit, "ms", "once per segment");
	figure("state root, share of a segment of 10 steps", 100.0 * commit / (step * segment as f64), "%", "at most 1");
	figure("state to the host", 1e3 * back, "ms", "once per segment, for the checkpoint");
	figure("launches of a step", traffic.launches as f64, "", "counted, as are the bytes");
	figure(
		"bytes that launches move",
		traffic.bytes() as f64 / step / 1e9,
		"GB/s",
		"of a step, each tensor of a launch once",
	);
	Ok(String::new())
}
