//! Windows over images.

use assay_program::Window;

use super::{input, single, Checked};
use crate::{
	grid,
	launch::{Arg, Lowered},
	OpError,
};

/// `kernel` is `im2col`, whose input has the image's channels, or `col2im`, whose output has them.
pub(super) fn lower(op: &Checked<'_>, kernel: &'static str, window: &Window) -> Result<Lowered, OpError> {
	let (down, across) = window.positions().ok_or(OpError::Shape("the window does not fit the images"))?;
	let (rows, cols) = (op.rows(), op.cols());
	let channels = input(op, 0)?.cols.min(op.output.cols);
	let Window { height, width, kernel_height, kernel_width, stride, padding } = *window;
	let numbers = [channels, height, width, kernel_height, kernel_width, stride, padding, down, across];
	let args = [Arg::Input(0)]
		.into_iter()
		.chain(numbers.map(Arg::U32))
		.chain([Arg::Output, op.flag(), Arg::U64(rows), Arg::U64(cols)])
		.collect();
	Ok(single(kernel, grid::plane(rows, cols, op.profile), args))
}
