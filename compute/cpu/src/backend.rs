//! The backend: checks an op's arguments, splits its work over threads, runs the kernels.

use assay_program::{
	philox::Key,
	shape::{check_op, next_row},
	Axis, DType, OpKind, OperandSpec, TensorSpec, Window,
};
use rayon::prelude::*;

use crate::{
	arg_max,
	elementwise::{self, Elementwise, Sources},
	environment, gather,
	hadamard::Hadamard,
	int8,
	mask::{self, Dropout, Gumbel},
	matmul::{self, Operand, Region},
	matrix::{floats, floats_mut, is_raised, non_finite_flag, Input, Matrix, Output},
	path::Supported,
	rearrange, reduce,
	scatter::Scatter,
	window::{self, Col2im},
	CpuError, OpError, Path,
};

/// Elements below which an elementwise op or a reduction stays on the calling thread.
const PARALLEL_ELEMENTS: usize = 1 << 16;
/// Multiply-adds below which a matrix product stays on the calling thread.
const PARALLEL_PRODUCTS: usize = 1 << 21;

/// What ops that draw random numbers depend on.
#[derive(Clone, Copy, Debug)]
pub struct Context {
	/// The program's seed.
	pub seed: [u8; 32],
	/// The step, from 0.
	pub step: u64,
}

/// The CPU backend: an instruction path and a pool of threads.
#[derive(Debug)]
pub struct Cpu {
	pub(crate) path: Supported,
	pool: rayon::ThreadPool,
	/// Lane of vectors whose products have the last bit wrong.
	#[cfg(feature = "faulty")]
	faulty_lane: Option<usize>,
}

impl Cpu {
	/// A backend of `threads` threads, 0 for one per processor.
	pub fn new(path: Path, threads: usize) -> Result<Self, CpuError> {
		let path = Supported::new(path)?;
		let pool = rayon::ThreadPoolBuilder::new()
			.num_threads(threads)
			.thread_name(|index| format!("assay-cpu-{index}"))
			.build()
			.map_err(|error| CpuError::Threads(error.to_string()))?;
		if pool.broadcast(|_| environment::is_default()).into_iter().all(|default| default) {
			Ok(Self {
				path,
				pool,
				#[cfg(feature = "faulty")]
				faulty_lane: None,
			})
		} else {
			Err(CpuError::FloatEnvironment)
		}
	}

	/// The same backend with one lane of sixteen whose products have the last bit wrong.
	#[cfg(feature = "faulty")]
	pub fn with_faulty_lane(self, lane: usize) -> Self {
		Self { faulty_lane: Some(lane), ..self }
	}

	/// The instructions in use, never [`Path::Auto`].
	pub fn path(&self) -> Path {
		self.path.path()
	}

	/// Threads of the pool.
	pub fn threads(&self) -> usize {
		self.pool.current_num_threads()
	}

	/// The pool, for other work that should share its threads.
	pub fn pool(&self) -> &rayon::ThreadPool {
		&self.pool
	}

	/// Runs `work` on a thread of the pool, on this one if it is of the pool or the pool has only one.
	pub fn in_pool<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
		if self.threads() == 1 || self.pool.current_thread_index().is_some() {
			work()
		} else {
			self.pool.install(work)
		}
	}

	/// Makes room on every thread for groups with these scratch tensors, so that running them allocates nothing.
	pub fn reserve_rows(&self, scratch: &[usize]) {
		crate::rows::reserve(scratch);
		self.pool.broadcast(|_| crate::rows::reserve(scratch));
	}

	/// Runs one op. On [`OpError::NonFinite`] the output is written, on other errors it is not.
	pub fn run(&self, kind: OpKind, inputs: &[Input<'_>], context: &Context, out: Output<'_>) -> Result<(), OpError> {
		#[cfg(feature = "faulty")]
		if let Some(lane) = self.faulty_lane {
			let Output { dtype, rows, cols, bits } = out;
			let result = self.execute(kind, inputs, context, Output { dtype, rows, cols, bits: &mut *bits });
			if matches!(kind, OpKind::MatMul { .. } | OpKind::MatMulI8 { .. }) {
				bits.iter_mut().skip(lane).step_by(16).for_each(|bits| *bits ^= 1);
			}
			return result;
		}
		self.execute(kind, inputs, context, out)
	}

	fn execute(&self, kind: OpKind, inputs: &[Input<'_>], context: &Context, out: Output<'_>) -> Result<(), OpError> {
		if !environment::is_default() {
			return Err(OpError::FloatEnvironment);
		}
		let (rows, cols) = (out.rows as usize, out.cols as usize);
		if rows == 0 || cols == 0 || rows.checked_mul(cols) != Some(out.bits.len()) {
			return Err(OpError::Shape("the output's elements are not rows * cols"));
		}
		let gives = match kind {
			OpKind::GatherBatch { .. }
			| OpKind::NextBatch
			| OpKind::Columns { .. }
			| OpKind::Flatten
			| OpKind::Reshape => out.dtype,
			OpKind::Quantise => DType::I8,
			OpKind::MatMulI8 { .. } | OpKind::ArgMax => DType::I32,
			_ => DType::F32,
		};
		if out.dtype != gives {
			return Err(OpError::Shape("the output must be of the type that the op gives"));
		}
		let finite = match (kind, inputs) {
			(OpKind::MatMul { trans_a, trans_b }, [a, b]) => {
				self.matmul(&f32_tensor(a)?, trans_a, &f32_tensor(b)?, trans_b, out)?
			}
			(OpKind::Unary(unary), [_]) => self.elementwise(Elementwise::Unary(unary), DType::F32, inputs, out)?,
			(OpKind::Binary(binary), [_, _]) => {
				self.elementwise(Elementwise::Binary(binary), DType::F32, inputs, out)?
			}
			(OpKind::Fma, [_, _, _]) => self.elementwise(Elementwise::Fma, DType::F32, inputs, out)?,
			(OpKind::Quantise, [_, _]) => self.elementwise(Elementwise::Quantise, DType::F32, inputs, out)?,
			(OpKind::Dequantise, [Input::Tensor(_), _, _]) => {
				self.elementwise(Elementwise::Dequantise, DType::I32, inputs, out)?
			}
			(OpKind::Reduce { reduction, axis: Axis::Cols }, [x]) => {
				let x = f32_tensor(x)?;
				if (out.rows, out.cols) != (x.rows, 1) {
					return Err(OpError::Shape("a reduction over columns gives one column"));
				}
				let (path, cols) = (self.path, x.cols as usize);
				self.over_rows_of(x.bits, cols, out.bits, 1, |x, out| reduce::over_cols(path, reduction, x, cols, out))
			}
			(OpKind::Reduce { reduction, axis: Axis::Rows }, [x]) => {
				let x = f32_tensor(x)?;
				if (out.rows, out.cols) != (1, x.cols) {
					return Err(OpError::Shape("a reduction over rows gives one row"));
				}
				self.reduce_rows(reduction, &x, out.bits)
			}
			(OpKind::GatherBatch { .. } | OpKind::NextBatch, [x]) => {
				let x = tensor(x)?;
				if x.cols != out.cols || x.dtype != out.dtype || x.rows == 0 {
					return Err(OpError::Shape("a batch has the columns and the type of its data, which has rows"));
				}
				let (step, batch) = (context.step, out.rows);
				match kind {
					OpKind::GatherBatch { stream } => {
						let key = Key::batch(&context.seed);
						gather::rows(&x, |element| key.batch_row(stream, step, element, x.rows), out.bits)
					}
					_ => gather::rows(&x, |element| next_row(step, batch, element, x.rows), out.bits),
				}
			}
			(OpKind::OneHot, [labels]) => {
				let labels = tensor(labels)?;
				if labels.dtype != DType::I32 || labels.cols != 1 || labels.rows != out.rows {
					return Err(OpError::Shape("labels are one i32 column with a row per output row"));
				}
				gather::one_hot(labels.bits, cols, out.bits);
				true
			}
			(
				OpKind::Columns { .. }
				| OpKind::PadColumns { .. }
				| OpKind::Flatten
				| OpKind::Lookup
				| OpKind::ScatterRows
				| OpKind::SplitHeads { .. }
				| OpKind::MergeHeads { .. }
				| OpKind::BlockMatMul { .. }
				| OpKind::Causal { .. }
				| OpKind::Dropout { .. }
				| OpKind::Reshape
				| OpKind::MatMulI8 { .. }
				| OpKind::ArgMax
				| OpKind::Gumbel { .. }
				| OpKind::Im2col(_)
				| OpKind::Col2im(_)
				| OpKind::Hadamard { .. },
				inputs,
			) => self.shaped(kind, inputs, context, out)?,
			_ => return Err(OpError::Shape("wrong number of inputs")),
		};
		if finite {
			Ok(())
		} else {
			Err(OpError::NonFinite)
		}
	}

	/// Ops whose shapes the program's own rules check.
	fn shaped(&self, kind: OpKind, inputs: &[Input<'_>], context: &Context, out: Output<'_>) -> Result<bool, OpError> {
		let spec = |dtype, rows, cols| TensorSpec { dtype, rows, cols };
		// On the stack: a step is to allocate nothing.
		let mut given = [Matrix { dtype: DType::F32, rows: 0, cols: 0, bits: &[] }; 3];
		let mut operands = [OperandSpec::Scalar(0); 3];
		if inputs.len() > given.len() {
			return Err(OpError::Shape("wrong number of inputs"));
		}
		for ((given, operand), input) in given.iter_mut().zip(&mut operands).zip(inputs) {
			*given = tensor(input)?;
			*operand = OperandSpec::Tensor { spec: spec(given.dtype, given.rows, given.cols), data: false };
		}
		check_op(kind, &operands[..inputs.len()], spec(out.dtype, out.rows, out.cols), out.rows)
			.map_err(|_| OpError::Shape("operands or output do not fit the op"))?;
		let cols = out.cols as usize;
		match (kind, &given[..inputs.len()]) {
			(OpKind::Columns { first }, [x]) => {
				self.bands(out.bits, cols, |row, band| rearrange::columns(x, first as usize, row, cols, band));
			}
			(OpKind::PadColumns { first }, [x]) => {
				self.bands(out.bits, cols, |row, band| rearrange::pad_columns(x, first as usize, row, cols, band));
			}
			(OpKind::Flatten | OpKind::Reshape, [x]) => out.bits.copy_from_slice(x.bits),
			(OpKind::MatMulI8 { trans_a, trans_b }, [a, b]) => {
				self.matmul_i8(a, trans_a, b, trans_b, &mut *out.bits, cols)
			}
			(OpKind::ArgMax, [x]) => {
				let (path, cols) = (self.path, x.cols as usize);
				self.over_rows_of(x.bits, cols, out.bits, 1, |x, out| {
					arg_max::run(path, x, cols, out);
					true
				});
			}
			(OpKind::Gumbel { stream }, [x]) => {
				let (key, step, path) = (Key::gumbel(&context.seed), context.step, self.path);
				// As if of rows of four, so that no band begins inside a block of draws.
				self.bands(out.bits, 4, |quad, out| {
					let first = quad * 4;
					path.run(Gumbel { key, stream, step, first, x: &x.bits[first..], out });
				});
			}
			(OpKind::Im2col(window), [x]) => {
				let positions = positions(&window)?;
				self.bands(out.bits, cols, |row, band| window::im2col(&window, positions, x, row, cols, band));
			}
			(OpKind::Col2im(window), [x]) => {
				let (path, positions) = (self.path, positions(&window)?);
				self.bands(out.bits, cols, |first, band| {
					path.run(Col2im { window, x: *x, channels: cols, positions, first, band });
				});
			}
			(OpKind::Hadamard { log2, axis }, [x]) => {
				out.bits.copy_from_slice(x.bits);
				let path = self.path;
				// Bands of whole blocks.
				let (cols, unit) = match axis {
					Axis::Rows => (Some(cols), cols << log2),
					Axis::Cols => (None, cols),
				};
				self.bands(out.bits, unit, |_, elements| path.run(Hadamard { log2, cols, elements }));
			}
			(OpKind::SplitHeads { rows, heads }, [x]) => {
				let (rows, heads) = (rows as usize, heads as usize);
				self.bands(out.bits, cols, |row, band| rearrange::split_heads(x, rows, heads, row, band));
			}
			(OpKind::MergeHeads { rows, heads }, [x]) => {
				let (rows, heads) = (rows as usize, heads as usize);
				self.bands(out.bits, cols, |row, band| rearrange::merge_heads(x, rows, heads, row, band));
			}
			(OpKind::Lookup, [table, ids]) => {
				self.bands(out.bits, cols, |row, band| rearrange::lookup(table, ids.bits, row, band));
			}
			(OpKind::ScatterRows, [ids, values]) => {
				let path = self.path;
				self.bands(out.bits, cols, |first, band| {
					path.run(Scatter { ids: ids.bits, values: *values, first, band });
				});
			}
			(OpKind::Causal { rows, offset, fill }, [x]) => {
				let (rows, offset) = (rows as usize, offset as usize);
				self.bands(out.bits, cols, |row, band| {
					mask::causal(&x.bits[row * cols..], cols, rows, offset, fill, row, band);
				});
			}
			(OpKind::Dropout { stream, keep, scale }, [x]) => {
				let (key, scale) = (Key::dropout(&context.seed), f32::from_bits(scale));
				let dropout = Dropout { key, stream, step: context.step, keep, scale };
				// As if of rows of four, so that no band begins inside a block of draws.
				self.bands(out.bits, 4, |quad, band| dropout.run(&x.bits[quad * 4..], quad * 4, band));
			}
			(OpKind::BlockMatMul { trans_a, trans_b, blocks, share }, [a, b]) => {
				let blocks = (blocks as usize, share as usize);
				return Ok(self.block_matmul(a, trans_a, b, trans_b, blocks, &mut *out.bits, cols));
			}
			_ => return Err(OpError::Shape("wrong number of inputs")),
		}
		let finite = |bits: &[u32]| !is_raised(bits.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits)));
		Ok(out.dtype != DType::F32 || finite(out.bits))
	}

	/// Runs `work` over bands of whole rows of the output; it gets the first row and the band.
	fn bands(&self, out: &mut [u32], cols: usize, work: impl Fn(usize, &mut [u32]) + Sync) {
		if out.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return work(0, out);
		}
		let share = self.share(out.len().div_ceil(cols));
		self.pool.install(|| {
			out.par_chunks_mut(share * cols).enumerate().for_each(|(index, band)| work(index * share, band));
		});
	}

	/// `blocks` products; `share` of them read the same block of `b`.
	#[allow(clippy::too_many_arguments)]
	fn block_matmul(
		&self,
		a: &Matrix<'_>,
		trans_a: bool,
		b: &Matrix<'_>,
		trans_b: bool,
		(blocks, share): (usize, usize),
		out: &mut [u32],
		n: usize,
	) -> bool {
		let (a_len, b_len, out_len) = (a.bits.len() / blocks, b.bits.len() / (blocks / share), out.len() / blocks);
		let m = out_len / n;
		let k = a_len / m;
		let path = self.path;
		let product = |block: usize, out: &mut [u32]| {
			let (a_bits, b_bits) = (&a.bits[block * a_len..][..a_len], &b.bits[block / share * b_len..][..b_len]);
			let a = Operand { data: floats(a_bits), stride: a.cols as usize, inner_contiguous: !trans_a };
			let b = Operand { data: floats(b_bits), stride: b.cols as usize, inner_contiguous: trans_b };
			matmul::run(path, a, b, k, Region::whole(floats_mut(out), m, n))
		};
		let products = blocks.saturating_mul(m).saturating_mul(k).saturating_mul(n);
		if products < PARALLEL_PRODUCTS || self.threads() == 1 {
			out.chunks_exact_mut(out_len).enumerate().fold(true, |finite, (block, out)| finite & product(block, out))
		} else {
			self.pool.install(|| {
				let blocks = out.par_chunks_exact_mut(out_len).enumerate();
				blocks.map(|(block, out)| product(block, out)).reduce(|| true, |a, b| a & b)
			})
		}
	}

	/// Int8 operands that fit each other and the output.
	fn matmul_i8(&self, a: &Matrix<'_>, trans_a: bool, b: &Matrix<'_>, trans_b: bool, out: &mut [u32], n: usize) {
		let (m, path) = (out.len() / n, self.path);
		let k = a.bits.len() / m;
		let a = int8::Operand { data: a.bits, stride: a.cols as usize, inner_contiguous: !trans_a };
		let b = int8::Operand { data: b.bits, stride: b.cols as usize, inner_contiguous: trans_b };
		let region = Region::whole(out, m, n);
		if m.saturating_mul(k).saturating_mul(n) < PARALLEL_PRODUCTS || self.threads() == 1 {
			int8::run(path, a, b, k, region);
		} else {
			self.pool.install(|| {
				split(region, self.threads(), &|region| {
					int8::run(path, a, b, k, region);
					true
				})
			});
		}
	}

	/// `first` is the type of the first input; the others are f32.
	fn elementwise(
		&self,
		op: Elementwise,
		first: DType,
		inputs: &[Input<'_>],
		out: Output<'_>,
	) -> Result<bool, OpError> {
		for (input, takes) in inputs.iter().zip([first, DType::F32, DType::F32]) {
			if matches!(input, Input::Tensor(_)) && tensor(input)?.dtype != takes {
				return Err(OpError::Shape("an input has another type than the op takes"));
			}
		}
		let (rows, cols) = (out.rows as usize, out.cols as usize);
		let sources =
			Sources::new(inputs, rows, cols).ok_or(OpError::Shape("an input cannot be broadcast to the output"))?;
		let path = self.path;
		if out.bits.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return Ok(elementwise::run(path, op, sources, out.bits));
		}
		let unit = if sources.is_flat() { 1 } else { sources.cols() };
		let share = self.share(out.bits.len() / unit) * unit;
		Ok(self.pool.install(|| {
			out.bits
				.par_chunks_mut(share)
				.enumerate()
				.map(|(index, out)| elementwise::run(path, op, sources.part(index * share, out.len()), out))
				.reduce(|| true, |a, b| a & b)
		}))
	}

	fn reduce_rows(&self, reduction: assay_program::Reduction, x: &Matrix<'_>, out: &mut [u32]) -> bool {
		let (path, cols) = (self.path, x.cols as usize);
		if x.bits.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return reduce::over_rows(path, reduction, x.bits, cols, 0, out);
		}
		let share = self.share(cols).next_multiple_of(32);
		self.pool.install(|| {
			out.par_chunks_mut(share)
				.enumerate()
				.map(|(index, out)| reduce::over_rows(path, reduction, x.bits, cols, index * share, out))
				.reduce(|| true, |a, b| a & b)
		})
	}

	/// Runs `work` over bands of whole rows of input and output.
	fn over_rows_of(
		&self,
		x: &[u32],
		x_cols: usize,
		out: &mut [u32],
		out_cols: usize,
		work: impl Fn(&[u32], &mut [u32]) -> bool + Sync,
	) -> bool {
		if x.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return work(x, out);
		}
		let share = self.share(out.len() / out_cols);
		self.pool.install(|| {
			x.par_chunks(share * x_cols)
				.zip(out.par_chunks_mut(share * out_cols))
				.map(|(x, out)| work(x, out))
				.reduce(|| true, |a, b| a & b)
		})
	}

	/// Units per task: a few tasks for each thread, so that one that was late does not hold up the rest.
	fn share(&self, units: usize) -> usize {
		units.div_ceil(self.threads() * 2).max(1)
	}

	fn matmul(
		&self,
		a: &Matrix<'_>,
		trans_a: bool,
		b: &Matrix<'_>,
		trans_b: bool,
		out: Output<'_>,
	) -> Result<bool, OpError> {
		let (m, k) = if trans_a { (a.cols, a.rows) } else { (a.rows, a.cols) };
		let (k_of_b, n) = if trans_b { (b.cols, b.rows) } else { (b.rows, b.cols) };
		if k != k_of_b {
			return Err(OpError::Shape("inner dimensions of the product differ"));
		}
		if (out.rows, out.cols) != (m, n) {
			return Err(OpError::Shape("the output of a product has the outer dimensions of its operands"));
		}
		let (m, k, n) = (m as usize, k as usize, n as usize);
		let a = Operand { data: floats(a.bits), stride: a.cols as usize, inner_contiguous: !trans_a };
		let b = Operand { data: floats(b.bits), stride: b.cols as usize, inner_contiguous: trans_b };
		let region = Region::whole(floats_mut(out.bits), m, n);
		let products = m.saturating_mul(k).saturating_mul(n);
		let path = self.path;
		if products < PARALLEL_PRODUCTS || self.threads() == 1 {
			return Ok(matmul::run(path, a, b, k, region));
		}
		Ok(self.pool.install(|| split(region, self.threads(), &|region| matmul::run(path, a, b, k, region))))
	}
}

/// Cuts a region into `parts` of like size along its longer side, again and again, and works on them in parallel.
///
/// Returns whether all of `work` did.
fn split<T: Send>(region: Region<'_, T>, parts: usize, work: &(impl Fn(Region<'_, T>) -> bool + Sync)) -> bool {
	/// A multiple of every kernel's height, and of its width.
	const GRAIN: usize = 96;
	let (rows, cols) = (region.rows(), region.cols());
	let left_parts = parts / 2;
	let cut = |len: usize| (len * left_parts / parts).next_multiple_of(GRAIN);
	let (by_rows, at) = if rows >= cols { (true, cut(rows)) } else { (false, cut(cols)) };
	if parts <= 1 || at >= rows.max(cols) {
		return work(region);
	}
	let (left, right) = if by_rows { region.split_rows(at) } else { region.split_cols(at) };
	let (a, b) = rayon::join(|| split(left, left_parts, work), || split(right, parts - left_parts, work));
	a & b
}

/// Positions of a window in an image, and across.
fn positions(window: &Window) -> Result<(usize, usize), OpError> {
	let (down, across) = window.positions().ok_or(OpError::Shape("the window does not fit"))?;
	Ok((down as usize * across as usize, across as usize))
}

fn tensor<'a>(input: &Input<'a>) -> Result<Matrix<'a>, OpError> {
	match input {
		Input::Tensor(matrix) if matrix.rows == 0 || matrix.cols == 0 => Err(OpError::Shape("an input is empty")),
		Input::Tensor(matrix) if u64::from(matrix.rows) * u64::from(matrix.cols) == matrix.bits.len() as u64 => {
			Ok(*matrix)
		}
		Input::Tensor(_) => Err(OpError::Shape("an input's elements are not rows * cols")),
		Input::Scalar(_) => Err(OpError::Shape("the op takes a tensor where a scalar was given")),
	}
}

fn f32_tensor<'a>(input: &Input<'a>) -> Result<Matrix<'a>, OpError> {
	let matrix = tensor(input)?;
	if matrix.dtype == DType::F32 {
		Ok(matrix)
	} else {
		Err(OpError::Shape("the op takes f32 inputs"))
	}
}
