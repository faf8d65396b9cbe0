//! Second operands of products, packed once for many products.

use assay_program::{DType, OpKind, TensorSpec};

use crate::{
	aligned::Aligned,
	backend::tensor,
	int8, matmul,
	matrix::{bytes, bytes_mut, floats, floats_mut, words_of, Input, Matrix, Output},
	path::Supported,
	products::PARALLEL_PRODUCTS,
	Cpu, OpError,
};

/// The matrix that a product's rows are multiplied with, as the kernels of a backend read it. It holds the elements of the
/// matrix it was made from, so it goes out of date with them.
#[derive(Clone, Debug)]
pub struct Packed {
	path: Supported,
	dtype: DType,
	inner: usize,
	cols: usize,
	/// Whether the matrix was stored transposed.
	transposed: bool,
	words: Aligned,
}

impl Packed {
	/// Bytes of memory.
	pub fn bytes(&self) -> u64 {
		self.words.words().len() as u64 * 4
	}

	/// Rows of the matrix: the extent that products sum over.
	pub fn inner(&self) -> usize {
		self.inner
	}

	/// Columns of the matrix, and of products.
	pub fn cols(&self) -> usize {
		self.cols
	}

	/// The type of the elements that were packed.
	pub fn dtype(&self) -> DType {
		self.dtype
	}

	pub(crate) fn is_for(&self, path: Supported, dtype: DType, inner: usize, cols: usize) -> bool {
		(self.path, self.dtype, self.inner, self.cols) == (path, dtype, inner, cols)
	}

	pub(crate) fn words(&self) -> &[u32] {
		self.words.words()
	}

	/// The words of the matrix it was made from.
	pub fn unpack(&self) -> Vec<u32> {
		let Self { path, inner, cols, transposed, .. } = *self;
		let place = |k: usize, col: usize| if transposed { col * inner + k } else { k * cols + col };
		let mut words = vec![0; words_of(self.dtype, inner * cols)];
		match self.dtype {
			DType::I8 => {
				let elements = bytes_mut(&mut words);
				int8::unpack(path, self.words(), inner, cols, |k, col, byte| elements[place(k, col)] = byte);
			}
			_ => matmul::unpack(path, self.words(), inner, cols, |k, col, bits| words[place(k, col)] = bits),
		}
		words
	}
}

impl Cpu {
	/// Bytes of a matrix of type and shape `spec`, stored transposed or not, when it is packed.
	pub fn packed_bytes(&self, spec: TensorSpec, transposed: bool) -> u64 {
		let (inner, cols) = if transposed { (spec.cols, spec.rows) } else { (spec.rows, spec.cols) };
		let (inner, cols) = (inner as usize, cols as usize);
		4 * match spec.dtype {
			DType::I8 => int8::packed_words(self.path, inner, cols) as u64,
			_ => matmul::packed_words(self.path, inner, cols) as u64,
		}
	}

	/// Packs a matrix, stored transposed or not, for products of its type: f32 or int8.
	///
	/// # Errors
	/// [`OpError::Shape`] for another type or elements that are not `rows * cols`, [`OpError::Memory`] if there is no room.
	pub fn pack(&self, matrix: &Matrix<'_>, transposed: bool) -> Result<Packed, OpError> {
		let matrix = tensor(&Input::Tensor(*matrix))?;
		let (inner, cols) = if transposed { (matrix.cols, matrix.rows) } else { (matrix.rows, matrix.cols) };
		let (inner, cols, stride, path) = (inner as usize, cols as usize, matrix.cols as usize, self.path);
		let words = match matrix.dtype {
			DType::F32 => matmul::packed_words(path, inner, cols),
			DType::I8 => int8::packed_words(path, inner, cols),
			DType::I32 => return Err(OpError::Shape("only f32 and int8 matrices are packed")),
		};
		let mut words = Aligned::zeros(words).ok_or(OpError::Memory)?;
		if matrix.dtype == DType::I8 {
			let b = int8::Operand { data: bytes(matrix.bits), stride, inner_contiguous: transposed };
			int8::pack_all(path, b, inner, cols, words.words_mut());
		} else {
			let b = matmul::Operand { data: floats(matrix.bits), stride, inner_contiguous: transposed };
			matmul::pack_all(path, b, inner, cols, words.words_mut());
		}
		Ok(Packed { path, dtype: matrix.dtype, inner, cols, transposed, words })
	}

	/// Runs a `MatMul` or `MatMulI8` whose first operand is `a`, not transposed, and whose second one is packed. The bits are
	/// those of [`Cpu::run`] over the matrix that was packed.
	///
	/// # Errors
	/// As of [`Cpu::run`].
	pub fn run_packed(&self, kind: OpKind, a: &Matrix<'_>, b: &Packed, out: Output<'_>) -> Result<(), OpError> {
		if !crate::environment::is_default() {
			return Err(OpError::FloatEnvironment);
		}
		let a = tensor(&Input::Tensor(*a))?;
		let (dtype, gives) = match kind {
			OpKind::MatMul { trans_a: false, .. } => (DType::F32, DType::F32),
			OpKind::MatMulI8 { trans_a: false, .. } => (DType::I8, DType::I32),
			_ => return Err(OpError::Shape("only products with a plain first operand take a packed second one")),
		};
		let (m, n, inner) = (a.rows as usize, out.cols as usize, a.cols as usize);
		let fits = a.dtype == dtype && out.dtype == gives && out.rows == a.rows && out.bits.len() == m * n;
		if !fits || !b.is_for(self.path, dtype, inner, n) {
			return Err(OpError::Shape("the operands of a packed product do not fit each other or the output"));
		}
		let (path, bits) = (self.path, b.words());
		let alone = m.saturating_mul(inner).saturating_mul(n) < PARALLEL_PRODUCTS || self.threads() == 1;
		let finite = if dtype == DType::I8 {
			let a = int8::Operand { data: bytes(a.bits), stride: inner, inner_contiguous: true };
			let work = |region: matmul::Region<'_, u32>| {
				int8::band(path, a, bits, inner, n, region);
				true
			};
			self.over_regions(matmul::Region::whole(&mut *out.bits, m, n), alone, int8::height(path), &work)
		} else {
			let a = matmul::Operand { data: floats(a.bits), stride: inner, inner_contiguous: true };
			let work = |region: matmul::Region<'_>| matmul::band(path, a, bits, inner, n, region);
			self.over_regions(matmul::Region::whole(floats_mut(&mut *out.bits), m, n), alone, matmul::HEIGHT, &work)
		};
		self.spoil(kind, 0, out.bits);
		finite.then_some(()).ok_or(OpError::NonFinite)
	}

	fn over_regions<T: Send>(
		&self,
		region: matmul::Region<'_, T>,
		alone: bool,
		height: usize,
		work: &(impl Fn(matmul::Region<'_, T>) -> bool + Sync),
	) -> bool {
		match alone {
			true => work(region),
			false => self.split(region, self.threads(), height, work),
		}
	}

	/// Gets a lane of a product's elements from `first` wrong, where the backend was asked to.
	#[allow(unused_variables)]
	pub(crate) fn spoil(&self, kind: OpKind, first: usize, bits: &mut [u32]) {
		#[cfg(feature = "faulty")]
		if let (Some(lane), OpKind::MatMul { .. } | OpKind::MatMulI8 { .. }) = (self.faulty_lane(), kind) {
			let skipped = (lane + 16 - first % 16) % 16;
			bits.iter_mut().skip(skipped).step_by(16).for_each(|bits| *bits ^= 1);
		}
	}
}
