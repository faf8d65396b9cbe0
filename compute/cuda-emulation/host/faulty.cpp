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

extern const Entry entries_of_faulty[];
const Entry entries_of_faulty[] = {
	ENTRY(faulty_barrier),
	ENTRY(faulty_race),
	ENTRY(faulty_bounds),
	{nullptr, nullptr, nullptr, 0},
};
