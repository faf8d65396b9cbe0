// Elements kept or replaced by position: causal masks and dropout.
#include "arithmetic.cuh"
#include "philox.cuh"

// In blocks of `positions` rows: columns up to the row's position plus `offset` are kept.
KERNEL causal(const u32 *x, u64 positions, u64 offset, u32 fill, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 bits = col <= row % positions + offset ? x[row * cols + col] : fill;
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}

// Element e of a row of `cols` is kept where word e mod 4 of block e / 4 is below `keep`.
KERNEL dropout(const u32 *x, u32 key0, u32 key1, u32 stream, const u64 *step, u32 keep, u32 scale, u32 *out, u32 *flag,
			   u64 elements) {
	u64 now = *step;
	for (u64 quad = first_x(); quad * 4 < elements; quad += stride_x()) {
		Block4 draws = philox4x32_10((u32)quad, stream, (u32)now, (u32)(now >> 32), key0, key1);
#pragma unroll
		for (u64 i = 0; i < 4; i++) {
			u64 element = quad * 4 + i;
			if (element >= elements) return;
			u32 bits = draws.word[i] < keep ? to_bits(mul(from_bits(x[element]), from_bits(scale))) : 0;
			out[element] = bits;
			check(flag, bits);
		}
	}
}
