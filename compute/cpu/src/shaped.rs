//! Ops whose shapes the program's own rules check.

use assay_program::{philox::Key, shape::check_op, Axis, DType, OpKind, OperandSpec, TensorSpec, Window};

use crate::{
	arg_max,
	backend::tensor,
	draws::Draws,
	hadamard::Hadamard,
	mask::{self, Dropout, Gumbel},
	matrix::{all_finite, bytes, bytes_mut, Input, Matrix, Output},
	rearrange,
	scatter::Scatter,
	window::{self, Col2im},
	Context, Cpu, OpError,
};

impl Cpu {
	/// Runs one of them; returns whether all of its output is finite.
	pub(crate) fn shaped(
		&self,
		kind: OpKind,
		inputs: &[Input<'_>],
		context: &Context,
		out: Output<'_>,
	) -> Result<bool, OpError> {
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
				let size = x.dtype.bytes() as usize;
				let (width, from, len) = (x.cols as usize * size, first as usize * size, cols * size);
				let bytes_out = &mut bytes_mut(&mut *out.bits)[..out.rows as usize * len];
				self.bands(bytes_out, len, |row, band| {
					rearrange::columns(bytes(x.bits), width, from, row, len, band);
				});
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
				let draws = Draws { key: Key::gumbel(&context.seed), stream, step: context.step };
				let path = self.path;
				// As if of rows of four, so that no band begins inside a block of draws.
				self.bands(out.bits, 4, |quad, out| {
					let first = quad * 4;
					path.run(Gumbel { draws, first, x: &x.bits[first..], out });
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
				let draws = Draws { key: Key::dropout(&context.seed), stream, step: context.step };
				let dropout = Dropout { draws, keep, scale: f32::from_bits(scale) };
				let path = self.path;
				// As if of rows of four, so that no band begins inside a block of draws.
				self.bands(out.bits, 4, |quad, band| dropout.run(path, &x.bits[quad * 4..], quad * 4, band));
			}
			(OpKind::BlockMatMul { trans_a, trans_b, blocks, share }, [a, b]) => {
				let blocks = (blocks as usize, share as usize);
				return Ok(self.block_matmul(a, trans_a, b, trans_b, blocks, &mut *out.bits, cols));
			}
			_ => return Err(OpError::Shape("wrong number of inputs")),
		}
		Ok(out.dtype != DType::F32 || all_finite(out.bits))
	}
}

/// Positions of a window in an image, and across.
fn positions(window: &Window) -> Result<(usize, usize), OpError> {
	let (down, across) = window.positions().ok_or(OpError::Shape("the window does not fit"))?;
	Ok((down as usize * across as usize, across as usize))
}
