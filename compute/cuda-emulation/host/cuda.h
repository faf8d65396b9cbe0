// The words of CUDA C++ that the kernels use, for the machine's own compiler.
//
// A thread of the grid is a coroutine; threads of a block take turns, and __syncthreads lets the others go first; what a warp
// does together waits for the warp only.
#pragma once
#include <cfloat>
#include <cstddef>
#include <cstring>
#include <utility>

static_assert(FLT_EVAL_METHOD == 0, "float operations must round to float; on 32-bit x86 compile with -msse2 -mfpmath=sse");
static_assert(sizeof(unsigned long long) == 8 && sizeof(unsigned) == 4, "words as on a device");

struct Index3 {
	unsigned x, y, z;
};

// Of the thread that runs.
extern thread_local Index3 threadIdx, blockIdx, blockDim, gridDim;

void __syncthreads();
// Waits for the threads of this thread's warp.
void __syncwarp();

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
// Blocks run one after another, so one copy serves them all.
#define __shared__ static thread_local

inline unsigned __float_as_uint(float x) {
	unsigned bits;
	std::memcpy(&bits, &x, 4);
	return bits;
}

inline float __uint_as_float(unsigned bits) {
	float x;
	std::memcpy(&x, &bits, 4);
	return x;
}

// Each is one operation: the build forbids contraction.
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

// `sum` and the products of the bytes of `a` and `b`, which have signs.
inline int __dp4a(int a, int b, int sum) {
	for (int i = 0; i < 4; i++) {
		int product = (signed char)((unsigned)a >> (8 * i)) * (signed char)((unsigned)b >> (8 * i));
		sum = (int)((unsigned)sum + (unsigned)product);
	}
	return sum;
}

// 16 x 32 bytes times 32 x 8 bytes, by a whole warp: `sums` of this lane. In grid.cpp.
void __mma_m16n8k32(int (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1);

// A kernel by name, with the sizes of its parameters.
struct Entry {
	const char *name;
	void (*call)(void *const *arguments);
	const size_t *sizes;
	size_t count;
};

template <auto KERNEL_FUNCTION, class F>
struct Thunk;

template <auto KERNEL_FUNCTION, class... A>
struct Thunk<KERNEL_FUNCTION, void (*)(A...)> {
	static constexpr size_t SIZES[] = {sizeof(A)...};

	template <size_t... I>
	static void apply(void *const *arguments, std::index_sequence<I...>) {
		KERNEL_FUNCTION(*static_cast<A *>(arguments[I])...);
	}
	static void call(void *const *arguments) { apply(arguments, std::index_sequence_for<A...>{}); }
};

#define ENTRY(name)                                                                                                   \
	{#name, Thunk<&name, decltype(&name)>::call, Thunk<&name, decltype(&name)>::SIZES,                                \
	 sizeof(Thunk<&name, decltype(&name)>::SIZES) / sizeof(size_t)}
