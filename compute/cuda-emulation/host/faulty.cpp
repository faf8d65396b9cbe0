// Kernels with mistakes, to see that the emulation finds them.
#include "cuda.h"

// Half of the threads never reach the barrier.
static void faulty_barrier(unsigned *out) {
	if (threadIdx.x % 2 == 0) {
		out[threadIdx.x] = 1;
		__syncthreads();
	}
}

// Reads what a neighbour may not have written yet.
static void faulty_race(unsigned *out) {
	__shared__ unsigned word[64];
	word[threadIdx.x] = 0;
	__syncthreads();
	word[threadIdx.x] = threadIdx.x + 1;
	out[threadIdx.x] = word[(threadIdx.x + 1) % 64];
}

// Writes one word past its buffer.
static void faulty_bounds(unsigned *out, unsigned long long words) {
	if (threadIdx.x == 0) out[words] = 1;
}

// The upper half of each warp goes elsewhere.
static void faulty_warp(unsigned *out) {
	int sums[4] = {0, 0, 0, 0};
	unsigned a[4] = {1, 1, 1, 1};
	if (threadIdx.x % 32 < 16) __mma_m16n8k32(sums, a, 1, 1);
	out[threadIdx.x] = (unsigned)sums[0];
}

// A warp multiplies tiles of which a lane may not have written its part yet.
static void faulty_tile(unsigned *out) {
	__shared__ unsigned word[64];
	word[threadIdx.x] = threadIdx.x;
	__syncthreads();
	word[threadIdx.x] += 5;
	int sums[4] = {0, 0, 0, 0};
	unsigned a[4] = {1, 2, 3, word[(threadIdx.x + 7) % 64]};
	__mma_m16n8k32(sums, a, word[(threadIdx.x + 1) % 64], 3);
	out[threadIdx.x] = (unsigned)sums[2];
}

extern const Entry entries_of_faulty[];
const Entry entries_of_faulty[] = {
	ENTRY(faulty_barrier),
	ENTRY(faulty_race),
	ENTRY(faulty_bounds),
	ENTRY(faulty_warp),
	ENTRY(faulty_tile),
	{nullptr, nullptr, nullptr, 0},
};
