// Product of 8-bit integers, exact in 32 bits, from operands as `pack.cu` leaves them.
//
// A thread block makes one SIDE x SIDE tile of the output, a thread QUADS x QUADS quads of 4 x 4 sums in registers; each
// step adds four products to a sum. While a tile of the operands is worked on, the next one is on its way into the other
// half of shared memory. No order matters: the inner dimension is too short for a sum to leave 32 bits. So where there are
// fewer tiles than processors the inner dimension is cut into parts, which `add_parts` adds.
#include "dot.cuh"
#include "tile.cuh"

// Words of an operand's tile that a thread moves.
template <int SIDE>
struct Moved {
	static constexpr int LEN = SIDE * DEPTH / THREADS;
	Words<LEN> words;

	// Operands are [depth][extent]: this thread's words of the tile at `word0` and `first`.
	__device__ __forceinline__ void load(const u32 *x, u32 extent, u32 word0, u32 first) {
		u32 at = threadIdx.x * LEN;
		words = *(const Words<LEN> *)(x + (u64)(word0 + at / SIDE) * extent + first + at % SIDE);
	}
	__device__ __forceinline__ void store(SharedTile<SIDE> &tile) const {
		u32 at = threadIdx.x * LEN;
		*(Words<LEN> *)&tile.at[at / SIDE][at % SIDE] = words;
	}
};

// `a` is [depth][m] and `b` [depth][n], both extents rounded up to SIDE, `depth` to DEPTH. Part i takes `per_part` words of
// the inner dimension and leaves its sums in `out` from i * m * n on.
template <int SIDE>
DEVICE void one_tile(const u32 *a, const u32 *b, u32 *out, u32 m, u32 n, u32 depth, u32 per_part,
					 SharedTile<SIDE> (&as)[2], SharedTile<SIDE> (&bs)[2]) {
	constexpr int QUADS = SIDE / 64;
	u32 ty = threadIdx.x / 16, tx = threadIdx.x % 16;
	Place place = place_of<SIDE>(m, n, blockIdx.x);
	u32 padded_m = (m + SIDE - 1) / SIDE * SIDE, padded_n = (n + SIDE - 1) / SIDE * SIDE;
	u32 word = place.rest * per_part, end = depth - word < per_part ? depth : word + per_part;

	Moved<SIDE> next_a, next_b;
	next_a.load(a, padded_m, word, place.row0);
	next_b.load(b, padded_n, word, place.col0);
	next_a.store(as[0]);
	next_b.store(bs[0]);
	__syncthreads();

	i32 sums[QUADS * 4][QUADS * 4];
#pragma unroll
	for (int i = 0; i < QUADS * 4; i++)
#pragma unroll
		for (int j = 0; j < QUADS * 4; j++) sums[i][j] = 0;

	u32 half = 0;
#pragma unroll 1
	for (; word < end; word += DEPTH) {
		bool more = word + DEPTH < end;
		if (more) {
			next_a.load(a, padded_m, word + DEPTH, place.row0);
			next_b.load(b, padded_n, word + DEPTH, place.col0);
		}
#pragma unroll
		for (int k = 0; k < DEPTH; k++) {
			Words<4> left[QUADS], right[QUADS];
#pragma unroll
			for (int q = 0; q < QUADS; q++) {
				left[q] = *(const Words<4> *)&as[half].at[k][q * 64 + ty * 4];
				right[q] = *(const Words<4> *)&bs[half].at[k][q * 64 + tx * 4];
			}
#pragma unroll
			for (int i = 0; i < QUADS * 4; i++)
#pragma unroll
				for (int j = 0; j < QUADS * 4; j++)
					sums[i][j] = dot4(left[i / 4].word[i % 4], right[j / 4].word[j % 4], sums[i][j]);
		}
		half ^= 1;
		if (more) {
			next_a.store(as[half]);
			next_b.store(bs[half]);
		}
		__syncthreads();
	}

	u32 *target = out + (u64)place.rest * m * n;
	bool wide = n % 4 == 0;
#pragma unroll
	for (int i = 0; i < QUADS * 4; i++) {
		u64 row = (u64)place.row0 + i / 4 * 64 + ty * 4 + i % 4;
		if (row >= m) continue;
#pragma unroll
		for (int q = 0; q < QUADS; q++) {
			u64 col = (u64)place.col0 + q * 64 + tx * 4;
			u32 *at = target + row * n + col;
			if (wide && col + 3 < n) {
				Words<4> four;
#pragma unroll
				for (int j = 0; j < 4; j++) four.word[j] = (u32)sums[i][q * 4 + j];
				*(Words<4> *)at = four;
			} else {
#pragma unroll
				for (int j = 0; j < 4; j++)
					if (col + j < n) at[j] = (u32)sums[i][q * 4 + j];
			}
		}
	}
}

#define MATMUL_I8(name, side, per_processor)                                                                      \
	KERNEL __launch_bounds__(THREADS, per_processor)                                                              \
		name(const u32 *__restrict__ a, const u32 *__restrict__ b, u32 *out, u32 m, u32 n, u32 depth,             \
			 u32 per_part) {                                                                                      \
		__shared__ SharedTile<side> as[2];                                                                        \
		__shared__ SharedTile<side> bs[2];                                                                        \
		one_tile<side>(a, b, out, m, n, depth, per_part, as, bs);                                                 \
	}

MATMUL_I8(matmul_i8_large, 128, 2)
MATMUL_I8(matmul_i8_small, 64, 4)

KERNEL add_parts(const u32 *parts, u64 count, u32 *out, u64 elements) {
	for (u64 i = first_x(); i < elements; i += stride_x()) {
		u32 sum = 0;
		for (u64 part = 0; part < count; part++) sum += parts[part * elements + i];
		out[i] = sum;
	}
}
