// Sampling: noise, and the column of the largest element.
#include "integer.cuh"
#include "philox.cuh"

// Element e of a row gets the noise of word e mod 4 of block e / 4.
KERNEL gumbel(const u32 *x, u32 key0, u32 key1, u32 stream, const u64 *step, u32 *out, u32 *flag, u64 elements) {
	u64 now = *step;
	for (u64 quad = first_x(); quad * 4 < elements; quad += stride_x()) {
		Block4 draws = philox4x32_10((u32)quad, stream, (u32)now, (u32)(now >> 32), key0, key1);
#pragma unroll
		for (u64 i = 0; i < 4; i++) {
			u64 element = quad * 4 + i;
			if (element >= elements) return;
			u32 bits = to_bits(add(from_bits(x[element]), gumbel_of(draws.word[i])));
			out[element] = bits;
			check(flag, bits);
		}
	}
}

constexpr u32 LANES = 256;

// A column and what lies there.
struct Best {
	F32 value;
	u32 col;
};

// The larger one, of equal ones the first.
DEVICE Best better(Best a, Best b) {
	return less(a.value, b.value) | (equal(a.value, b.value) & (b.col < a.col)) ? b : a;
}

// A thread block per row. Every lane begins with column 0, so a NaN there stays, and a NaN elsewhere never takes its place.
KERNEL __launch_bounds__(256) arg_max(const u32 *x, u32 *out, u64 rows, u64 cols) {
	__shared__ Best lanes[LANES];
	u32 lane = threadIdx.x;
	for (u64 row = blockIdx.x; row < rows; row += gridDim.x) {
		const u32 *line = x + row * cols;
		Best best = {from_bits(line[0]), 0};
		for (u64 col = lane; col < cols; col += LANES) {
			F32 value = from_bits(line[col]);
			if (less(best.value, value)) best = Best{value, (u32)col};
		}
		lanes[lane] = best;
		for (u32 half = LANES / 2; half > 0; half /= 2) {
			__syncthreads();
			if (lane < half) lanes[lane] = better(lanes[lane], lanes[lane + half]);
		}
		if (lane == 0) out[row] = lanes[0].col;
		__syncthreads();
	}
}
