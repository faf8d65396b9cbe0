// Between numbers and small integers: primitives/softfloat/src/functions/integer.rs, operation by operation.
#pragma once
#include "exp_log.cuh"

// The nearest number: upper 20 and lower 12 bits are exact, and only their sum rounds.
DEVICE F32 from_i32(i32 x) {
	F32 high = from_small_i32(x >> 12), low = from_small_i32(x & 0xfff);
	return add(mul(high, power_of_two(12)), low);
}

// x / scale clamped to -127..=127, then rounded; 0 where there is no quotient.
DEVICE i32 quantised(F32 x, F32 scale) {
	F32 quotient = div(x, scale), largest = from_bits(0x42fe0000u);
	F32 above = select(less(largest, quotient), largest, quotient);
	F32 clamped = select(less(above, negative(largest)), negative(largest), above);
	return round_to_i32(select(is_nan(quotient), zero(), clamped));
}

DEVICE F32 dequantised(i32 value, F32 row, F32 col) { return mul(mul(from_i32(value), row), col); }

// A draw of the standard Gumbel distribution from a random word.
DEVICE F32 gumbel_of(u32 word) {
	F32 uniform = mul(from_i32((i32)(word >> 9 << 1 | 1)), power_of_two(-24));
	return negative(log(negative(log(uniform))));
}
