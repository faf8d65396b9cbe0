//! The backend: checks an op's arguments, splits its work over threads, runs the kernels.

use assay_program::{philox::Key, shape::next_row, Axis, DType, OpKind};

use crate::{
	draws::{BatchRows, Draws},
	elementwise::Elementwise,
	environment, gather,
	matrix::{all_finite, bytes, bytes_mut, words_of, Input, Matrix, Output},
	path::Supported,
	reduce, CpuError, OpError, Path,
};

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

	#[cfg(feature = "faulty")]
	pub(crate) fn faulty_lane(&self) -> Option<usize> {
		self.faulty_lane
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
		let Output { dtype, rows, cols, bits } = out;
		let result = self.execute(kind, inputs, context, Output { dtype, rows, cols, bits: &mut *bits });
		self.spoil(kind, 0, bits);
		result
	}

	fn execute(&self, kind: OpKind, inputs: &[Input<'_>], context: &Context, out: Output<'_>) -> Result<(), OpError> {
		if !environment::is_default() {
			return Err(OpError::FloatEnvironment);
		}
		let (rows, cols) = (out.rows as usize, out.cols as usize);
		let words = rows.checked_mul(cols).map(|elements| words_of(out.dtype, elements));
		if rows == 0 || cols == 0 || words != Some(out.bits.len()) {
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
			(OpKind::Quantise, [_, _]) => self.quantise(inputs, out)?,
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
				let (step, batch, n, path) = (context.step, out.rows, x.rows, self.path);
				let width = cols * x.dtype.bytes() as usize;
				let (data, batch_rows) = (bytes(x.bits), &mut bytes_mut(out.bits)[..rows * width]);
				match kind {
					OpKind::GatherBatch { stream } => {
						let draws = Draws { key: Key::batch(&context.seed), stream, step };
						let drawn = |first, rows: &mut [u32]| path.run(BatchRows { draws, n, first, rows });
						gather::rows(data, width, drawn, batch_rows);
					}
					_ => {
						let next = |first, rows: &mut [u32]| {
							for (element, row) in (first..).zip(rows) {
								*row = next_row(step, batch, element, n);
							}
						};
						gather::rows(data, width, next, batch_rows);
					}
				}
				x.dtype != DType::F32 || all_finite(out.bits)
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
}

pub(crate) fn tensor<'a>(input: &Input<'a>) -> Result<Matrix<'a>, OpError> {
	match input {
		Input::Tensor(matrix) if matrix.rows == 0 || matrix.cols == 0 => Err(OpError::Shape("an input is empty")),
		Input::Tensor(matrix) if matrix.is_whole() => Ok(*matrix),
		Input::Tensor(_) => Err(OpError::Shape("an input's elements are not rows * cols")),
		Input::Scalar(_) => Err(OpError::Shape("the op takes a tensor where a scalar was given")),
	}
}

pub(crate) fn f32_tensor<'a>(input: &Input<'a>) -> Result<Matrix<'a>, OpError> {
	let matrix = tensor(input)?;
	if matrix.dtype == DType::F32 {
		Ok(matrix)
	} else {
		Err(OpError::Shape("the op takes f32 inputs"))
	}
}
