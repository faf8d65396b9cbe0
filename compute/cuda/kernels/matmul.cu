// Matrix product: per output element one fma chain from +0 over each segment of 512 of the inner dimension, the segments
// added ascending.
//
// A thread block makes one SIDE x SIDE tile of the output, a thread QUADS x QUADS quads of 4 x 4 chains in registers. While
// a tile of the operands is worked on, the next one is on its way into the other half of shared memory. At the end of a
// segment the chains are folded into the output, which stays in the second-level cache, and start anew. Split, each
// segment is a block of its own and leaves its chains for `fold` to add. Edges are computed on zeros and dropped; the
// inner dimension is never padded, since fma(0, 0, -0) is +0.
#include "tile.cuh"

constexpr u32 SEGMENT = 512;

// Shape of the work. Block i of the output is block i of A times block i / share of B; each has `m` x `k` or `k` x `n`.
// `segments` is how many the launch splits into: 1 where each block folds them itself.
struct Product {
	u32 m, n, k;
	u32 blocks, share;
	u32 segments;
};

// Which tile, of which block, and which of its segments.
struct Task {
	u32 block, segment, row0, col0;
};

template <u32 SIDE>
DEVICE Task task(Product p, u32 index) {
	Place at = place_of<SIDE>(p.m, p.n, index);
	return Task{at.rest % p.blocks, at.rest / p.blocks, at.row0, at.col0};
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
	__device__ __forceinline__ void step(const SharedTile<SIDE> &a, const SharedTile<SIDE> &b, u32 k, u32 ty, u32 tx) {
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

	// Stores the chains, or adds them to the totals. `out` has `n` columns.
	__device__ __forceinline__ void fold(u32 *out, u32 m, u32 n, u32 row0, u32 col0, bool first, u32 *flag, u32 ty,
										 u32 tx) const {
		bool wide = n % 4 == 0, bad = false;
		// Inside the output, from this thread's first row and column on.
		int rows = (int)(m - row0 < QUADS * 64 ? m - row0 : QUADS * 64) - (int)ty * 4;
		int cols = (int)(n - col0 < QUADS * 64 ? n - col0 : QUADS * 64) - (int)tx * 4;
		u64 line = ((u64)row0 + ty * 4) * n + col0 + tx * 4;
#pragma unroll
		for (int i = 0; i < QUADS * 4; i++) {
			if (i / 4 * 64 + i % 4 < rows) {
#pragma unroll
				for (int q = 0; q < QUADS; q++) {
					u32 *total = out + line + q * 64;
					if (wide && q * 64 + 3 < cols) {
						Words<4> sum = {};
						if (!first) sum = *(const Words<4> *)total;
#pragma unroll
						for (int j = 0; j < 4; j++) {
							F32 chain = at[i][q * 4 + j];
							sum.word[j] = to_bits(first ? chain : add(from_bits(sum.word[j]), chain));
							bad |= is_non_finite(sum.word[j]);
						}
						*(Words<4> *)total = sum;
					} else {
#pragma unroll
						for (int j = 0; j < 4; j++) {
							if (q * 64 + j >= cols) continue;
							F32 chain = at[i][q * 4 + j];
							u32 bits = to_bits(first ? chain : add(from_bits(total[j]), chain));
							total[j] = bits;
							bad |= is_non_finite(bits);
						}
					}
				}
			}
			line += i % 4 == 3 ? (u64)n * 61 : n;
		}
		// Once for all of a thread's elements: a branch for each would be most of the code.
		if (flag != nullptr && bad) *flag = 1;
	}
};

template <int SIDE, bool TRANS_A, bool TRANS_B>
DEVICE void one_tile(const u32 *a_data, const u32 *b_data, u32 *out, u32 *flag, Product p, SharedTile<SIDE> (&as)[2],
					 SharedTile<SIDE> (&bs)[2]) {
	constexpr int QUADS = SIDE / 64;
	u32 thread = threadIdx.x, ty = thread / 16, tx = thread % 16;
	Task t = task<SIDE>(p, blockIdx.x);
	u64 start = (u64)t.segment * SEGMENT;
	Operand a = {a_data + (u64)t.block * p.m * p.k, p.m, TRANS_A ? p.m : p.k};
	Operand b = {b_data + (u64)(t.block / p.share) * p.k * p.n, p.n, TRANS_B ? p.k : p.n};
	u32 *target = out + ((u64)t.segment * p.blocks + t.block) * p.m * p.n;

	// Inner indices that are not in the chains yet, and those that are not on their way from global memory yet.
	u32 left = p.k - (u32)start;
	if (p.segments > 1 && left > SEGMENT) left = SEGMENT;
	u32 ahead = left, depth = left < DEPTH ? left : DEPTH;
	Share<SIDE, !TRANS_A> next_a;
	Share<SIDE, TRANS_B> next_b;
	next_a.begin(a, t.row0, (u32)start, thread);
	next_b.begin(b, t.col0, (u32)start, thread);
	next_a.load(a.stride, depth, thread);
	next_b.load(b.stride, depth, thread);
	next_a.store(as[0], thread);
	next_b.store(bs[0], thread);
	ahead -= depth;
	__syncthreads();

	u32 half = 0;
	Chains<QUADS> chains;
	for (bool first = true;; first = false) {
		chains.clear();
		u32 segment = left < SEGMENT ? left : SEGMENT;
		left -= segment;
#pragma unroll 1
		for (; segment >= DEPTH; segment -= DEPTH) {
			depth = ahead < DEPTH ? ahead : DEPTH;
			if (depth > 0) {
				next_a.load(a.stride, depth, thread);
				next_b.load(b.stride, depth, thread);
			}
#pragma unroll
			for (u32 k = 0; k < DEPTH; k++) chains.step(as[half], bs[half], k, ty, tx);
			half ^= 1;
			if (depth > 0) {
				next_a.store(as[half], thread);
				next_b.store(bs[half], thread);
			}
			ahead -= depth;
			__syncthreads();
		}
		// Only the last segment leaves a rest.
#pragma unroll 1
		for (u32 k = 0; k < segment; k++) chains.step(as[half], bs[half], k, ty, tx);
		chains.fold(target, p.m, p.n, t.row0, t.col0, first, left == 0 ? flag : nullptr, ty, tx);
		if (left == 0) return;
	}
}

#define MATMUL(name, side, per_processor, trans_a, trans_b)                                                       \
	KERNEL __launch_bounds__(THREADS, per_processor)                                                              \
		name(const u32 *__restrict__ a, const u32 *__restrict__ b, u32 *out, u32 *flag, u32 m, u32 n, u32 k,      \
			 u32 blocks, u32 share, u32 segments) {                                                               \
		__shared__ SharedTile<side> as[2];                                                                        \
		__shared__ SharedTile<side> bs[2];                                                                        \
		Product p = {m, n, k, blocks, share, segments};                                                           \
		one_tile<side, trans_a, trans_b>(a, b, out, flag, p, as, bs);                                             \
	}

MATMUL(matmul_large_nn, 128, 2, false, false)
MATMUL(matmul_large_nt, 128, 2, false, true)
MATMUL(matmul_large_tn, 128, 2, true, false)
MATMUL(matmul_large_tt, 128, 2, true, true)
MATMUL(matmul_small_nn, 64, 4, false, false)
MATMUL(matmul_small_nt, 64, 4, false, true)
MATMUL(matmul_small_tn, 64, 4, true, false)
MATMUL(matmul_small_tt, 64, 4, true, true)
