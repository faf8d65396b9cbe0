//! Programs to dispute about, and ways to cheat at them.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::{Context, Result};
use assay_engine::Tensor;
use assay_models::{mlp, Classification, CsvOptions, MlpConfig, Model, Split};
use assay_program::{DType, OpKind, Operand, Program, UnaryKind};

/// The default classifier of the digits data set: one hidden layer of 128, segments of 50 steps.
pub(crate) fn digits() -> Result<Model> {
	let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data/digits.csv");
	let file = File::open(&path).with_context(|| format!("{}", path.display()))?;
	let options = CsvOptions { scale: 1.0 / 16.0, ..CsvOptions::default() };
	let data = Classification::from_csv(BufReader::new(file), &options)?;
	Ok(mlp(&MlpConfig::new(data.features, data.classes), &data.train)?)
}

/// Five million parameters on synthetic data: 512 features, hidden layers of 2,048, segments of 32 steps.
pub(crate) fn large() -> Result<Model> {
	const ROWS: u32 = 4096;
	let mut state = 1u32;
	let mut random = || {
		state = state.wrapping_mul(1664525).wrapping_add(1013904223);
		state >> 8
	};
	let config =
		MlpConfig { hidden: vec![2048, 2048], batch: 128, steps: 64, segment_steps: 32, ..MlpConfig::new(512, 16) };
	// [0, 1)
	let x = (0..ROWS * config.features).map(|_| (random() as f32 / (1 << 24) as f32).to_bits()).collect();
	let y = (0..ROWS).map(|_| random() % config.classes).collect();
	let split =
		Split { x: Tensor::new(DType::F32, ROWS, config.features, x)?, y: Tensor::new(DType::I32, ROWS, 1, y)? };
	Ok(mlp(&config, &split)?)
}

/// The learning rate of the last parameter is halved: the values that differ appear late in the step.
pub(crate) fn other_rate(program: &mut Program) -> Result<()> {
	let op = program.ops.iter_mut().rev().find(|op| op.kind == OpKind::Fma).context("no fma")?;
	let rate = op.inputs.iter_mut().find_map(|input| match input {
		Operand::Scalar(bits) => Some(bits),
		Operand::Tensor(_) => None,
	});
	let rate = rate.context("no scalar")?;
	*rate = (f32::from_bits(*rate) / 2.0).to_bits();
	Ok(())
}

/// The last product that reads a layer after its activation reads it before.
pub(crate) fn skipped_activation(program: &mut Program) -> Result<()> {
	let relu = |place: &Operand, program: &Program| {
		program
			.ops
			.iter()
			.find(|op| op.kind == OpKind::Unary(UnaryKind::Relu) && Operand::Tensor(op.output) == *place)
			.map(|op| op.inputs.first().copied())
	};
	let forward = OpKind::MatMul { trans_a: false, trans_b: false };
	let found = program.ops.iter().enumerate().rev().find_map(|(place, op)| {
		let before = relu(op.inputs.first()?, program)??;
		(op.kind == forward).then_some((place, before))
	});
	let (place, before) = found.context("no product of an activation")?;
	let input = program.ops.get_mut(place).and_then(|op| op.inputs.first_mut()).context("no input")?;
	*input = before;
	Ok(())
}

/// One parameter is never updated.
pub(crate) fn skipped_update(program: &mut Program) -> Result<()> {
	anyhow::ensure!(!program.updates.is_empty(), "no updates");
	program.updates.remove(0);
	Ok(())
}
