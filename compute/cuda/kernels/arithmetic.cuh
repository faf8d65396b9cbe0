// binary32 as the numerics contract has it: every operation rounds once, to nearest even, and keeps subnormals.
//
// Only these functions touch floats. The intrinsics name the rounding, so no compiler flag and no contraction can change
// them; the device's NaN has its own payload, which never reaches a result because a NaN fails the op.
#pragma once
#include "types.cuh"

struct F32 {
	float value;
};

DEVICE F32 from_bits(u32 bits) { return F32{__uint_as_float(bits)}; }
DEVICE u32 to_bits(F32 x) { return __float_as_uint(x.value); }

DEVICE F32 add(F32 a, F32 b) { return F32{__fadd_rn(a.value, b.value)}; }
DEVICE F32 sub(F32 a, F32 b) { return F32{__fsub_rn(a.value, b.value)}; }
DEVICE F32 mul(F32 a, F32 b) { return F32{__fmul_rn(a.value, b.value)}; }
DEVICE F32 div(F32 a, F32 b) { return F32{__fdiv_rn(a.value, b.value)}; }
DEVICE F32 square_root(F32 a) { return F32{__fsqrt_rn(a.value)}; }
// a * b + c
DEVICE F32 fma(F32 a, F32 b, F32 c) { return F32{__fmaf_rn(a.value, b.value, c.value)}; }

DEVICE bool less(F32 a, F32 b) { return a.value < b.value; }
DEVICE bool equal(F32 a, F32 b) { return a.value == b.value; }
DEVICE F32 select(bool condition, F32 yes, F32 no) { return condition ? yes : no; }
DEVICE bool is_nan(F32 x) { return (to_bits(x) & 0x7fffffffu) > 0x7f800000u; }
DEVICE F32 negative(F32 x) { return from_bits(to_bits(x) ^ 0x80000000u); }
DEVICE F32 magnitude(F32 x) { return from_bits(to_bits(x) & 0x7fffffffu); }

DEVICE F32 zero() { return from_bits(0); }
DEVICE F32 one() { return from_bits(0x3f800000u); }
DEVICE F32 nan() { return from_bits(0x7fc00000u); }

// The first operand on a tie, also between -0 and +0.
DEVICE F32 larger(F32 a, F32 b) { return select(is_nan(a) | is_nan(b), nan(), select(less(a, b), b, a)); }
DEVICE F32 smaller(F32 a, F32 b) { return select(is_nan(a) | is_nan(b), nan(), select(less(b, a), b, a)); }

// The nearest integer of |x| <= 2^22, and back: adding 1.5 * 2^23 leaves it in the low bits.
DEVICE i32 round_to_i32(F32 x) { return (i32)(to_bits(add(x, from_bits(0x4b400000u))) - 0x4b400000u); }
DEVICE F32 from_small_i32(i32 x) { return sub(from_bits(0x4b400000u + (u32)x), from_bits(0x4b400000u)); }
// 2^exponent, exponent in -126..=127.
DEVICE F32 power_of_two(i32 exponent) { return from_bits((u32)(exponent + 127) << 23); }

// Infinite or NaN.
DEVICE bool is_non_finite(u32 bits) { return (bits & 0x7f800000u) == 0x7f800000u; }

// An op whose output holds an infinity or a NaN fails. Many threads may raise the flag: all write the same word.
DEVICE void check(u32 *flag, u32 bits) {
	if (flag != nullptr && is_non_finite(bits)) *flag = 1;
}
