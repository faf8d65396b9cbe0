// Matrix product: per output element one fma chain from +0 over each segment of 512 of the inner dimension, the segments
// added ascending.
//
// A thread block makes one SIDE x SIDE tile of the output, a thread QUADS x QUADS quads of 4 x 4 chains in registers. While
// a tile of the operands is worked on, the next one is on its way into the other half of shared memory. At the end of a
// segment the chains are folded into the output, which stays in the second-level cache, and start anew. Split, each
// segment is a block of its own and leaves its chains for `fold` to add. Edges are computed on zeros and dropped; the
// inner dimension is never padded, since fma(0, 0, -0) is +0.
#include "tile.cuh"

constexpr int SEGMENT = 512;
constexpr u64 GROUP = 8;

// Shape of the work. Block i of the output is block i of A times block i / share of B; each has `m` x `k` or `k` x `n`.
struct Product {
	u64 m, n, k;
	u64 blocks, share;
	u64 segments;
	bool split;
};

// Which tile, of which block, and which of its segments.
struct Task {
	u64 block, segment, row0, col0;
};

// Tiles of GROUP rows of tiles are walked column by column, so that concurrent blocks share operands in the cache.
template <int SIDE>
DEVICE Task task(Product p, u64 index) {
	u64 tiles_m = (p.m + SIDE - 1) / SIDE, tiles_n = (p.n + SIDE - 1) / SIDE;
	u64 tile = index % (tiles_m * tiles_n);
	u64 rest = index / (tiles_m * tiles_n);
	u64 first_row = tile / (GROUP * tiles_n) * GROUP;
	u64 height = tiles_m - first_row < GROUP ? tiles_m - first_row : GROUP;
	u64 inside = tile % (GROUP * tiles_n);
	return Task{rest % p.blocks, rest / p.blocks, (first_row + inside % height) * SIDE, inside / height * SIDE};
}

template <int QUADS>
struct Chains {
	F32 at[QUADS * 4][QUADS * 4];

	__device__ __forceinline__ void clear() {
#pragma unroll
		for (int i = 0; i < QUADS * 4; i++)
#pragma unroll
			for (int j = 0; j < QUADS * 4; j++) at[i][j] = zero();
	}

	// One inner index: rows from `a`, columns from `b`, in quads 64 apart.
	template <int SIDE>
	__device__ __forceinline__ void step(const SharedTile<SIDE> &a, const SharedTile<SIDE> &b, int k, int ty, int tx) {
		Words<4> left[QUADS], right[QUADS];
#pragma unroll
		for (int q = 0; q < QUADS; q++) {
			left[q] = *(const Words<4> *)&a.at[k][q * 64 + ty * 4];
			right[q] = *(const Words<4> *)&b.at[k][q * 64 + tx * 4];
		}
#pragma unroll
		for (int i = 0; i < QUADS * 4; i++)
#pragma unroll
			for (int j = 0; j < QUADS * 4; j++)
				at[i][j] = fma(from_bits(left[i / 4].word[i % 4]), from_bits(right[j / 4].word[j % 4]), at[i][j]);
	}

	// Stores the chains, or adds them to the totals. `out` has `n` columns; with `wide` its rows are aligned to quads.
	__device__ __forceinline__ void fold(u32 *out, u64 m, u64 n, u64 row0, u64 col0, bool first, bool wide, u32 *flag, int ty,
										 int tx) const {
#pragma unroll
		for (int i = 0; i < QUADS * 4; i++) {
			u64 row = row0 + i / 4 * 64 + ty * 4 + i % 4;
			if (row >= m) continue;
#pragma unroll
			for (int q = 0; q < QUADS; q++) {
				u64 col = col0 + q * 64 + tx * 4;
				u32 *total = out + row * n + col;
				Words<4> sum;
				if (wide && col + 3 < n) {
					if (!first) sum = *(const Words<4> *)total;
#pragma unroll
					for (int j = 0; j < 4; j++) {
						F32 chain = at[i][q * 4 + j];
						sum.word[j] = to_bits(first ? chain : add(from_bits(sum.word[j]), chain));
						check(flag, sum.word[j]);
					}
					*(Words<4> *)total = sum;
				} else {
#pragma unroll
					for (int j = 0; j < 4; j++) {
						if (col + j >= n) continue;
						F32 chain = at[i][q * 4 + j];
						u32 bits = to_bits(first ? chain : add(from_bits(total[j]), chain));
						total[j] = bits;
						check(flag, bits);
					}
				}
			}
		}
	}
};

template <int SIDE, bool TRANS_A, bool TRANS_B>
DEVICE void one_tile(const u32 *a_data, const u32 *b_data, u32 *out, u32 *flag, Product p, Task t, SharedTile<SIDE> (&as)[2],
					 SharedTile<SIDE> (&bs)[2]) {
	const int quads = SIDE / 64;
	int thread = threadIdx.x, ty = thread / 16, tx = thread % 16;
	Operand a = {a_data + t.block * p.m * p.k, p.m, p.k, TRANS_A ? p.m : p.k};
	Operand b = {b_data + t.block / p.share * p.k * p.n, p.n, p.k, TRANS_B ? p.k : p.n};
	u32 *target = out + (t.segment * p.blocks + t.block) * p.m * p.n;
	bool wide_a = a.stride % 4 == 0, wide_b = b.stride % 4 == 0, wide_out = p.n % 4 == 0;

	u64 start = p.split ? t.segment * SEGMENT : 0;
	u64 end = p.split && start + SEGMENT < p.k ? start + SEGMENT : p.k;
	Share<SIDE, !TRANS_A> next_a;
	Share<SIDE, TRANS_B> next_b;
	next_a.load(a, t.row0, start, wide_a, thread);
	next_b.load(b, t.col0, start, wide_b, thread);
	next_a.store(as[0], thread);
	next_b.store(bs[0], thread);
	__syncthreads();

	Chains<quads> chains;
	chains.clear();
	int half = 0;
	bool first = true;
	for (u64 k0 = start; k0 < end; k0 += DEPTH) {
		bool more = k0 + DEPTH < end;
		if (more) {
			next_a.load(a, t.row0, k0 + DEPTH, wide_a, thread);
			next_b.load(b, t.col0, k0 + DEPTH, wide_b, thread);
		}
		if (k0 + DEPTH <= end) {
#pragma unroll
			for (int k = 0; k < DEPTH; k++) chains.step(as[half], bs[half], k, ty, tx);
		} else {
#pragma unroll 1
			for (int k = 0; k < (int)(end - k0); k++) chains.step(as[half], bs[half], k, ty, tx);
		}
		if (!more || (k0 + DEPTH) % SEGMENT == 0) {
			chains.fold(target, p.m, p.n, t.row0, t.col0, first, wide_out, more || p.split ? nullptr : flag, ty, tx);
			chains.clear();
			first = false;
		}
		if (more) {
			next_a.store(as[half ^ 1], thread);
			next_b.store(bs[half ^ 1], thread);
		}
		half ^= 1;
		__syncthreads();
	}
}

#define MATMUL(name, side, per_processor, trans_a, trans_b)                                                       \
	KERNEL __launch_bounds__(THREADS, per_processor)                                                              \
		name(const u32 *__restrict__ a, const u32 *__restrict__ b, u32 *out, u32 *flag, u64 m, u64 n, u64 k,      \
			 u64 blocks, u64 share, u64 segments, u64 tasks) {                                                    \
		__shared__ SharedTile<side> as[2];                                                                        \
		__shared__ SharedTile<side> bs[2];                                                                        \
		Product p = {m, n, k, blocks, share, segments, segments > 1};                                             \
		for (u64 index = blockIdx.x; index < tasks; index += gridDim.x)                                           \
			one_tile<side, trans_a, trans_b>(a, b, out, flag, p, task<side>(p, index), as, bs);                   \
	}

// `segments` is how many the launch splits into, 1 where each block folds them itself; then `tasks` is tiles * blocks.
MATMUL(matmul_large_nn, 128, 2, false, false)
MATMUL(matmul_large_nt, 128, 2, false, true)
MATMUL(matmul_large_tn, 128, 2, true, false)
MATMUL(matmul_large_tt, 128, 2, true, true)
MATMUL(matmul_small_nn, 64, 4, false, false)
MATMUL(matmul_small_nt, 64, 4, false, true)
MATMUL(matmul_small_tn, 64, 4, true, false)
MATMUL(matmul_small_tt, 64, 4, true, true)
