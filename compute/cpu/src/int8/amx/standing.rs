//! Whether the tiles can be used here, and whether the kernel gives the right bits on them.

use std::sync::OnceLock;

use super::{usable, Kernel};
use crate::{
	int8::{
		blocks,
		kernel::{Micro, Portable},
		packed::{bands, pack_of, words_of},
		Operand,
	},
	matmul::Region,
	path::{Standing, Supported},
	Path,
};

/// How [`Path::Amx`] stands in this process. The first call asks the operating system for the tiles and tries the kernel.
pub(crate) fn standing() -> Standing {
	static STANDING: OnceLock<Standing> = OnceLock::new();
	*STANDING.get_or_init(|| match Supported::new(Path::Avx512) {
		Ok(avx512) if usable() => match agrees::<Kernel>(avx512) {
			true => Standing::Ready,
			false => Standing::Faulty,
		},
		_ => Standing::Missing,
	})
}

/// Rows, inner dimension and columns of the products tried: of one tile, of parts of tiles, with cuts of the inner dimension that
/// overlap, of more than one block of it.
const TRIED: [(usize, usize, usize); 6] =
	[(16, 64, 16), (32, 128, 32), (1, 3, 1), (5, 61, 37), (17, 90, 16), (67, 1103, 45)];

/// Whether a kernel gives the bits of the portable one, whichever way the operands lie, packed before or not.
pub(super) fn agrees<M: Micro>(path: Supported) -> bool {
	let Ok(portable) = Supported::new(Path::Portable) else { return false };
	let mut state = 1u64;
	let mut byte = move || {
		state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		// The lowest often, and the highest.
		match state >> 61 {
			0 | 1 => -128,
			2 => 127,
			_ => (state >> 40) as i8,
		}
	};
	TRIED.into_iter().all(|(rows, inner, cols)| {
		let a: Vec<i8> = (0..rows * inner).map(|_| byte()).collect();
		let b: Vec<i8> = (0..inner * cols).map(|_| byte()).collect();
		[(true, true), (true, false), (false, true), (false, false)].into_iter().all(|(a_along, b_along)| {
			let a = Operand { data: &a, stride: if a_along { inner } else { rows }, inner_contiguous: a_along };
			let b = Operand { data: &b, stride: if b_along { inner } else { cols }, inner_contiguous: b_along };
			let (mut expected, mut found) = (vec![0; rows * cols], vec![0; rows * cols]);
			blocks::<Portable>(portable, a, b, inner, Region::whole(&mut expected, rows, cols));
			blocks::<M>(path, a, b, inner, Region::whole(&mut found, rows, cols));
			let mut packed = vec![0; words_of::<M>(inner, cols)];
			let mut again = vec![0; rows * cols];
			pack_of::<M>(path, b, inner, cols, &mut packed);
			bands::<M>(path, a, &packed, inner, cols, Region::whole(&mut again, rows, cols));
			found == expected && again == expected
		})
	})
}
