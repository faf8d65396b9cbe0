//! A rectangle of the output that one thread may write.

use core::marker::PhantomData;

/// A rectangle of a row-major matrix, written by one thread while others write disjoint ones.
pub(crate) struct Region<'a, T = f32> {
	/// Element (0, 0) of the matrix.
	origin: *mut T,
	stride: usize,
	row0: usize,
	rows: usize,
	col0: usize,
	cols: usize,
	matrix: PhantomData<&'a mut [T]>,
}

// SAFETY: a region is the only access to its elements: `whole` borrows the matrix, `split_*` consume, `part` borrows.
unsafe impl<T: Send> Send for Region<'_, T> {}

impl<'a, T> Region<'a, T> {
	/// All of a matrix of `rows` rows.
	pub(crate) fn whole(matrix: &'a mut [T], rows: usize, cols: usize) -> Self {
		assert_eq!(matrix.len(), rows * cols, "the caller checked the shape");
		Self { origin: matrix.as_mut_ptr(), stride: cols, row0: 0, rows, col0: 0, cols, matrix: PhantomData }
	}

	pub(crate) fn row0(&self) -> usize {
		self.row0
	}

	pub(crate) fn rows(&self) -> usize {
		self.rows
	}

	pub(crate) fn col0(&self) -> usize {
		self.col0
	}

	pub(crate) fn cols(&self) -> usize {
		self.cols
	}

	/// The rectangle of `rows` x `cols` at (`row`, `col`) of this one.
	#[inline(always)]
	pub(crate) fn part(&mut self, row: usize, rows: usize, col: usize, cols: usize) -> Region<'_, T> {
		assert!(row + rows <= self.rows && col + cols <= self.cols);
		Region { row0: self.row0 + row, rows, col0: self.col0 + col, cols, matrix: PhantomData, ..*self }
	}

	/// Two regions, the first of `rows` rows.
	pub(crate) fn split_rows(self, rows: usize) -> (Region<'a, T>, Region<'a, T>) {
		assert!(rows <= self.rows);
		let below = Region { row0: self.row0 + rows, rows: self.rows - rows, ..self };
		(Region { rows, ..self }, below)
	}

	/// Two regions, the first of `cols` columns.
	pub(crate) fn split_cols(self, cols: usize) -> (Region<'a, T>, Region<'a, T>) {
		assert!(cols <= self.cols);
		let right = Region { col0: self.col0 + cols, cols: self.cols - cols, ..self };
		(Region { cols, ..self }, right)
	}

	/// Row `row` of this rectangle.
	#[inline(always)]
	pub(crate) fn row(&mut self, row: usize) -> &mut [T] {
		assert!(row < self.rows);
		// SAFETY: rows and columns of a region lie inside the matrix it was made from, and only it may access them.
		unsafe {
			let start = self.origin.add((self.row0 + row) * self.stride + self.col0);
			core::slice::from_raw_parts_mut(start, self.cols)
		}
	}
}
