// Exponential and natural logarithm: primitives/softfloat/src/functions/exp_log.rs, operation by operation.
#pragma once
#include "polynomial.cuh"

DEVICE F32 ln2_high() { return from_bits(0x3f317218u); }
DEVICE F32 ln2_low() { return from_bits(0xb102e308u); }

DEVICE F32 exp(F32 x) {
	const u32 tail[5] = {0x3ab55b5eu, 0x3c091eaeu, 0x3d2aac2du, 0x3e2aaa46u, 0x3efffffeu};
	F32 upper = from_bits(0x42b20000u);
	F32 lower = from_bits(0xc2d00000u);
	F32 clamped = select(less(upper, x), upper, x);
	clamped = select(less(clamped, lower), lower, clamped);

	i32 k = round_to_i32(mul(clamped, from_bits(0x3fb8aa3bu)));
	F32 minus_k = negative(from_small_i32(k));
	F32 r = fma(minus_k, ln2_low(), fma(minus_k, ln2_high(), clamped));

	F32 quotient = fma(polynomial(r, tail), r, one());
	F32 power = fma(quotient, r, one());

	i32 first = k >> 1;
	i32 second = (i32)((u32)k - (u32)first);
	F32 scaled = mul(mul(power, power_of_two(first)), power_of_two(second));
	return select(is_nan(x), nan(), scaled);
}

DEVICE F32 log(F32 x) {
	const u32 tail_of[8] = {0xbd9c929eu, 0x3e02c55eu, 0xbe06c3e8u, 0x3e116a2bu,
							0xbe2a38bcu, 0x3e4cd01eu, 0xbe800115u, 0x3eaaaaaau};
	const u32 sqrt_half = 0x3f3504f3u;
	bool subnormal = less(x, from_bits(0x00800000u));
	F32 scaled = select(subnormal, mul(x, power_of_two(23)), x);
	u32 distance = to_bits(scaled) - sqrt_half;
	i32 exponent = ((i32)distance >> 23) - (subnormal ? 23 : 0);
	F32 f = sub(from_bits((distance & 0x007fffffu) + sqrt_half), one());

	F32 tail = mul(fma(polynomial(f, tail_of), f, from_bits(0xbf000000u)), mul(f, f));
	F32 k = from_small_i32(exponent);
	F32 small = add(f, fma(k, ln2_low(), tail));
	F32 result = fma(k, ln2_high(), small);

	result = select(equal(x, from_bits(0x7f800000u)), x, result);
	result = select(equal(x, zero()), from_bits(0xff800000u), result);
	return select(less(x, zero()) | is_nan(x), nan(), result);
}
