//! Takes bands of rows through a chain.

use core::cell::RefCell;

use assay_program::OpKind;

use super::{Chain, ChainInput, ChainProduct, ChainStage, Factor, Heads, Place, MAX_CHAIN_GIVEN, SHAPE};
use crate::{
	int8,
	matmul::{self, Operand, Region},
	matrix::{bytes, floats, floats_mut, words_of},
	rows::{Band, Outside, MAX_GIVEN, MAX_KEPT},
	Context, Cpu, Matrix, OpError, Packed,
};

thread_local! {
	static LOCALS: RefCell<Vec<Vec<u32>>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for tensors of so many words on the calling thread.
pub(super) fn reserve(sizes: &[usize]) {
	LOCALS.with_borrow_mut(|locals| make_room(locals, sizes.iter().copied()));
}

fn make_room(locals: &mut Vec<Vec<u32>>, sizes: impl Iterator<Item = usize>) {
	for (at, size) in sizes.enumerate() {
		if locals.len() <= at {
			locals.push(Vec::new());
		}
		if locals[at].len() < size {
			locals[at].resize(size, 0);
		}
	}
}

/// What all bands of a run read.
struct Run<'a> {
	chain: &'a Chain,
	given: &'a [Matrix<'a>],
	packed: &'a [&'a Packed],
	context: &'a Context,
	cpu: &'a Cpu,
	/// Rows of a band.
	band: usize,
}

impl Cpu {
	/// Runs a chain. `given` are its outside tensors, `packed` its packed matrices and `kept` its kept outputs, in their order.
	/// On [`OpError::NonFinite`] the output of some op, kept or not, holds an infinity or NaN.
	///
	/// # Errors
	/// [`OpError::Shape`] if the tensors are not those the chain was made for.
	pub fn run_chain(
		&self,
		chain: &Chain,
		given: &[Matrix<'_>],
		packed: &[&Packed],
		context: &Context,
		kept: &mut [&mut [u32]],
	) -> Result<(), OpError> {
		if !crate::environment::is_default() {
			return Err(OpError::FloatEnvironment);
		}
		let kept_fit =
			chain.kept.iter().zip(kept.iter()).all(|(width, bits)| (width * chain.rows).div_ceil(4) == bits.len());
		if kept.len() != chain.kept.len() || !kept_fit || given.len() > MAX_CHAIN_GIVEN {
			return Err(SHAPE);
		}
		chain.stages.iter().try_for_each(|stage| self.fits(chain, stage, given, packed))?;
		let mut outputs: [&mut [u32]; MAX_KEPT] = Default::default();
		for (slot, bits) in outputs.iter_mut().zip(kept) {
			*slot = bits;
		}
		let all = Band { first: 0, rows: chain.rows, kept: outputs };
		let share = match self.threads() {
			1 => chain.band,
			// A few bands for each thread.
			threads => chain.band.min(chain.rows.div_ceil(threads * 4).next_multiple_of(chain.unit)),
		};
		let run = Run { chain, given, packed, context, cpu: self, band: share };
		let finite = match chain.large && self.threads() > 1 {
			true => self.in_pool(|| run.split(all)),
			false => run.bands(all),
		};
		finite.then_some(()).ok_or(OpError::NonFinite)
	}

	/// Whether what a stage reads from outside has the shape it needs.
	fn fits(&self, chain: &Chain, stage: &ChainStage, given: &[Matrix<'_>], packed: &[&Packed]) -> Result<(), OpError> {
		let len = |at: usize| given.get(at).map(|matrix| matrix.bits.len());
		let fits = match stage {
			ChainStage::Rows { group, given: inputs, .. } => {
				inputs.iter().zip(group.widths().0).all(|(input, width)| match input {
					ChainInput::Given(at) => {
						len(*at).is_some_and(|len| *width == 0 || len == (width * group.rows()).div_ceil(4))
					}
					ChainInput::Slot(_) => true,
				})
			}
			ChainStage::Product(product) => {
				let ChainProduct { kind, a, b, inner, .. } = product;
				let (cols, dtype) = (chain.cols(product), product.takes());
				let first = match a {
					ChainInput::Given(at) => len(*at) == Some(words_of(dtype, chain.rows * inner)),
					ChainInput::Slot(_) => true,
				};
				first
					&& match (b, kind) {
						(Factor::Packed(at), _) => {
							packed.get(*at).is_some_and(|packed| packed.is_for(self.path, dtype, *inner, cols))
						}
						(Factor::Given(at), OpKind::BlockMatMul { blocks, share, .. }) => {
							len(*at) == Some((blocks / share) as usize * inner * cols)
						}
						_ => false,
					}
			}
		};
		fits.then_some(()).ok_or(SHAPE)
	}
}

impl Run<'_> {
	/// Halves rows until no more than a band is left, and works on them in parallel.
	fn split(&self, band: Band<'_>) -> bool {
		let at = band.rows.div_ceil(2).next_multiple_of(self.chain.unit);
		if at >= band.rows || band.rows <= self.band {
			return self.bands(band);
		}
		let (left, right) = band.split(at, &self.chain.kept);
		let (a, b) = rayon::join(|| self.split(left), || self.split(right));
		a & b
	}

	/// All of the rows on this thread, band after band.
	fn bands(&self, mut all: Band<'_>) -> bool {
		LOCALS.with_borrow_mut(|locals| {
			make_room(locals, self.chain.locals());
			let mut finite = true;
			while all.rows > self.band {
				let (band, rest) = all.split(self.band, &self.chain.kept);
				all = rest;
				finite &= self.stages(band, locals);
			}
			finite & self.stages(all, locals)
		})
	}

	fn stages(&self, mut band: Band<'_>, locals: &mut [Vec<u32>]) -> bool {
		self.chain.stages.iter().fold(true, |finite, stage| {
			finite
				& match stage {
					ChainStage::Rows { group, given, kept } => {
						let factor = group.rows() / self.chain.rows;
						let (first, rows) = (band.first, band.rows);
						let mut taken: [Taken<'_>; MAX_KEPT] = Default::default();
						let mut outputs: [&mut [u32]; MAX_KEPT] = Default::default();
						for ((slot, taken), output) in kept.iter().zip(&mut taken).zip(&mut outputs) {
							let (width, place) = self.chain.slots[*slot];
							*taken = take(place, &mut band, locals);
							*output = taken.words((rows * width).div_ceil(4));
						}
						let mut outside = [Outside::default(); MAX_GIVEN];
						for (outside, input) in outside.iter_mut().zip(given) {
							*outside = match *input {
								ChainInput::Given(at) => Outside { bits: self.given[at].bits, first: 0 },
								ChainInput::Slot(slot) => {
									let (width, place) = self.chain.slots[slot];
									let bits = read(place, &band, locals, (rows * width).div_ceil(4));
									Outside { bits, first: first * factor }
								}
							};
						}
						let of_group = Band { first: first * factor, rows: rows * factor, kept: outputs };
						let finite = group.run_here(self.cpu.path, &outside, self.context, of_group);
						for (slot, taken) in kept.iter().zip(taken) {
							put_back(self.chain.slots[*slot].1, taken, &mut band, locals);
						}
						finite
					}
					ChainStage::Product(product) => {
						let (cols, place) = (self.chain.cols(product), self.chain.slots[product.out].1);
						let mut taken = take(place, &mut band, locals);
						let len = words_of(product.takes(), band.rows * product.inner);
						// From the band's first row on, a whole number of words; with heads side by side, all there is.
						let a = match product.a {
							ChainInput::Given(at) if product.heads[0].is_some() => self.given[at].bits,
							ChainInput::Given(at) => {
								&self.given[at].bits[words_of(product.takes(), band.first * product.inner)..][..len]
							}
							ChainInput::Slot(slot) => read(self.chain.slots[slot].1, &band, locals, len),
						};
						let out = taken.words(band.rows * cols);
						let finite = self.product(product, a, band.first, cols, out);
						self.cpu.spoil(product.kind, band.first * cols, out);
						put_back(place, taken, &mut band, locals);
						finite
					}
				}
		})
	}

	/// Rows from `first` of a product.
	fn product(&self, product: &ChainProduct, a: &[u32], first: usize, cols: usize, out: &mut [u32]) -> bool {
		let (path, inner, rows) = (self.cpu.path, product.inner, out.len() / cols);
		match (product.b, product.kind) {
			(Factor::Packed(at), OpKind::MatMulI8 { .. }) => {
				let a = int8::Operand { data: bytes(a), stride: inner, inner_contiguous: true };
				int8::band(path, a, self.packed[at].words(), inner, cols, Region::whole(out, rows, cols));
				true
			}
			(Factor::Packed(at), _) => {
				let a = Operand { data: floats(a), stride: inner, inner_contiguous: true };
				let out = Region::whole(floats_mut(out), rows, cols);
				matmul::band(path, a, self.packed[at].words(), inner, cols, out)
			}
			(Factor::Given(at), OpKind::BlockMatMul { blocks, share, trans_b, .. }) => {
				let (b, height) = (&self.given[at], self.chain.rows / blocks as usize);
				let (size, mut done, mut finite) = (inner * cols, 0, true);
				// The rows of one block after the other.
				while done < rows {
					let (block, within) = ((first + done) / height, (first + done) % height);
					let count = (height - within).min(rows - done);
					let (data, stride) = match product.heads[0] {
						Some(heads) => side_by_side(a, heads, block, inner, within),
						None => (&a[done * inner..], inner),
					};
					let a = Operand { data: floats(data), stride, inner_contiguous: true };
					let (width, of_b) = (if trans_b { inner } else { cols }, block / share as usize);
					let (data, stride) = match product.heads[1] {
						Some(heads) => side_by_side(b.bits, heads, of_b, width, 0),
						None => (&b.bits[of_b * size..][..size], width),
					};
					let b = Operand { data: floats(data), stride, inner_contiguous: trans_b };
					let out = floats_mut(&mut out[done * cols..][..count * cols]);
					finite &= matmul::run(path, a, b, inner, Region::whole(out, count, cols));
					done += count;
				}
				finite
			}
			// `compile` lets no other in.
			_ => false,
		}
	}
}

/// Block `block` of a tensor whose heads of `width` columns lie side by side, from its row `row` on, and the elements from one row
/// to the next.
fn side_by_side(bits: &[u32], heads: Heads, block: usize, width: usize, row: usize) -> (&[u32], usize) {
	let (sequence, head, stride) = (block / heads.heads, block % heads.heads, heads.heads * width);
	(&bits[(sequence * heads.rows + row) * stride + head * width..], stride)
}

/// The memory of a slot, taken out while its stage writes it.
enum Taken<'a> {
	Kept(&'a mut [u32]),
	Local(Vec<u32>),
}

impl Default for Taken<'_> {
	fn default() -> Self {
		Taken::Kept(&mut [])
	}
}

impl Taken<'_> {
	fn words(&mut self, len: usize) -> &mut [u32] {
		match self {
			Taken::Kept(bits) => &mut bits[..len],
			Taken::Local(bits) => &mut bits[..len],
		}
	}
}

fn take<'a>(place: Place, band: &mut Band<'a>, locals: &mut [Vec<u32>]) -> Taken<'a> {
	match place {
		Place::Kept(at) => Taken::Kept(core::mem::take(&mut band.kept[at])),
		Place::Local(at) => Taken::Local(core::mem::take(&mut locals[at])),
	}
}

fn put_back<'a>(place: Place, taken: Taken<'a>, band: &mut Band<'a>, locals: &mut [Vec<u32>]) {
	match (place, taken) {
		(Place::Kept(at), Taken::Kept(bits)) => band.kept[at] = bits,
		(Place::Local(at), Taken::Local(bits)) => locals[at] = bits,
		_ => {}
	}
}

fn read<'a>(place: Place, band: &'a Band<'_>, locals: &'a [Vec<u32>], len: usize) -> &'a [u32] {
	match place {
		Place::Kept(at) => &band.kept[at][..len],
		Place::Local(at) => &locals[at][..len],
	}
}
