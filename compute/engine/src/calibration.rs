//! How fast this machine is, and how long a step will take on it.

use std::{
	sync::Arc,
	time::{Duration, Instant},
};

use assay_cpu::{to_words, Context, Cpu, Input, Matrix, OpError, Output};
use assay_program::{Axis, BinaryKind, DType, OpKind, Reduction, UnaryKind, Window};

/// Time to spend on each measurement.
const BUDGET: Duration = Duration::from_millis(12);
/// What a short piece of a step takes.
const PAUSE: Duration = Duration::from_micros(30);
/// Elements of a measured tensor that the first-level cache holds.
const NEAR: u32 = 2048;
/// Elements of tensors larger than any cache.
const FAR: u32 = 1 << 24;

/// Measured costs of one thread, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
	/// A multiply-add of an f32 product, and each element packed or written for it.
	pub product: [f64; 2],
	/// The same of an int8 product.
	pub product_i8: [f64; 2],
	/// An element of each kind of elementwise op and reduction, its operands in the first-level cache.
	pub elements: Vec<(OpKind, f64)>,
	/// What an elementwise op takes more for each row where an operand is the same for all rows.
	pub row: f64,
	/// What a run of pixels takes more, copied out of an image and added into one.
	pub window_runs: [f64; 2],
	/// A byte read, from the third-level cache and from memory; one that is written counts twice.
	pub bytes: [f64; 2],
	/// What memory traffic takes of what it would on one thread, on all threads.
	pub shared: f64,
	/// An op without work.
	pub op: f64,
	/// How many times as fast a large product is on all threads.
	pub speedup: f64,
	/// Handing work to all threads and waiting for the last.
	pub handoff: f64,
}

/// The window of which copies into and out of images are measured.
const WINDOW: Window = Window { height: 8, width: 8, kernel_height: 3, kernel_width: 3, stride: 1, padding: 1 };

struct Samples {
	cpu: Arc<Cpu>,
	single: Cpu,
}

impl Samples {
	/// Nanoseconds of the fastest run of an op over inputs and output of these shapes.
	fn time(
		&self,
		cpu: &Cpu,
		kind: OpKind,
		inputs: &[(DType, u32, u32)],
		output: (DType, u32, u32),
	) -> Result<f64, OpError> {
		self.time_after(Duration::ZERO, cpu, kind, inputs, output)
	}

	/// [`Self::time`], with a pause before each run, and where a step would run it.
	fn time_after(
		&self,
		pause: Duration,
		cpu: &Cpu,
		kind: OpKind,
		inputs: &[(DType, u32, u32)],
		output: (DType, u32, u32),
	) -> Result<f64, OpError> {
		let ones = |(dtype, rows, cols): (DType, u32, u32)| {
			let bits = if dtype == DType::F32 { 0x3f40_0000 } else { 1 };
			to_words(dtype, vec![bits; (rows * cols) as usize])
		};
		let data: Vec<Vec<u32>> = inputs.iter().map(|shape| ones(*shape)).collect();
		let matrices = inputs.iter().zip(&data);
		let matrices =
			matrices.map(|((dtype, rows, cols), bits)| Matrix { dtype: *dtype, rows: *rows, cols: *cols, bits });
		let inputs: Vec<Input<'_>> = matrices.map(Input::Tensor).collect();
		let (mut out, context) = (ones(output), Context { seed: [0; 32], step: 0 });
		let (begin, mut best) = (Instant::now(), f64::INFINITY);
		let mut runs = 0;
		cpu.in_pool(|| {
			while runs < 2 || begin.elapsed() < BUDGET {
				let (dtype, rows, cols) = output;
				let waited = Instant::now();
				while waited.elapsed() < pause {
					core::hint::spin_loop();
				}
				let start = Instant::now();
				cpu.run(kind, &inputs, &context, Output { dtype, rows, cols, bits: &mut out })?;
				best = best.min(start.elapsed().as_secs_f64() * 1e9);
				runs += 1;
			}
			Ok(best)
		})
	}

	/// A multiply-add, and an element packed or written.
	fn product(&self, kind: OpKind, dtype: DType, to: DType) -> Result<[f64; 2], OpError> {
		let mut equations = [[0.0; 3]; 2];
		for (equation, (m, k, n)) in equations.iter_mut().zip([(1008u32, 512u32, 512u32), (1008, 512, 32)]) {
			let time = self.time(&self.single, kind, &[(dtype, m, k), (dtype, k, n)], (to, m, n))?;
			*equation = [f64::from(m) * f64::from(k) * f64::from(n), f64::from(m * k + k * n + m * n), time];
		}
		let [[a, b, t], [c, d, u]] = equations;
		let determinant = a * d - b * c;
		let solved = [(t * d - b * u) / determinant, (a * u - t * c) / determinant];
		// A noisy measurement may make packing look free or worse.
		Ok([solved[0].max(0.0), solved[1].max(0.0)])
	}
}

/// Kinds measured element by element; others are like one of them, or copies.
fn kinds() -> Vec<OpKind> {
	use UnaryKind::{Cos, Erf, Exp, Log, Neg, Rsqrt, Sigmoid, Sin, Sqrt, Tanh};
	let unary = [Neg, Exp, Log, Tanh, Sqrt, Sigmoid, Erf, Sin, Cos, Rsqrt].map(OpKind::Unary);
	let binary = [BinaryKind::Add, BinaryKind::Div, BinaryKind::Max].map(OpKind::Binary);
	let sums = [Reduction::Sum, Reduction::Max].map(|reduction| OpKind::Reduce { reduction, axis: Axis::Cols });
	let across = [Reduction::Sum, Reduction::Max].map(|reduction| OpKind::Reduce { reduction, axis: Axis::Rows });
	let others =
		[OpKind::Fma, OpKind::Quantise, OpKind::Dequantise, OpKind::Dropout { stream: 0, keep: 1 << 31, scale: 0 }];
	unary.into_iter().chain(binary).chain(sums).chain(across).chain(others).collect()
}

impl Calibration {
	/// Measures the machine, on one thread and on those of `cpu`; takes about a second.
	pub fn measure(cpu: &Arc<Cpu>) -> Result<Self, OpError> {
		let single = Cpu::new(cpu.path(), 1).map_err(|_| OpError::FloatEnvironment)?;
		let samples = Samples { cpu: cpu.clone(), single };
		let f32s = |rows, cols| (DType::F32, rows, cols);
		let one = |kind, inputs: &[_], output| samples.time(&samples.single, kind, inputs, output);
		let op = one(OpKind::Binary(BinaryKind::Add), &[f32s(1, 1), f32s(1, 1)], f32s(1, 1))?;
		let mut elements = Vec::new();
		for kind in kinds() {
			let (rows, cols) = (16, NEAR / 16);
			let x = f32s(rows, cols);
			let time = match kind {
				OpKind::Reduce { axis: Axis::Cols, .. } => one(kind, &[x], f32s(rows, 1))?,
				OpKind::Reduce { axis: Axis::Rows, .. } => {
					// Rows enough for all lanes.
					let (rows, cols) = (256, 384);
					one(kind, &[f32s(rows, cols)], f32s(1, cols))? * f64::from(NEAR) / f64::from(rows * cols)
				}
				OpKind::Unary(_) | OpKind::Dropout { .. } => one(kind, &[x], x)?,
				OpKind::Fma => one(kind, &[x, x, x], x)?,
				OpKind::Quantise => one(kind, &[x, f32s(rows, 1)], (DType::I8, rows, cols))?,
				OpKind::Dequantise => one(kind, &[(DType::I32, rows, cols), f32s(rows, 1), f32s(1, cols)], x)?,
				_ => one(kind, &[x, x], x)?,
			};
			elements.push((kind, (time - op).max(0.0) / f64::from(NEAR)));
		}
		let mut window_runs = [0.0; 2];
		for (runs, kind) in window_runs.iter_mut().zip([OpKind::Im2col(WINDOW), OpKind::Col2im(WINDOW)]) {
			// Of many channels and of one: elements, and runs of the three pixels of a kernel's row.
			let element = |channels: u32| {
				let (image, windows) = (f32s(16 * 64, channels), f32s(16 * 64, 9 * channels));
				let shapes = if matches!(kind, OpKind::Im2col(_)) { (image, windows) } else { (windows, image) };
				Ok::<f64, OpError>(one(kind, &[shapes.0], shapes.1)? / f64::from(16 * 64 * 9 * channels))
			};
			let (many, few) = (element(16)?, element(1)?);
			*runs = ((few - many) / (1.0 / 3.0 - 1.0 / 48.0)).max(0.0);
			elements.push((kind, (many - *runs / 48.0).max(0.0)));
		}
		let narrow = f32s(NEAR / 16, 16);
		let add =
			elements.iter().find(|(kind, _)| *kind == OpKind::Binary(BinaryKind::Add)).map_or(0.0, |(_, add)| *add);
		let rows = one(OpKind::Binary(BinaryKind::Add), &[narrow, f32s(1, 16)], narrow)? - op - add * f64::from(NEAR);
		let row = (rows / f64::from(NEAR / 16)).max(0.0);
		let copy = OpKind::Binary(BinaryKind::Add);
		let traffic = |cpu: &Cpu, count: u32| -> Result<f64, OpError> {
			let shape = f32s(count / 1024, 1024);
			Ok(samples.time(cpu, copy, &[shape, shape], shape)? / (f64::from(count) * 16.0))
		};
		let bytes = [traffic(&samples.single, FAR / 16)?, traffic(&samples.single, FAR)?];
		let shared = (traffic(&samples.cpu, FAR)? / bytes[1]).clamp(1.0 / cpu.threads() as f64, 1.0);
		let (trans_a, trans_b) = (false, false);
		let product = |cpu: &Cpu, m: u32, k: u32, n: u32| {
			samples.time(cpu, OpKind::MatMul { trans_a, trans_b }, &[f32s(m, k), f32s(k, n)], f32s(m, n))
		};
		let large = |cpu: &Cpu| product(cpu, 1008, 512, 512);
		let speedup = (large(&samples.single)? / large(&samples.cpu)?).clamp(1.0, cpu.threads() as f64);
		// The least that is handed over, after so much work on one thread that the others have gone to sleep.
		let (left, right) = (f32s(128, 128), f32s(128, 128));
		let small = |cpu: &Cpu| {
			let kind = OpKind::MatMul { trans_a, trans_b };
			samples.time_after(PAUSE, cpu, kind, &[left, right], f32s(128, 128))
		};
		let handoff = (small(&samples.cpu)? - small(&samples.single)? / speedup).max(0.0);
		Ok(Self {
			product: samples.product(OpKind::MatMul { trans_a, trans_b }, DType::F32, DType::F32)?,
			product_i8: samples.product(OpKind::MatMulI8 { trans_a, trans_b }, DType::I8, DType::I32)?,
			elements,
			row,
			window_runs,
			bytes,
			shared,
			op,
			speedup,
			handoff: if cpu.threads() > 1 { handoff } else { 0.0 },
		})
	}

	/// Nanoseconds of an element of an op, its operands near. Copies cost their traffic only.
	pub(crate) fn element(&self, kind: OpKind) -> f64 {
		let like = match kind {
			OpKind::Unary(UnaryKind::Abs | UnaryKind::Relu) => OpKind::Unary(UnaryKind::Neg),
			OpKind::Binary(BinaryKind::Div) => kind,
			OpKind::Binary(BinaryKind::Max | BinaryKind::Min) => OpKind::Binary(BinaryKind::Max),
			OpKind::Binary(_) => OpKind::Binary(BinaryKind::Add),
			OpKind::Dropout { .. } => OpKind::Dropout { stream: 0, keep: 1 << 31, scale: 0 },
			OpKind::OneHot | OpKind::Causal { .. } | OpKind::Columns { .. } | OpKind::PadColumns { .. } => {
				OpKind::Unary(UnaryKind::Neg)
			}
			OpKind::Im2col(_) => OpKind::Im2col(WINDOW),
			OpKind::Col2im(_) => OpKind::Col2im(WINDOW),
			kind => kind,
		};
		self.elements.iter().find(|(kind, _)| *kind == like).map_or(0.0, |(_, time)| *time)
	}
}
