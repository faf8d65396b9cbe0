// Four products of bytes at once. Exact, so there is nothing to round.
#pragma once
#include "types.cuh"

// `sum` and the products of the signed bytes of `a` and `b`.
DEVICE i32 dot4(u32 a, u32 b, i32 sum) {
#ifdef __CUDA_ARCH__
	i32 result;
	asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
	return result;
#else
	return __dp4a((i32)a, (i32)b, sum);
#endif
}
