// Elementwise ops with broadcast.
#include "exp_log.cuh"
#include "operand.cuh"
#include "saturating.cuh"
#include "trigonometry.cuh"

#define ELEMENTWISE_1(name, value)                                                  \
	KERNEL name(OPERAND(a), u32 *out, u32 *flag, u64 rows, u64 cols) {              \
		each_element(rows, cols, [=](u64 row, u64 col) {                            \
			F32 a = VALUE(a);                                                       \
			u32 bits = to_bits(value);                                              \
			out[row * cols + col] = bits;                                           \
			check(flag, bits);                                                      \
		});                                                                         \
	}

#define ELEMENTWISE_2(name, value)                                                  \
	KERNEL name(OPERAND(a), OPERAND(b), u32 *out, u32 *flag, u64 rows, u64 cols) {  \
		each_element(rows, cols, [=](u64 row, u64 col) {                            \
			F32 a = VALUE(a), b = VALUE(b);                                         \
			u32 bits = to_bits(value);                                              \
			out[row * cols + col] = bits;                                           \
			check(flag, bits);                                                      \
		});                                                                         \
	}

ELEMENTWISE_1(unary_neg, negative(a))
ELEMENTWISE_1(unary_abs, magnitude(a))
ELEMENTWISE_1(unary_relu, select(less(zero(), a), a, zero()))
ELEMENTWISE_1(unary_exp, exp(a))
ELEMENTWISE_1(unary_log, log(a))
ELEMENTWISE_1(unary_tanh, tanh(a))
ELEMENTWISE_1(unary_sqrt, square_root(a))
ELEMENTWISE_1(unary_sigmoid, sigmoid(a))
ELEMENTWISE_1(unary_erf, erf(a))
ELEMENTWISE_1(unary_sin, sin(a))
ELEMENTWISE_1(unary_cos, cos(a))
ELEMENTWISE_1(unary_rsqrt, rsqrt(a))

ELEMENTWISE_2(binary_add, add(a, b))
ELEMENTWISE_2(binary_sub, sub(a, b))
ELEMENTWISE_2(binary_mul, mul(a, b))
ELEMENTWISE_2(binary_div, div(a, b))
ELEMENTWISE_2(binary_max, larger(a, b))
ELEMENTWISE_2(binary_min, smaller(a, b))
ELEMENTWISE_2(binary_greater, select(less(b, a), one(), zero()))

KERNEL multiply_add(OPERAND(a), OPERAND(b), OPERAND(c), u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 bits = to_bits(fma(VALUE(a), VALUE(b), VALUE(c)));
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}
