// Blocks of 2, 4, 8, 16 or 32 neighbours times the Hadamard matrix of that side.
#include "arithmetic.cuh"

// A thread makes one block, whose elements are `step` apart: 1 in a row, the columns of the matrix in a column.
template <int SIDE>
DEVICE void rotate(const u32 *x, u64 step, u32 *out, u32 *flag, u64 blocks) {
	for (u64 block = first_x(); block < blocks; block += stride_x()) {
		u64 first = block / step * SIDE * step + block % step;
		F32 value[SIDE];
#pragma unroll
		for (int i = 0; i < SIDE; i++) value[i] = from_bits(x[first + i * step]);
#pragma unroll
		for (int distance = 1; distance < SIDE; distance *= 2)
#pragma unroll
			for (int i = 0; i < SIDE; i++)
				if ((i & distance) == 0) {
					F32 a = value[i], b = value[i + distance];
					value[i] = add(a, b);
					value[i + distance] = sub(a, b);
				}
		bool bad = false;
#pragma unroll
		for (int i = 0; i < SIDE; i++) {
			out[first + i * step] = to_bits(value[i]);
			bad |= is_non_finite(to_bits(value[i]));
		}
		if (flag != nullptr && bad) *flag = 1;
	}
}

#define HADAMARD(name, side)                                                                   \
	KERNEL name(const u32 *x, u64 step, u32 *out, u32 *flag, u64 blocks) {                     \
		rotate<side>(x, step, out, flag, blocks);                                              \
	}

HADAMARD(hadamard_2, 2)
HADAMARD(hadamard_4, 4)
HADAMARD(hadamard_8, 8)
HADAMARD(hadamard_16, 16)
HADAMARD(hadamard_32, 32)
