//! Sum and maximum of a row's segment, its 32 lanes in two vectors.

use core::arch::x86_64::*;

const NAN: u32 = 0x7fc0_0000;

/// The sum of up to a segment of elements, lanes and halving tree as the numerics contract has them.
#[target_feature(enable = "avx512f,avx512vl,avx512dq")]
pub(crate) fn sum(segment: &[u32]) -> u32 {
	let (groups, tail) = segment.as_chunks::<32>();
	let [mut low, mut high] = [_mm512_setzero_ps(); 2];
	for group in groups {
		let [a, b] = load(group);
		(low, high) = (_mm512_add_ps(low, a), _mm512_add_ps(high, b));
	}
	if !tail.is_empty() {
		let ([a, b], [first, second]) = rest(tail);
		low = _mm512_mask_add_ps(low, first, low, a);
		high = _mm512_mask_add_ps(high, second, high, b);
	}
	let sixteen = _mm512_add_ps(low, high);
	let eight = _mm256_add_ps(_mm512_castps512_ps256(sixteen), _mm512_extractf32x8_ps::<1>(sixteen));
	let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
	let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
	let one = _mm_add_ps(two, _mm_movehdup_ps(two));
	_mm_cvtss_f32(one).to_bits()
}

/// The maximum of up to a segment of elements, at least 32, or of their magnitudes. The first operand wins a tie: the
/// instruction gives its second one then, so operands change places. A NaN anywhere gives NaN.
#[target_feature(enable = "avx512f,avx512vl,avx512dq")]
pub(crate) fn largest<const MAGNITUDE: bool>(segment: &[u32]) -> u32 {
	let (groups, tail) = segment.as_chunks::<32>();
	let of = |[a, b]: [__m512; 2]| match MAGNITUDE {
		true => [_mm512_abs_ps(a), _mm512_abs_ps(b)],
		false => [a, b],
	};
	let Some((first, groups)) = groups.split_first() else { return NAN };
	let [mut low, mut high] = of(load(first));
	let mut nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(low, high);
	for group in groups {
		let [a, b] = of(load(group));
		nan |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b);
		(low, high) = (_mm512_max_ps(a, low), _mm512_max_ps(b, high));
	}
	if !tail.is_empty() {
		let (pair, [first, second]) = rest(tail);
		let [a, b] = of(pair);
		nan |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b);
		low = _mm512_mask_max_ps(low, first, a, low);
		high = _mm512_mask_max_ps(high, second, b, high);
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

#[inline]
#[target_feature(enable = "avx512f")]
fn load(group: &[u32; 32]) -> [__m512; 2] {
	let (low, high) = (group.as_ptr().cast::<f32>(), group[16..].as_ptr().cast::<f32>());
	// SAFETY: 16 numbers each.
	unsafe { [_mm512_loadu_ps(low), _mm512_loadu_ps(high)] }
}

/// Less than 32 elements, and a bit for each.
#[inline]
#[target_feature(enable = "avx512f")]
fn rest(tail: &[u32]) -> ([__m512; 2], [__mmask16; 2]) {
	let mut group = [0; 32];
	group[..tail.len()].copy_from_slice(tail);
	let present = (1u32 << tail.len()) - 1;
	(load(&group), [present as u16, (present >> 16) as u16])
}
