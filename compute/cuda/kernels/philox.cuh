// Philox4x32-10: primitives/program/src/philox.rs.
#pragma once
#include "types.cuh"

struct Block4 {
	u32 word[4];
};

DEVICE Block4 philox4x32_10(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {
#pragma unroll
	for (int round = 0; round < 10; round++) {
		u64 p0 = (u64)0xd2511f53u * c0;
		u64 p1 = (u64)0xcd9e8d57u * c2;
		c0 = (u32)(p1 >> 32) ^ c1 ^ k0;
		c1 = (u32)p1;
		c2 = (u32)(p0 >> 32) ^ c3 ^ k1;
		c3 = (u32)p0;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
	return Block4{{c0, c1, c2, c3}};
}
