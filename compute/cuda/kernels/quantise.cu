// 8-bit integers from numbers, and numbers from the sums of their products. Elementwise, with broadcast.
#include "integer.cuh"
#include "operand.cuh"

KERNEL quantise(OPERAND(x), OPERAND(scale), u8 *out, u32 *, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		out[row * cols + col] = (u8)quantised(VALUE(x), VALUE(scale));
	});
}

KERNEL dequantise(OPERAND(x), OPERAND(a), OPERAND(b), u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 bits = to_bits(dequantised((i32)BITS(x), VALUE(a), VALUE(b)));
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}
