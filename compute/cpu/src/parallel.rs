//! Elementwise ops and reductions, split over threads.

use core::sync::atomic::{AtomicBool, Ordering};
use std::{
	thread,
	time::{Duration, Instant},
};

use assay_program::{DType, Reduction};
use rayon::prelude::*;

use crate::{
	backend::tensor,
	elementwise::{self, Elementwise},
	matrix::{bytes_mut, Input, Matrix, Output},
	reduce,
	sources::Sources,
	Cpu, OpError,
};

/// Elements below which an elementwise op or a reduction stays on the calling thread.
const PARALLEL_ELEMENTS: usize = 1 << 16;

/// How long a thread that is done waits awake for another. To sleep and be woken takes some 10 to 50 microseconds.
const AWAKE: Duration = Duration::from_micros(100);

impl Cpu {
	/// Runs `a` and `b` at the same time and returns whether both did. A thread outside of the pool does not sleep meanwhile: it
	/// runs `a` itself.
	pub(crate) fn both(&self, a: impl FnOnce() -> bool + Send, b: impl FnOnce() -> bool + Send) -> bool {
		if self.pool().current_thread_index().is_some() {
			let (a, b) = rayon::join(a, b);
			return a & b;
		}
		let (mut did, done) = (false, AtomicBool::new(false));
		let first = self.pool().in_place_scope(|scope| {
			scope.spawn(|_| {
				did = b();
				done.store(true, Ordering::Release);
			});
			let first = a();
			let since = Instant::now();
			while !done.load(Ordering::Acquire) && since.elapsed() < AWAKE {
				thread::yield_now();
			}
			first
		});
		first & did
	}

	/// Runs `work` over bands of whole rows of the output; it gets the first row and the band.
	pub(crate) fn bands<T: Send>(&self, out: &mut [T], cols: usize, work: impl Fn(usize, &mut [T]) + Sync) {
		if out.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return work(0, out);
		}
		let share = self.share(out.len().div_ceil(cols));
		self.pool().install(|| {
			out.par_chunks_mut(share * cols).enumerate().for_each(|(index, band)| work(index * share, band));
		});
	}

	/// `first` is the type of the first input; the others are f32.
	pub(crate) fn elementwise(
		&self,
		op: Elementwise,
		first: DType,
		inputs: &[Input<'_>],
		out: Output<'_>,
	) -> Result<bool, OpError> {
		let (path, shape) = (self.path, (out.rows as usize, out.cols as usize));
		self.each(first, inputs, shape, out.bits, |sources, out| elementwise::run(path, op, sources, out))
	}

	pub(crate) fn quantise(&self, inputs: &[Input<'_>], out: Output<'_>) -> Result<bool, OpError> {
		let (path, shape) = (self.path, (out.rows as usize, out.cols as usize));
		let bytes = &mut bytes_mut(out.bits)[..shape.0 * shape.1];
		self.each(DType::F32, inputs, shape, bytes, |sources, out| {
			elementwise::quantise(path, sources, out);
			true
		})
	}

	/// Runs `work` over parts of an output of a shape.
	fn each<T: Send>(
		&self,
		first: DType,
		inputs: &[Input<'_>],
		(rows, cols): (usize, usize),
		out: &mut [T],
		work: impl Fn(Sources<'_>, &mut [T]) -> bool + Sync,
	) -> Result<bool, OpError> {
		for (input, takes) in inputs.iter().zip([first, DType::F32, DType::F32]) {
			if matches!(input, Input::Tensor(_)) && tensor(input)?.dtype != takes {
				return Err(OpError::Shape("an input has another type than the op takes"));
			}
		}
		let sources =
			Sources::new(inputs, rows, cols).ok_or(OpError::Shape("an input cannot be broadcast to the output"))?;
		if out.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return Ok(work(sources, out));
		}
		let unit = if sources.is_flat() { 1 } else { sources.cols() };
		let share = self.share(out.len() / unit) * unit;
		Ok(self.pool().install(|| {
			out.par_chunks_mut(share)
				.enumerate()
				.map(|(index, out)| work(sources.part(index * share, out.len()), out))
				.reduce(|| true, |a, b| a & b)
		}))
	}

	pub(crate) fn reduce_rows(&self, reduction: Reduction, x: &Matrix<'_>, out: &mut [u32]) -> bool {
		let (path, cols) = (self.path, x.cols as usize);
		if x.bits.len() < PARALLEL_ELEMENTS || self.threads() == 1 {
			return reduce::over_rows(path, reduction, x.bits, cols, 0, out);
		}
		let share = self.share(cols).next_multiple_of(32);
		self.pool().install(|| {
			out.par_chunks_mut(share)
				.enumerate()
				.map(|(index, out)| reduce::over_rows(path, reduction, x.bits, cols, index * share, out))
				.reduce(|| true, |a, b| a & b)
		})
	}

	/// Runs `work` over bands of whole rows of input and output.
	pub(crate) fn over_rows_of(
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
		self.pool().install(|| {
			x.par_chunks(share * x_cols)
				.zip(out.par_chunks_mut(share * out_cols))
				.map(|(x, out)| work(x, out))
				.reduce(|| true, |a, b| a & b)
		})
	}

	/// Units per task: a few tasks for each thread, so that one that was late does not hold up the rest.
	pub(crate) fn share(&self, units: usize) -> usize {
		units.div_ceil(self.threads() * 2).max(1)
	}
}
