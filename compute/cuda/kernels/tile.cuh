// A tile of an operand on its way from global to shared memory.
//
// Operands are read as [outer, inner]: rows of A, columns of B. Either direction may be the contiguous one in memory. In
// shared memory the tile lies [inner][outer], so the innermost loop reads both operands along rows.
#pragma once
#include "arithmetic.cuh"

// Inner indices of a tile; divides a segment, so that no tile straddles two.
constexpr int DEPTH = 8;
constexpr int THREADS = 256;

template <int N>
struct alignas(N * 4) Words {
	u32 word[N];
};

// `outer` x `inner` of an operand whose stored rows are `stride` apart.
struct Operand {
	const u32 *data;
	u64 outer;
	u64 inner;
	u64 stride;
};

template <bool INNER_CONTIGUOUS>
DEVICE u64 place(Operand x, u64 outer, u64 inner) {
	return INNER_CONTIGUOUS ? outer * x.stride + inner : inner * x.stride + outer;
}

// Rows of shared memory are longer than the tile: threads that store along `inner` then meet different banks, and rows
// stay aligned to 16 bytes.
template <int SIDE>
struct alignas(16) SharedTile {
	u32 at[DEPTH][SIDE + 4];
};

// What one thread moves of a tile of SIDE x DEPTH: LEN words that are neighbours in memory.
template <int SIDE, bool INNER_CONTIGUOUS>
struct Share {
	static const int LEN = SIDE * DEPTH / THREADS;
	static const int ALONG = INNER_CONTIGUOUS ? DEPTH : SIDE;
	Words<LEN> words;

	static __device__ __forceinline__ int outer(int thread) {
		return INNER_CONTIGUOUS ? thread * LEN / ALONG : thread * LEN % ALONG;
	}
	static __device__ __forceinline__ int inner(int thread) {
		return INNER_CONTIGUOUS ? thread * LEN % ALONG : thread * LEN / ALONG;
	}

	// Reads from (outer0, inner0) on; +0 outside. With `wide`, stored rows are aligned to LEN words.
	__device__ __forceinline__ void load(Operand x, u64 outer0, u64 inner0, bool wide, int thread) {
		u64 o = outer0 + outer(thread), i = inner0 + inner(thread);
		u64 last_o = INNER_CONTIGUOUS ? o : o + LEN - 1, last_i = INNER_CONTIGUOUS ? i + LEN - 1 : i;
		if (wide && last_o < x.outer && last_i < x.inner) {
			words = *(const Words<LEN> *)(x.data + place<INNER_CONTIGUOUS>(x, o, i));
			return;
		}
#pragma unroll
		for (int at = 0; at < LEN; at++) {
			u64 oo = INNER_CONTIGUOUS ? o : o + at, ii = INNER_CONTIGUOUS ? i + at : i;
			words.word[at] = oo < x.outer && ii < x.inner ? x.data[place<INNER_CONTIGUOUS>(x, oo, ii)] : 0;
		}
	}

	__device__ __forceinline__ void store(SharedTile<SIDE> &tile, int thread) const {
		int o = outer(thread), i = inner(thread);
		if (INNER_CONTIGUOUS) {
#pragma unroll
			for (int at = 0; at < LEN; at++) tile.at[i + at][o] = words.word[at];
		} else {
			*(Words<LEN> *)&tile.at[i][o] = words;
		}
	}
};
