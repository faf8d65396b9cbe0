// The root of a tensor: plain BLAKE3 of its canonical bytes, which are never written out.
//
// A matrix of several rows is cut into 32 x 32 tiles, row-major over the grid and inside the tile; one row is a run of
// elements. Both are padded with zeros to 4 KiB. A chunk is 8 rows of a tile, or 256 elements of a run. Tiles of bytes are
// 64 x 64.
#include "blake3.cuh"

// One thread per chunk. `grid_cols` is the tiles across, 0 for one row.
KERNEL __launch_bounds__(128)
	chunk_cvs(const u32 *x, u64 rows, u64 cols, u64 grid_cols, u32 *cvs, u64 chunks) {
	for (u64 chunk = first_x(); chunk < chunks; chunk += stride_x()) {
		u64 tile = chunk / 4;
		u64 row0 = grid_cols == 0 ? 0 : tile / grid_cols * 32 + chunk % 4 * 8;
		u64 col0 = grid_cols == 0 ? chunk * 256 : tile % grid_cols * 32;
		Cv cv = blake3_iv();
#pragma unroll 1
		for (u32 block = 0; block < 16; block++) {
			u64 row = grid_cols == 0 ? 0 : row0 + block / 2;
			u64 col = grid_cols == 0 ? col0 + block * 16 : col0 + block % 2 * 16;
			u32 m[16];
#pragma unroll
			for (int i = 0; i < 16; i++) m[i] = row < rows && col + i < cols ? x[row * cols + col + i] : 0;
			cv = compress(cv, m, chunk, (block == 0 ? CHUNK_START : 0) | (block == 15 ? CHUNK_END : 0));
		}
#pragma unroll
		for (int i = 0; i < 8; i++) cvs[chunk * 8 + i] = cv.word[i];
	}
}

// The same of bytes: tiles are 64 x 64, a chunk is 16 rows of one or 1,024 elements of a run,
// and a row of a tile is one block of the hash.
KERNEL __launch_bounds__(128)
	chunk_cvs_i8(const u8 *x, u64 rows, u64 cols, u64 grid_cols, u32 *cvs, u64 chunks) {
	for (u64 chunk = first_x(); chunk < chunks; chunk += stride_x()) {
		u64 tile = chunk / 4;
		u64 row0 = grid_cols == 0 ? 0 : tile / grid_cols * 64 + chunk % 4 * 16;
		u64 col0 = grid_cols == 0 ? chunk * 1024 : tile % grid_cols * 64;
		Cv cv = blake3_iv();
#pragma unroll 1
		for (u32 block = 0; block < 16; block++) {
			u64 row = grid_cols == 0 ? 0 : row0 + block;
			u64 col = grid_cols == 0 ? col0 + block * 64 : col0;
			u32 m[16];
#pragma unroll
			for (int i = 0; i < 16; i++) {
				u64 at = col + i * 4;
				const u8 *bytes = x + row * cols + at;
				m[i] = 0;
				if (row < rows && at + 3 < cols && (u64)bytes % 4 == 0) {
					m[i] = *(const u32 *)bytes;
				} else {
#pragma unroll
					for (int byte = 0; byte < 4; byte++)
						if (row < rows && at + byte < cols) m[i] |= (u32)bytes[byte] << (8 * byte);
				}
			}
			cv = compress(cv, m, chunk, (block == 0 ? CHUNK_START : 0) | (block == 15 ? CHUNK_END : 0));
		}
#pragma unroll
		for (int i = 0; i < 8; i++) cvs[chunk * 8 + i] = cv.word[i];
	}
}

// Nodes that one thread block joins; a power of two, so every full group is a subtree.
constexpr int GROUP = 512;

// Joins each GROUP of `count` nodes to one. Pairs are joined level by level, and an odd node at the end moves up as it is:
// that is the left-balanced tree. If there is one group its last pair is the root.
KERNEL __launch_bounds__(256) join_cvs(const u32 *cvs, u32 *out, u64 count) {
	__shared__ Cv nodes[GROUP];
	u64 groups = (count + GROUP - 1) / GROUP;
	for (u64 group = blockIdx.x; group < groups; group += gridDim.x) {
		u64 left_over = count - group * GROUP;
		int len = left_over < GROUP ? (int)left_over : GROUP;
		for (int i = threadIdx.x; i < len; i += blockDim.x)
#pragma unroll
			for (int w = 0; w < 8; w++) nodes[i].word[w] = cvs[(group * GROUP + i) * 8 + w];
		__syncthreads();
		while (len > 1) {
			int above = (len + 1) / 2, at = threadIdx.x;
			Cv node;
			if (at < above)
				node = at * 2 + 1 < len ? parent(nodes[at * 2], nodes[at * 2 + 1], groups == 1 && len == 2) : nodes[at * 2];
			__syncthreads();
			if (at < above) nodes[at] = node;
			__syncthreads();
			len = above;
		}
		if (threadIdx.x < 8) out[group * 8 + threadIdx.x] = nodes[0].word[threadIdx.x];
		__syncthreads();
	}
}
