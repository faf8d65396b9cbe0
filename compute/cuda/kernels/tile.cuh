// Tiles of a product: which one a thread block makes, and an operand's on their way from global to shared memory.
//
// Operands are read as [outer, inner]: rows of A, columns of B. Either direction may be the contiguous one in memory. In
// shared memory the tile lies [inner][outer], so the innermost loop reads both operands along rows.
#pragma once
#include "arithmetic.cuh"

// Inner indices of a tile; divides a segment, so that no tile straddles two.
constexpr int DEPTH = 8;
constexpr int THREADS = 256;

// First row and column of a tile of the output, and the number of the whole output that it belongs to.
struct Place {
	u32 rest, row0, col0;
};

// Tiles of GROUP rows of tiles are walked column by column, so that concurrent blocks share operands in the cache.
template <u32 SIDE>
DEVICE Place place_of(u32 m, u32 n, u32 index) {
	constexpr u32 GROUP = 8;
	u64 tiles_m = ((u64)m + SIDE - 1) / SIDE, tiles_n = ((u64)n + SIDE - 1) / SIDE;
	u64 tile = index % (tiles_m * tiles_n);
	u32 rest = (u32)(index / (tiles_m * tiles_n));
	u64 first_row = tile / (GROUP * tiles_n) * GROUP;
	u64 height = tiles_m - first_row < GROUP ? tiles_m - first_row : GROUP;
	u64 inside = tile % (GROUP * tiles_n);
	return Place{rest, (u32)((first_row + inside % height) * SIDE), (u32)(inside / height * SIDE)};
}

template <int N>
struct alignas(N * 4) Words {
	u32 word[N];
};

// `outer` x `inner` of an operand whose stored rows are `stride` apart.
struct Operand {
	const u32 *data;
	u32 outer;
	u32 stride;
};

// Rows of shared memory are longer than the tile: threads that store along `inner` then meet different banks, and rows
// stay aligned to 16 bytes.
template <int SIDE>
struct alignas(16) SharedTile {
	u32 at[DEPTH][SIDE + 4];
};

// What one thread moves of each tile of SIDE x DEPTH: LEN words that are neighbours in memory.
//
// Everything that stays the same from tile to tile is settled in `begin`; registers are what limits the chains.
template <int SIDE, bool INNER_CONTIGUOUS>
struct Share {
	static constexpr int LEN = SIDE * DEPTH / THREADS;
	static constexpr int ALONG = INNER_CONTIGUOUS ? DEPTH : SIDE;
	Words<LEN> words;
	// Where the next tile's words are.
	const u32 *at;
	// How many of them lie inside along `outer`.
	u32 inside;
	// Whether they can be read as one.
	bool wide;

	static __device__ __forceinline__ u32 outer(u32 thread) {
		return INNER_CONTIGUOUS ? thread * LEN / ALONG : thread * LEN % ALONG;
	}
	static __device__ __forceinline__ u32 inner(u32 thread) {
		return INNER_CONTIGUOUS ? thread * LEN % ALONG : thread * LEN / ALONG;
	}

	// Tiles of the rows or columns from `outer0` on, and of the inner dimension from `inner0` on.
	__device__ __forceinline__ void begin(Operand x, u32 outer0, u32 inner0, u32 thread) {
		u64 o = (u64)outer0 + outer(thread), i = (u64)inner0 + inner(thread);
		at = x.data + (INNER_CONTIGUOUS ? o * x.stride + i : i * x.stride + o);
		u64 left = o < x.outer ? x.outer - o : 0;
		inside = INNER_CONTIGUOUS ? (left > 0 ? LEN : 0) : (u32)(left < LEN ? left : LEN);
		wide = inside == LEN && x.stride % LEN == 0;
	}

	// Reads the next tile, of which `depth` inner indices are inside; +0 where it is outside.
	__device__ __forceinline__ void load(u32 stride, u32 depth, u32 thread) {
		u32 i = inner(thread);
		if (wide && (INNER_CONTIGUOUS ? depth == DEPTH : i < depth)) {
			words = *(const Words<LEN> *)at;
		} else {
#pragma unroll
			for (u32 w = 0; w < LEN; w++) {
				bool there = INNER_CONTIGUOUS ? inside != 0 && i + w < depth : w < inside && i < depth;
				words.word[w] = there ? at[w] : 0;
			}
		}
		at += INNER_CONTIGUOUS ? (u64)DEPTH : (u64)DEPTH * stride;
	}

	__device__ __forceinline__ void store(SharedTile<SIDE> &tile, u32 thread) const {
		u32 o = outer(thread), i = inner(thread);
		if (INNER_CONTIGUOUS) {
#pragma unroll
			for (int w = 0; w < LEN; w++) tile.at[i + w][o] = words.word[w];
		} else {
			*(Words<LEN> *)&tile.at[i][o] = words;
		}
	}
};
