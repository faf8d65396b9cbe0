// Sine and cosine up to 2^22, and the reciprocal square root: primitives/softfloat/src/functions/{trig,root}.rs.
#pragma once
#include "polynomial.cuh"

// quadrant * pi / 2 + r + rest; of quadrant, only the low two bits mean anything.
struct Angle {
	u32 quadrant;
	F32 r;
	F32 rest;
};

DEVICE Angle reduce_angle(F32 size) {
	F32 half_pi_high = from_bits(0x3fc90fdbu);
	F32 half_pi_middle = from_bits(0xb33bbd2eu);
	F32 half_pi_low = from_bits(0xa6f72cedu);
	F32 shift = from_bits(0x4b400000u);
	F32 shifted = fma(size, from_bits(0x3f22f983u), shift);
	F32 minus_k = sub(shift, shifted);

	F32 high = fma(minus_k, half_pi_high, size);
	F32 middle = mul(minus_k, half_pi_middle);
	F32 r = add(high, middle);
	F32 rest = fma(minus_k, half_pi_middle, sub(high, r));
	rest = fma(minus_k, half_pi_low, rest);
	return Angle{to_bits(shifted), r, rest};
}

// The sine of the angle, negated when sign is the sign bit.
DEVICE F32 sine_of(Angle angle, u32 sign) {
	const u32 sin_of[4] = {0x3637965fu, 0xb950134cu, 0x3c0888a3u, 0xbe2aaaabu};
	const u32 cos_of[4] = {0x37c9effbu, 0xbab5f4a7u, 0x3d2aaa67u, 0xbeffffffu};
	F32 r = angle.r;
	F32 square = mul(r, r);
	F32 sine = add(fma(polynomial(square, sin_of), mul(r, square), angle.rest), r);
	F32 cosine = fma(polynomial(square, cos_of), square, one());
	F32 result = select((angle.quadrant & 1) == 0, sine, cosine);
	return from_bits(to_bits(result) ^ ((angle.quadrant & 2) << 30) ^ sign);
}

DEVICE F32 within_bound(F32 angle, F32 result) {
	return select((to_bits(angle) & 0x7fffffffu) > 0x4a800000u, nan(), result);
}

DEVICE F32 sin(F32 x) { return within_bound(x, sine_of(reduce_angle(magnitude(x)), to_bits(x) & 0x80000000u)); }

DEVICE F32 cos(F32 x) {
	Angle angle = reduce_angle(magnitude(x));
	angle.quadrant += 1;
	return within_bound(x, sine_of(angle, 0));
}

DEVICE F32 rsqrt(F32 x) {
	F32 result = div(one(), square_root(x));
	return select(is_nan(result), nan(), result);
}
