// The BLAKE3 compression of one block, plain hash mode (no key).
#pragma once
#include "types.cuh"

constexpr u32 CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8;

struct Cv {
	u32 word[8];
};

DEVICE Cv blake3_iv() {
	return Cv{{0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u}};
}

DEVICE u32 rotate(u32 x, int by) { return (x >> by) | (x << (32 - by)); }

DEVICE void mix(u32 &a, u32 &b, u32 &c, u32 &d, u32 x, u32 y) {
	a = a + b + x;
	d = rotate(d ^ a, 16);
	c = c + d;
	b = rotate(b ^ c, 12);
	a = a + b + y;
	d = rotate(d ^ a, 8);
	c = c + d;
	b = rotate(b ^ c, 7);
}

// Message words of each round, as a permutation applied again and again.
DEVICE void permute(u32 (&m)[16]) {
	const int from[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
	u32 old[16];
#pragma unroll
	for (int i = 0; i < 16; i++) old[i] = m[i];
#pragma unroll
	for (int i = 0; i < 16; i++) m[i] = old[from[i]];
}

// A whole block of 64 bytes. `counter` is the chunk's number, 0 for parents.
DEVICE Cv compress(Cv cv, u32 (&m)[16], u64 counter, u32 flags) {
	Cv iv = blake3_iv();
	u32 v[16];
#pragma unroll
	for (int i = 0; i < 8; i++) v[i] = cv.word[i];
#pragma unroll
	for (int i = 0; i < 4; i++) v[8 + i] = iv.word[i];
	v[12] = (u32)counter;
	v[13] = (u32)(counter >> 32);
	v[14] = 64;
	v[15] = flags;
#pragma unroll
	for (int round = 0; round < 7; round++) {
		mix(v[0], v[4], v[8], v[12], m[0], m[1]);
		mix(v[1], v[5], v[9], v[13], m[2], m[3]);
		mix(v[2], v[6], v[10], v[14], m[4], m[5]);
		mix(v[3], v[7], v[11], v[15], m[6], m[7]);
		mix(v[0], v[5], v[10], v[15], m[8], m[9]);
		mix(v[1], v[6], v[11], v[12], m[10], m[11]);
		mix(v[2], v[7], v[8], v[13], m[12], m[13]);
		mix(v[3], v[4], v[9], v[14], m[14], m[15]);
		if (round < 6) permute(m);
	}
	Cv out;
#pragma unroll
	for (int i = 0; i < 8; i++) out.word[i] = v[i] ^ v[8 + i];
	return out;
}

DEVICE Cv parent(Cv left, Cv right, bool root) {
	u32 m[16];
#pragma unroll
	for (int i = 0; i < 8; i++) {
		m[i] = left.word[i];
		m[8 + i] = right.word[i];
	}
	return compress(blake3_iv(), m, 0, PARENT | (root ? ROOT : 0));
}
