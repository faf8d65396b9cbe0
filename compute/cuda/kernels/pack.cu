// Operands of an 8-bit product, packed for it.
//
// In a tensor each element is a byte. Packed, a word is four elements that follow each other along the inner dimension, the
// first in the low byte, and the words lie [inner / 4][outer], or as tensor cores take them. Both extents are filled up with
// zeros, which change no sum, so the product meets no edges.
#include "types.cuh"

constexpr u32 SIDE = 32;

// Elements 4 * word to 4 * word + 3 of a line whose elements are `stride` apart.
DEVICE u32 four(const u8 *line, u64 stride, u64 word, u64 inner) {
	if (stride == 1 && word * 4 + 4 <= inner && (u64)line % 4 == 0) return ((const u32 *)line)[word];
	u32 bytes = 0;
#pragma unroll
	for (u32 i = 0; i < 4; i++) {
		u64 at = word * 4 + i;
		if (at < inner) bytes |= (u32)line[at * stride] << (8 * i);
	}
	return bytes;
}

// For tensor cores: by steps of 8 words, by groups of 16 lines, by lanes of a warp, the four words that a lane takes; of lane
// 4 g + t, word r is word t + 4 (r / 2) of line g + 8 (r mod 2). A line's elements are `along` apart, lines `across`.
KERNEL pack_fragments(const u8 *x, u64 across, u64 along, u64 outer, u64 inner, u32 *out, u64 steps, u64 padded) {
	each_element(steps, padded * 8, [=](u64 step, u64 at) {
		u64 lane = at / 4 % 32, r = at % 4;
		u64 line = at / 128 * 16 + lane / 4 + r % 2 * 8, word = step * 8 + lane % 4 + r / 2 * 4;
		out[step * padded * 8 + at] = line < outer ? four(x + line * across, along, word, inner) : 0;
	});
}

// From [inner, outer], where lines lie beside each other.
KERNEL pack_columns(const u8 *x, u64 outer, u64 inner, u32 *out, u64 depth, u64 padded) {
	each_element(depth, padded, [=](u64 word, u64 line) {
		out[word * padded + line] = line < outer ? four(x + line, outer, word, inner) : 0;
	});
}

// From [outer, inner], where each line is contiguous: through shared memory, so that both sides are read and written along
// memory. A block is 32 x 8 threads.
KERNEL __launch_bounds__(256) pack_rows(const u8 *x, u64 outer, u64 inner, u32 *out, u64 depth, u64 padded) {
	__shared__ u32 tile[SIDE][SIDE + 1];
	u64 across = (depth + SIDE - 1) / SIDE, tiles = across * ((padded + SIDE - 1) / SIDE);
	for (u64 work = blockIdx.x; work < tiles; work += gridDim.x) {
		u64 line0 = work / across * SIDE, word0 = work % across * SIDE;
#pragma unroll 1
		for (u32 i = threadIdx.y; i < SIDE; i += blockDim.y) {
			u64 line = line0 + i;
			tile[i][threadIdx.x] = line < outer ? four(x + line * inner, 1, word0 + threadIdx.x, inner) : 0;
		}
		__syncthreads();
#pragma unroll 1
		for (u32 i = threadIdx.y; i < SIDE; i += blockDim.y) {
			u64 word = word0 + i, line = line0 + threadIdx.x;
			if (word < depth && line < padded) out[word * padded + line] = tile[threadIdx.x][i];
		}
		__syncthreads();
	}
}
