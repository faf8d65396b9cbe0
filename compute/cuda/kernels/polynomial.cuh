// Horner's scheme, highest power first, one fma per step.
#pragma once
#include "arithmetic.cuh"

template <int N>
DEVICE F32 polynomial(F32 x, const u32 (&coefficients)[N]) {
	F32 sum = from_bits(coefficients[0]);
#pragma unroll
	for (int i = 1; i < N; i++) sum = fma(sum, x, from_bits(coefficients[i]));
	return sum;
}
