// Product of 8-bit integers on tensor cores, exact in 32 bits, from operands as `pack_fragments` leaves them. Compiled for
// compute capability 8.0.
//
// A thread block makes one SIDE x SIDE tile of the output, each of its 2 x 4 warps SIDE / 2 x SIDE / 4 of it. Operands lie in
// memory as the lanes of a warp take them, so that a tile of one is contiguous and is copied as it is. While two steps of 32
// inner indices are worked on, the next two are on their way into the other half of shared memory. The inner dimension is
// cut into parts as in `matmul_i8.cu`.
#include "dot.cuh"
#include "tile.cuh"

// Words of the inner dimension in a step, and steps that are moved at once.
constexpr u32 STEP = 8;
constexpr u32 STEPS = 2;

// What a lane holds of 16 lines and one step.
typedef Words<4> Fragment;

template <int SIDE>
struct SharedSteps {
	Fragment at[STEPS][SIDE / 16 * 32];
};

// What one thread moves of an operand of `groups` times 16 lines.
template <int SIDE>
struct Moved {
	static constexpr u32 COUNT = SIDE / 16 * 32;
	Fragment fragment[STEPS];

	// The steps from `word0` of the inner dimension on, of the SIDE lines from `first` on.
	__device__ __forceinline__ void load(const Fragment *x, u32 groups, u32 word0, u32 first) {
		if (threadIdx.x >= COUNT) return;
#pragma unroll
		for (u32 s = 0; s < STEPS; s++)
			fragment[s] = x[((u64)(word0 / STEP + s) * groups + first / 16) * 32 + threadIdx.x];
	}
	__device__ __forceinline__ void store(SharedSteps<SIDE> &shared) const {
		if (threadIdx.x >= COUNT) return;
#pragma unroll
		for (u32 s = 0; s < STEPS; s++) shared.at[s][threadIdx.x] = fragment[s];
	}
};

// Both extents are rounded up to SIDE, `depth` words to STEP * STEPS. Part i takes `per_part` words of the inner dimension
// and leaves its sums in `out` from i * m * n on.
template <int SIDE>
DEVICE void one_tile(const Fragment *a, const Fragment *b, u32 *out, u32 m, u32 n, u32 depth, u32 per_part,
					 SharedSteps<SIDE> (&as)[2], SharedSteps<SIDE> (&bs)[2]) {
	// Groups of 16 rows and of 16 columns of a warp.
	constexpr u32 DOWN = SIDE / 32, ACROSS = SIDE / 64;
	u32 lane = threadIdx.x % 32, down = threadIdx.x / 128 * DOWN, across = threadIdx.x / 32 % 4 * ACROSS;
	Place place = place_of<SIDE>(m, n, blockIdx.x);
	u32 groups_m = (m + SIDE - 1) / SIDE * (SIDE / 16), groups_n = (n + SIDE - 1) / SIDE * (SIDE / 16);
	u32 word = place.rest * per_part, end = depth - word < per_part ? depth : word + per_part;

	Moved<SIDE> next_a, next_b;
	next_a.load(a, groups_m, word, place.row0);
	next_b.load(b, groups_n, word, place.col0);
	next_a.store(as[0]);
	next_b.store(bs[0]);
	__syncthreads();

	i32 sums[DOWN][ACROSS * 2][4];
#pragma unroll
	for (u32 i = 0; i < DOWN; i++)
#pragma unroll
		for (u32 j = 0; j < ACROSS * 2; j++)
#pragma unroll
			for (u32 r = 0; r < 4; r++) sums[i][j][r] = 0;

	u32 half = 0;
#pragma unroll 1
	for (; word < end; word += STEP * STEPS) {
		bool more = word + STEP * STEPS < end;
		if (more) {
			next_a.load(a, groups_m, word + STEP * STEPS, place.row0);
			next_b.load(b, groups_n, word + STEP * STEPS, place.col0);
		}
#pragma unroll
		for (u32 s = 0; s < STEPS; s++) {
			Fragment left[DOWN], right[ACROSS];
#pragma unroll
			for (u32 i = 0; i < DOWN; i++) left[i] = as[half].at[s][(down + i) * 32 + lane];
#pragma unroll
			for (u32 j = 0; j < ACROSS; j++) right[j] = bs[half].at[s][(across + j) * 32 + lane];
#pragma unroll
			for (u32 i = 0; i < DOWN; i++)
#pragma unroll
				for (u32 j = 0; j < ACROSS * 2; j++)
					dot_tile(sums[i][j], left[i].word, right[j / 2].word[j % 2], right[j / 2].word[j % 2 + 2]);
		}
		half ^= 1;
		if (more) {
			next_a.store(as[half]);
			next_b.store(bs[half]);
		}
		__syncthreads();
	}

	u32 *target = out + (u64)place.rest * m * n;
	bool wide = n % 2 == 0;
#pragma unroll
	for (u32 i = 0; i < DOWN; i++)
#pragma unroll
		for (u32 r = 0; r < 4; r += 2) {
			u64 row = (u64)place.row0 + (down + i) * 16 + lane / 4 + r * 4;
			if (row >= m) continue;
#pragma unroll
			for (u32 j = 0; j < ACROSS * 2; j++) {
				u64 col = (u64)place.col0 + across * 16 + j * 8 + lane % 4 * 2;
				u32 *at = target + row * n + col;
				if (wide && col < n) {
					*(Words<2> *)at = Words<2>{{(u32)sums[i][j][r], (u32)sums[i][j][r + 1]}};
				} else {
					if (col < n) at[0] = (u32)sums[i][j][r];
					if (col + 1 < n) at[1] = (u32)sums[i][j][r + 1];
				}
			}
		}
}

#define MMA_I8(name, side, per_processor)                                                                         \
	KERNEL __launch_bounds__(THREADS, per_processor)                                                              \
		name(const u32 *__restrict__ a, const u32 *__restrict__ b, u32 *out, u32 m, u32 n, u32 depth,             \
			 u32 per_part) {                                                                                      \
		__shared__ SharedSteps<side> as[2];                                                                       \
		__shared__ SharedSteps<side> bs[2];                                                                       \
		one_tile<side>((const Fragment *)a, (const Fragment *)b, out, m, n, depth, per_part, as, bs);             \
	}

MMA_I8(mma_i8_large, 128, 2)
MMA_I8(mma_i8_small, 64, 4)
