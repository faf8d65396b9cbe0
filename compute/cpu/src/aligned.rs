//! Words that begin at a cache line, so that no vector of a panel crosses one.

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; LINE]);

const LINE: usize = 16;

/// A vector of words at a multiple of 64 bytes.
#[derive(Clone, Default)]
pub(crate) struct Aligned {
	lines: Vec<Line>,
	len: usize,
}

impl Aligned {
	/// Zeros; `None` if there is no memory for them.
	pub(crate) fn zeros(len: usize) -> Option<Self> {
		let (count, mut lines) = (len.div_ceil(LINE), Vec::new());
		lines.try_reserve_exact(count).ok()?;
		lines.resize(count, Line([0; LINE]));
		Some(Self { lines, len })
	}

	/// Room for `len` words, of which only what is used is touched.
	pub(crate) fn reserve(&mut self, len: usize) {
		self.lines.reserve_exact(len.div_ceil(LINE).saturating_sub(self.lines.len()));
	}

	/// Changes the number of words; new ones are zero or what was there before.
	pub(crate) fn resize(&mut self, len: usize) {
		let count = len.div_ceil(LINE);
		if self.lines.len() < count {
			self.lines.resize(count, Line([0; LINE]));
		}
		self.len = len;
	}

	pub(crate) fn words(&self) -> &[u32] {
		// SAFETY: `lines` has at least `len` words side by side, all initialised.
		unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
	}

	pub(crate) fn words_mut(&mut self) -> &mut [u32] {
		// SAFETY: as above; the result borrows mutably.
		unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
	}
}

impl core::fmt::Debug for Aligned {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "Aligned({} words)", self.len)
	}
}
