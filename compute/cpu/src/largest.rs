//! Maximum of a row's segment, its 32 lanes in two vectors.

use core::arch::x86_64::*;

const NAN: u32 = 0x7fc0_0000;

/// The maximum of up to a segment of elements, at least 32, lanes and halving tree as the numerics contract has them. The first
/// operand wins a tie: the instruction gives its second one then, so operands change places. A NaN anywhere gives NaN.
#[target_feature(enable = "avx512f,avx512vl,avx512dq")]
pub(crate) fn avx512(segment: &[u32]) -> u32 {
	let (groups, tail) = segment.as_chunks::<32>();
	let load = |group: &[u32; 32]| {
		let (low, high) = (group.as_ptr().cast::<f32>(), group[16..].as_ptr().cast::<f32>());
		// SAFETY: 16 numbers each.
		unsafe { [_mm512_loadu_ps(low), _mm512_loadu_ps(high)] }
	};
	let Some((first, groups)) = groups.split_first() else { return NAN };
	let [mut low, mut high] = load(first);
	let is_nan = |x: __m512| _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
	let mut nan = is_nan(low) | is_nan(high);
	for group in groups {
		let [a, b] = load(group);
		nan |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b);
		(low, high) = (_mm512_max_ps(a, low), _mm512_max_ps(b, high));
	}
	if !tail.is_empty() {
		let mut group = [0; 32];
		group[..tail.len()].copy_from_slice(tail);
		let [a, b] = load(&group);
		nan |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b);
		let present = (1u32 << tail.len()) - 1;
		low = _mm512_mask_max_ps(low, present as u16, a, low);
		high = _mm512_mask_max_ps(high, (present >> 16) as u16, b, high);
	}
	if nan != 0 {
		return NAN;
	}
	let sixteen = _mm512_max_ps(high, low);
	let eight = _mm256_max_ps(_mm512_extractf32x8_ps::<1>(sixteen), _mm512_castps512_ps256(sixteen));
	let four = _mm_max_ps(_mm256_extractf128_ps::<1>(eight), _mm256_castps256_ps128(eight));
	let two = _mm_max_ps(_mm_movehl_ps(four, four), four);
	let one = _mm_max_ps(_mm_movehdup_ps(two), two);
	_mm_cvtss_f32(one).to_bits()
}
