// Products of bytes added to 32-bit integers. Exact, so there is nothing to round and no order that matters.
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

// On a tensor core, all 32 threads of a warp together: `sums` plus a 16 x 32 matrix times a 32 x 8 one. Of lane 4 g + t,
//
//   a[r]           holds row g + 8 (r mod 2), inner indices 16 (r / 2) + 4 t to + 3,
//   b0 and b1      hold column g, inner indices 4 t to + 3 and 16 + 4 t to + 3,
//   sums[r]        is row g + 8 (r / 2), column 2 t + r mod 2.
//
// From compute capability 8.0 on.
DEVICE void dot_tile(i32 (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef __CUDA_ARCH__
	asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
				 : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
				 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
	__mma_m16n8k32(sums, a, b0, b1);
#endif
}
