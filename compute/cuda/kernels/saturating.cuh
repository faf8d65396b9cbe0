// The functions that saturate through an exponential: primitives/softfloat/src/functions/{tanh,erf}.rs.
#pragma once
#include "exp_log.cuh"

DEVICE F32 tanh(F32 x) {
	const u32 tail[5] = {0xbbca2a79u, 0x3cac08fbu, 0xbd5c82e2u, 0x3e08862fu, 0xbeaaaaa4u};
	u32 sign = to_bits(x) & 0x80000000u;
	F32 size = magnitude(x);

	F32 square = mul(size, size);
	F32 near = fma(polynomial(square, tail), mul(size, square), size);

	F32 two = from_bits(0x40000000u);
	F32 far = sub(one(), div(two, add(exp(add(size, size)), one())));

	F32 result = select(less(size, from_bits(0x3f100000u)), near, far);
	return select(is_nan(x), nan(), from_bits(to_bits(result) | sign));
}

DEVICE F32 sigmoid(F32 x) {
	F32 power = exp(negative(magnitude(x)));
	F32 numerator = select(less(x, zero()), power, one());

	F32 denominator = add(power, one());
	F32 cut_off = add(sub(one(), denominator), power);
	F32 reciprocal = div(one(), denominator);
	F32 quotient = mul(numerator, reciprocal);
	F32 remainder = fma(negative(quotient), cut_off, fma(negative(quotient), denominator, numerator));
	return select(is_nan(x), nan(), fma(remainder, reciprocal, quotient));
}

DEVICE F32 erf(F32 x) {
	const u32 near_of[7] = {0x38a3b8ffu, 0xba51a8afu, 0x3ba9f912u, 0xbcdbfb8du, 0x3de71673u, 0xbec0939fu, 0x3e0375d4u};
	const u32 far_of[6] = {0xb95ce14cu, 0x3b50dc8bu, 0xbcbac3f5u, 0x3dd74727u, 0x3f22c5dau, 0x3e039045u};
	u32 sign = to_bits(x) & 0x80000000u;
	F32 size = magnitude(x);
	F32 four = from_bits(0x40800000u);

	F32 near = fma(polynomial(mul(size, size), near_of), size, size);

	F32 clamped = select(less(four, size), four, size);
	F32 exponent = fma(polynomial(clamped, far_of), clamped, clamped);
	F32 far = sub(one(), exp(negative(exponent)));

	F32 result = select(less(size, one()), near, far);
	return select(is_nan(x), nan(), from_bits(to_bits(result) | sign));
}
