//! Whether a device computes the CPU's bits: every kind of op on odd shapes and special values, roots, and training runs in
//! both lanes that end in known state roots.

use std::{collections::BTreeMap, sync::Arc};

use assay_cpu::{from_words, to_words, words_of, Context, Input, Matrix, OpError, Output};
use assay_cuda::{
	cases::{case, compare, f32s, i8s, label, Case, Given, Random, CONTEXT, ROUND},
	Backend, Device, DeviceAccelerator, SharedDevice,
};
use assay_engine::{Cpu, Tensor};
use assay_models::conformance_on;
use assay_program::{DType, OpKind, TensorSpec};

/// What a device computes otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
	/// An op on random operands.
	#[error("op case {number} of seed {seed}: {what}")]
	Op {
		/// Seed of the case.
		seed: u64,
		/// Its number.
		number: u64,
		/// The first element that differs, or what went wrong.
		what: String,
	},
	/// A product that takes large tiles.
	#[error("large product {number}: {what}")]
	Large {
		/// Its number.
		number: u32,
		/// The first element that differs, or what went wrong.
		what: String,
	},
	/// A tensor's root.
	#[error("the root of a tensor of {rows} x {cols} {dtype:?}: {what}")]
	Root {
		/// Rows.
		rows: u32,
		/// Columns.
		cols: u32,
		/// Type of its elements.
		dtype: DType,
		/// What went wrong.
		what: String,
	},
	/// A training run whose end is known.
	#[error("the run `{run}` ends in {found}, not in {expected}")]
	Run {
		/// What was trained.
		run: &'static str,
		/// The state root in which it ends on every machine that conforms.
		expected: &'static str,
		/// The one in which it ended, or why it failed.
		found: String,
	},
}

/// Looks at a device.
///
/// # Errors
/// The first [`Difference`] that is found.
pub fn conformance<D: SharedDevice>(device: &DeviceAccelerator<D>, cpu: &Arc<Cpu>) -> Result<(), Difference> {
	let backend = device.backend();
	(0..ROUND).try_for_each(|number| op(backend, cpu, 0, number, 1).map(drop))?;
	large(backend, cpu)?;
	roots(backend)?;
	match conformance_on(cpu, Some(device)).into_iter().find(|outcome| !outcome.conforms()) {
		None => Ok(()),
		Some(outcome) => {
			let found = outcome.found.unwrap_or_else(|error| error);
			Err(Difference::Run { run: outcome.run, expected: outcome.expected, found })
		}
	}
}

/// Products that are just large enough for the kernels of large tiles, which need a tile for every processor; of floats,
/// segments of the inner dimension count as well.
fn large<D: Device>(backend: &Backend<D>, cpu: &Cpu) -> Result<(), Difference> {
	const TILE: u32 = 128;
	const SEGMENT: u32 = 512;
	let processors = backend.device().profile().multiprocessors.clamp(1, 1 << 12);
	let side = TILE * (f64::from(processors).sqrt().ceil() as u32 - 1) + 1;
	let long = SEGMENT * processors.div_ceil(4);
	let mut random = Random::new(26);
	for (number, (trans_a, trans_b)) in (0..).zip([(false, false), (false, true), (true, false), (true, true)]) {
		let shapes = |m, k, n| (if trans_a { (k, m) } else { (m, k) }, if trans_b { (n, k) } else { (k, n) });
		let (sides, inner) = ((TILE + 1, TILE + 2), long);
		let (a, b) = shapes(sides.0, inner, sides.1);
		let given = [a, b].map(|(rows, cols)| f32s(rows, cols, || random.ordinary())).into();
		let floats =
			Case { kind: OpKind::MatMul { trans_a, trans_b }, given, output: TensorSpec::f32(sides.0, sides.1) };
		let sides = (side.max(TILE + 1), side.max(TILE + 3));
		let (a, b) = shapes(sides.0, 37, sides.1);
		let given = [a, b].map(|(rows, cols)| i8s(rows, cols, &mut random)).into();
		let output = TensorSpec { dtype: DType::I32, rows: sides.0, cols: sides.1 };
		let bytes = Case { kind: OpKind::MatMulI8 { trans_a, trans_b }, given, output };
		for case in [floats, bytes] {
			one(backend, cpu, &case).map_err(|what| Difference::Large { number, what })?;
		}
	}
	Ok(())
}

/// Elements of the outputs that were compared, by what distinguishes kinds of ops.
pub type Fuzzed = BTreeMap<String, u64>;

/// Compares random ops until at least `elements` output elements of every kind were equal. Sides are up to `scale` times as long
/// as those of [`conformance`].
///
/// # Errors
/// The first [`Difference`], by seed and number of the case.
pub fn fuzz<D: Device>(
	backend: &Backend<D>,
	cpu: &Cpu,
	seed: u64,
	elements: u64,
	scale: u32,
) -> Result<Fuzzed, Difference> {
	// Every kind comes by in one round.
	let mut compared: Fuzzed = (0..ROUND).map(|number| (label(case(seed, number, 1).kind), 0)).collect();
	let mut number = 0;
	while compared.values().any(|count| *count < elements) {
		let next = case(seed, number, scale);
		let done = compared.get(&label(next.kind)).copied().unwrap_or(0);
		if done < elements {
			one(backend, cpu, &next).map_err(|what| Difference::Op { seed, number, what })?;
			*compared.entry(label(next.kind)).or_default() += next.output.elements();
		}
		number += 1;
	}
	Ok(compared)
}

fn op<D: Device>(backend: &Backend<D>, cpu: &Cpu, seed: u64, number: u64, scale: u32) -> Result<(), Difference> {
	one(backend, cpu, &case(seed, number, scale)).map_err(|what| Difference::Op { seed, number, what })
}

fn one<D: Device>(backend: &Backend<D>, cpu: &Cpu, case: &Case) -> Result<(), String> {
	compare(core::slice::from_ref(backend), case, &answer(cpu, case)?)
}

/// The output of a case as the CPU has it, also where it is infinite or NaN.
///
/// # Errors
/// What the CPU refuses, which no case of this crate is.
pub fn answer(cpu: &Cpu, case: &Case) -> Result<Vec<u32>, String> {
	let Case { kind, given, output } = case;
	let words: Vec<Vec<u32>> = given.iter().map(words).collect();
	let inputs: Vec<Input<'_>> = given.iter().zip(&words).map(|(given, words)| input(given, words)).collect();
	let count = output.elements() as usize;
	let mut bits = vec![0xffde_ad01; words_of(output.dtype, count)];
	let out = Output { dtype: output.dtype, rows: output.rows, cols: output.cols, bits: &mut bits };
	match cpu.run(*kind, &inputs, &Context { seed: CONTEXT.seed, step: CONTEXT.step }, out) {
		Ok(()) | Err(OpError::NonFinite) => Ok(from_words(output.dtype, &bits, count).into_owned()),
		Err(error) => Err(format!("the CPU refuses {kind:?}: {error}")),
	}
}

/// An operand in memory.
fn words(given: &Given) -> Vec<u32> {
	match given {
		Given::Tensor(spec, bits, _) => to_words(spec.dtype, bits.clone()),
		Given::Scalar(_) => Vec::new(),
	}
}

fn input<'a>(given: &Given, bits: &'a [u32]) -> Input<'a> {
	match given {
		Given::Tensor(spec, _, _) => {
			Input::Tensor(Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits })
		}
		Given::Scalar(bits) => Input::Scalar(*bits),
	}
}

/// One chunk, one tile, padding on either side, several levels of the tree; vectors and matrices of every type.
const SHAPES: [(u32, u32); 9] =
	[(1, 1), (1, 257), (1, 4097), (1, 9 * 1024), (7, 31), (33, 32), (97, 101), (1000, 1), (300, 260)];

fn roots<D: Device>(backend: &Backend<D>) -> Result<(), Difference> {
	let mut random = Random::new(25);
	for dtype in [DType::F32, DType::I32, DType::I8] {
		for (rows, cols) in SHAPES {
			let element = |bits: u32| if dtype == DType::I8 { bits as u8 as i8 as u32 } else { bits };
			let bits = (0..rows * cols).map(|_| element(random.next() >> 3)).collect();
			let wrong = |what: String| Difference::Root { rows, cols, dtype, what };
			let tensor = Tensor::new(dtype, rows, cols, bits).map_err(|error| wrong(error.to_string()))?;
			let there = backend.upload(tensor.spec(), &tensor.bits()).map_err(|error| wrong(error.to_string()))?;
			if backend.root(&there).map_err(|error| wrong(error.to_string()))? != tensor.root() {
				return Err(wrong("not the CPU's".into()));
			}
		}
	}
	Ok(())
}
