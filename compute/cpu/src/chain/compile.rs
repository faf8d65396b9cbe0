//! Checks a chain and lays out its tensors.

use assay_program::OpKind;

use super::{Chain, ChainInput, ChainProduct, ChainSlot, ChainStage, Factor, Heads, Place, SHAPE, WORD};
use crate::{products::PARALLEL_PRODUCTS, rows::MAX_KEPT, OpError};

/// Bytes of a thread's tensors for a band: half of a second-level cache.
const BAND_BYTES: usize = 1 << 19;
/// Most rows of a band.
const MOST_ROWS: usize = 96;
/// Bands are of a multiple of so many rows: the height of the kernels' tiles, and of blocks of draws.
const UNIT: usize = 12;

impl Chain {
	/// A chain over `rows` rows. Every slot is made by one stage, before those that read it.
	///
	/// # Errors
	/// [`OpError::Shape`] if stages do not fit each other.
	pub fn new(stages: Vec<ChainStage>, slots: &[ChainSlot], rows: usize) -> Result<Self, OpError> {
		check(&stages, slots, rows)?;
		let (slots, kept, locals) = places(&stages, slots);
		if kept.len() > MAX_KEPT || rows == 0 {
			return Err(SHAPE);
		}
		let per_row: usize = locals.iter().sum();
		let most = (BAND_BYTES / per_row.max(1)).clamp(least_rows(&stages, &slots), MOST_ROWS) / UNIT * UNIT;
		// A band of whole blocks: what a block is multiplied with is packed once for it.
		let block = stages.iter().find_map(|stage| match stage {
			ChainStage::Product(ChainProduct { kind: OpKind::BlockMatMul { blocks, .. }, .. }) => {
				Some(rows / (*blocks as usize).max(1))
			}
			_ => None,
		});
		let (band, unit) = match block {
			Some(block) if block.is_multiple_of(4) && (1..=2 * most).contains(&block) => {
				(block * (most / block).max(1), block)
			}
			_ => (most, UNIT),
		};
		let work = stages.iter().map(|stage| match stage {
			ChainStage::Rows { group, .. } => group.elements().saturating_mul(8),
			ChainStage::Product(product) => {
				rows.saturating_mul(product.inner).saturating_mul(slots[product.out].0 / WORD)
			}
		});
		let large = work.fold(0, usize::saturating_add) >= PARALLEL_PRODUCTS;
		Ok(Self { stages, rows, band, unit, slots, kept, locals, large })
	}
}

/// Rows that a band has at least. Every band reads all of a packed matrix: one from the third-level cache or from memory has to
/// be worth it.
fn least_rows(stages: &[ChainStage], slots: &[(usize, Place)]) -> usize {
	let bytes = stages.iter().map(|stage| match stage {
		ChainStage::Product(product) if matches!(product.b, Factor::Packed(_)) => {
			let cols = slots[product.out].0 / WORD;
			product.inner.saturating_mul(cols).saturating_mul(product.takes().bytes() as usize)
		}
		_ => 0,
	});
	match bytes.max().unwrap_or(0) {
		0..=0x10_0000 => UNIT,
		0x10_0001..=0x100_0000 => MOST_ROWS / 2,
		_ => MOST_ROWS,
	}
}

fn check(stages: &[ChainStage], slots: &[ChainSlot], rows: usize) -> Result<(), OpError> {
	let mut made = vec![false; slots.len()];
	for stage in stages {
		let reads = |input: ChainInput, width: usize| match input {
			ChainInput::Given(_) => true,
			ChainInput::Slot(slot) => made.get(slot) == Some(&true) && slots[slot].width() == width,
		};
		let outputs: Vec<(usize, usize)> = match stage {
			ChainStage::Rows { group, given, kept } => {
				// Bytes of a group's row, where rows do not matter to the group.
				if rows == 0 || !group.rows().is_multiple_of(rows) {
					return Err(SHAPE);
				}
				let (factor, (read, keep)) = (group.rows() / rows, group.widths());
				let by_rows = given.iter().zip(read).all(|(input, width)| reads(*input, width * factor));
				if given.len() != read.len() || kept.len() != keep.len() || !by_rows {
					return Err(SHAPE);
				}
				kept.iter().zip(keep).map(|(slot, width)| (*slot, width * factor)).collect()
			}
			ChainStage::Product(product) => {
				let [of_a, of_b] = product.heads;
				let is_given = matches!(product.a, ChainInput::Given(_));
				let fits = match (product.kind, product.b) {
					(
						OpKind::MatMul { trans_a: false, .. } | OpKind::MatMulI8 { trans_a: false, .. },
						Factor::Packed(_),
					) => of_a.is_none() && of_b.is_none(),
					(OpKind::BlockMatMul { trans_a: false, trans_b, blocks, share }, Factor::Given(_)) => {
						let (blocks, share) = (blocks as usize, share as usize);
						let whole =
							blocks > 0 && share > 0 && rows.is_multiple_of(blocks) && blocks.is_multiple_of(share);
						let cols = slots.get(product.out).map_or(0, |slot| slot.cols);
						let height = if trans_b { cols } else { product.inner };
						let lies = |heads: Option<Heads>, height: usize, blocks: usize| {
							heads.is_none_or(|of| of.rows == height && of.heads > 0 && blocks.is_multiple_of(of.heads))
						};
						whole
							&& (of_a.is_none() || is_given)
							&& lies(of_a, rows / blocks, blocks)
							&& lies(of_b, height, blocks / share)
					}
					_ => false,
				};
				let width = product.inner * product.takes().bytes() as usize;
				if !fits || product.inner == 0 || !reads(product.a, width) {
					return Err(SHAPE);
				}
				vec![(product.out, slots.get(product.out).map_or(0, |slot| slot.cols * WORD))]
			}
		};
		for (slot, width) in outputs {
			if slots.get(slot).is_none_or(|slot| slot.width() != width || width == 0) || made[slot] {
				return Err(SHAPE);
			}
			made[slot] = true;
		}
	}
	made.iter().all(|made| *made).then_some(()).ok_or(SHAPE)
}

/// Where each slot is, bytes per row of each kept output and of each tensor of a thread. Such a tensor serves one slot after
/// another, never one of a stage that reads it.
#[allow(clippy::type_complexity)]
fn places(stages: &[ChainStage], slots: &[ChainSlot]) -> (Vec<(usize, Place)>, Vec<usize>, Vec<usize>) {
	let mut span = vec![(usize::MAX, 0); slots.len()];
	for (at, stage) in stages.iter().enumerate() {
		let (read, made): (Vec<ChainInput>, Vec<usize>) = match stage {
			ChainStage::Rows { given, kept, .. } => (given.clone(), kept.clone()),
			ChainStage::Product(product) => (vec![product.a], vec![product.out]),
		};
		let read = read.into_iter().filter_map(|input| match input {
			ChainInput::Slot(slot) => Some(slot),
			ChainInput::Given(_) => None,
		});
		for slot in read.chain(made) {
			span[slot] = (at.min(span[slot].0), at.max(span[slot].1));
		}
	}
	let (mut placed, mut kept, mut locals) = (Vec::with_capacity(slots.len()), Vec::new(), Vec::new());
	let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
	for (slot, (from, to)) in slots.iter().zip(span) {
		if slot.kept {
			placed.push((slot.width(), Place::Kept(kept.len())));
			kept.push(slot.width());
			continue;
		}
		let free = |at: &usize| taken[*at].iter().all(|(first, last)| to < *first || *last < from);
		let best = (0..locals.len()).filter(free).min_by_key(|at| slot.width().abs_diff(locals[*at]));
		let at = best.unwrap_or_else(|| {
			locals.push(0);
			taken.push(Vec::new());
			locals.len() - 1
		});
		locals[at] = locals[at].max(slot.width());
		taken[at].push((from, to));
		placed.push((slot.width(), Place::Local(at)));
	}
	(placed, kept, locals)
}
