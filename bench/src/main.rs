//! Measures the referee and whole disputes. `scripts/bench referee` builds the guest and runs this.
//!
//! `bench-referee GUEST.wasm [--json FILE]`
//!
//! Times are of the fastest run. "native" is this program, optimised as for release; "wasm" is the same code under the
//! engine that executes the chain's runtime.

extern crate alloc;

mod play;
mod programs;
mod time;
mod wasm;
mod work;

use std::{
	path::{Path, PathBuf},
	sync::Arc,
};

use anyhow::{bail, ensure, Context, Result};
use assay_engine::{Cpu, Engine, Path as CpuPath};
use assay_models::Model;
use assay_program::Program;
use assay_protocol::dispute::Side;
use codec::Encode;
use serde_json::{json, Value};
use time::fastest;
use wasm::Guest;
use work::{cases, MicroOp, Operands, OPERANDS};

fn main() -> Result<()> {
	let (guest, json_file) = arguments()?;
	let mut guest = Guest::load(&guest)?;
	let mut rows = Vec::new();
	fma(&mut guest, &mut rows)?;
	micro_ops(&mut guest, &mut rows)?;
	disputes(&mut guest, &mut rows)?;
	if let Some(path) = json_file {
		let text = serde_json::to_string_pretty(&rows)?;
		std::fs::write(&path, text).with_context(|| format!("{}", path.display()))?;
	}
	Ok(())
}

fn arguments() -> Result<(PathBuf, Option<PathBuf>)> {
	let mut arguments = std::env::args_os().skip(1);
	let guest = arguments.next().context("usage: bench-referee GUEST.wasm [--json FILE]")?;
	let json_file = match arguments.next() {
		Some(flag) if flag == "--json" => Some(arguments.next().context("--json needs a file")?.into()),
		Some(other) => bail!("unknown argument {}", Path::new(&other).display()),
		None => None,
	};
	Ok((guest.into(), json_file))
}

fn fma(guest: &mut Guest, rows: &mut Vec<Value>) -> Result<()> {
	println!("{:32} {:>12} {:>12}", "softfloat fma", "native, ns", "wasm, ns");
	let operands = Operands::new();
	let address = guest.prepare("operands", ())?;
	type Run = fn(&Operands) -> u32;
	let runs: [(&str, &str, Run); 2] =
		[("independent", "fma_each", Operands::each), ("chain", "fma_chain", Operands::chain)];
	for (name, export, run) in runs {
		let mut bits = 0;
		let native = fastest(|| {
			bits = run(std::hint::black_box(&operands));
			anyhow::Ok(())
		})?;
		let (wasm, wasm_bits) = guest.measure(export, address)?;
		ensure!(u64::from(bits) == wasm_bits, "{name}: native and wasm differ");
		let [native, wasm] = [native, wasm].map(|seconds| seconds * 1e9 / OPERANDS as f64);
		println!("{name:32} {native:12.2} {wasm:12.2}");
		rows.push(json!({ "what": "fma", "name": name, "native_ns": native, "wasm_ns": wasm }));
	}
	Ok(())
}

fn micro_ops(guest: &mut Guest, rows: &mut Vec<Value>) -> Result<()> {
	println!(
		"\n{:32} {:>12} {:>12} {:>12} {:>12}",
		"largest micro-op", "scalar ops", "opened, B", "native, ms", "wasm, ms"
	);
	for (index, case) in cases().iter().enumerate() {
		let name = case.name;
		let micro_op = MicroOp::largest(case).with_context(|| format!("{name}: the shape does not fit"))?;
		let mut digest = None;
		let native = fastest(|| {
			digest = micro_op.execute();
			digest.map(|_| ()).with_context(|| format!("{name}: no result"))
		})?;
		let address = guest.prepare("micro_op", u32::try_from(index)?)?;
		let (wasm, wasm_digest) = guest.measure("execute", address).context(name)?;
		ensure!(digest.map(u64::from) == Some(wasm_digest), "{name}: native and wasm differ");
		let [native, wasm] = [native, wasm].map(|seconds| seconds * 1e3);
		let MicroOp { ops, bytes, .. } = micro_op;
		println!("{name:32} {ops:12} {bytes:12} {native:12.3} {wasm:12.3}");
		rows.push(json!({
			"what": "micro-op", "name": name, "scalar_ops": ops, "opened_bytes": bytes, "native_ms": native, "wasm_ms": wasm,
		}));
	}
	Ok(())
}

fn disputes(guest: &mut Guest, rows: &mut Vec<Value>) -> Result<()> {
	println!(
		"\n{:32} {:28} {:>6} {:>10} {:>12} {:>12} {:>12}",
		"dispute", "leaf", "moves", "calls, B", "evidence, B", "native, ms", "wasm, ms"
	);
	type Lie = (&'static str, fn(&mut Program) -> Result<()>);
	let lies: [Lie; 3] = [
		("skipped activation", programs::skipped_activation),
		("other learning rate", programs::other_rate),
		("skipped update", programs::skipped_update),
	];
	for (program, model) in [("digits", programs::digits()?), ("5 M parameters", programs::large()?)] {
		let honest = Arc::new(engine(&model)?);
		for (lie, change) in lies {
			let name = format!("{program}: {lie}");
			let row = dispute(guest, &name, &model, honest.clone(), change).context(name)?;
			rows.push(row);
		}
	}
	Ok(())
}

fn engine(model: &Model) -> Result<Engine> {
	Ok(Engine::new(model.program.clone(), model.data.clone(), Arc::new(Cpu::new(CpuPath::Auto, 1)?))?)
}

fn dispute(
	guest: &mut Guest,
	name: &str,
	model: &Model,
	honest: Arc<Engine>,
	lie: fn(&mut Program) -> Result<()>,
) -> Result<Value> {
	let played = play::play(model, honest, lie)?;
	ensure!(played.winner == Side::Challenger, "the liar won");
	let (claim, evidence) = (played.claim.encode(), played.evidence.encode());
	let native = fastest(|| work::rule(&claim, &evidence).map(|_| ()).context("evidence refused"))?;
	let address = guest.place(&[claim.as_slice(), &evidence].concat())?;
	let lengths = (address, u32::try_from(claim.len())?, u32::try_from(evidence.len())?);
	let (wasm, upheld) = guest.measure("rule", lengths)?;
	ensure!(upheld == 0, "the guest upholds the lie");
	let [native, wasm] = [native, wasm].map(|seconds| seconds * 1e3);
	let play::Played { moves, bytes, evidence_bytes, leaf, .. } = played;
	println!("{name:32} {leaf:28} {moves:6} {bytes:10} {evidence_bytes:12} {native:12.3} {wasm:12.3}");
	Ok(json!({
		"what": "dispute", "name": name, "leaf": leaf, "ops": model.program.ops.len(),
		"segment_steps": model.program.header.segment_steps, "moves": moves, "call_bytes": bytes,
		"evidence_bytes": evidence_bytes, "native_ms": native, "wasm_ms": wasm,
	}))
}
