// Sums and maxima over an axis, in the fixed order.
//
// Per segment of 4,096 elements, lane l of 32 takes the elements whose position is l modulo 32, ascending; a halving tree
// joins the lanes. A sum's lanes start from +0; a maximum's from their first element, and a lane without one takes no part.
// Each segment is work of its own; where there are several, `fold` joins them ascending.
#include "arithmetic.cuh"

constexpr u64 SEGMENT = 4096;
constexpr int LANES = 32;
// Rows (over columns) or columns (over rows) of a thread block.
constexpr int ROWS = 8;
constexpr int STRIP = 8;

struct Sum {
	static __device__ __forceinline__ F32 join(F32 a, F32 b) { return add(a, b); }
	static const bool FROM_ZERO = true;
};

struct Max {
	static __device__ __forceinline__ F32 join(F32 a, F32 b) { return larger(a, b); }
	static const bool FROM_ZERO = false;
};

// Lane `lane` of the `count` elements at `x`, `stride` words apart.
template <class How>
DEVICE F32 one_lane(const u32 *x, u64 stride, u64 count, int lane) {
	u64 position = lane;
	F32 sum = zero();
	if (!How::FROM_ZERO && position < count) {
		sum = from_bits(x[position * stride]);
		position += LANES;
	}
	for (; position < count; position += LANES) sum = How::join(sum, from_bits(x[position * stride]));
	return sum;
}

// Joins the lanes of every line of shared memory. All threads of the block call it; the result is in lane 0.
template <class How, int WIDTH>
DEVICE void join_lanes(F32 (&lanes)[LANES][WIDTH], int lane, int line, u64 count) {
	u64 present = How::FROM_ZERO || count > LANES ? LANES : count;
#pragma unroll
	for (int half = LANES / 2; half > 0; half /= 2) {
		__syncthreads();
		if (lane < half && lane + half < present) lanes[lane][line] = How::join(lanes[lane][line], lanes[lane + half][line]);
		present = present < half ? present : half;
	}
}

// [rows, cols] -> [rows, segments]. A block is 32 lanes x ROWS rows.
template <class How>
DEVICE void over_cols(const u32 *x, u32 *out, u32 *flag, u64 rows, u64 cols, u64 segments) {
	__shared__ F32 lanes[LANES][ROWS + 1];
	int lane = threadIdx.x, line = threadIdx.y;
	u64 groups = (rows + ROWS - 1) / ROWS;
	for (u64 work = blockIdx.x; work < groups * segments; work += gridDim.x) {
		u64 row = work / segments * ROWS + line, segment = work % segments;
		u64 start = segment * SEGMENT, count = cols - start < SEGMENT ? cols - start : SEGMENT;
		if (row < rows) lanes[lane][line] = one_lane<How>(x + row * cols + start, 1, count, lane);
		join_lanes<How>(lanes, lane, line, count);
		if (lane == 0 && row < rows) {
			u32 bits = to_bits(lanes[0][line]);
			out[row * segments + segment] = bits;
			check(flag, bits);
		}
		__syncthreads();
	}
}

// [rows, cols] -> [segments, cols]. A block is STRIP columns x 32 lanes.
template <class How>
DEVICE void over_rows(const u32 *x, u32 *out, u32 *flag, u64 rows, u64 cols, u64 segments) {
	__shared__ F32 lanes[LANES][STRIP + 1];
	int line = threadIdx.x, lane = threadIdx.y;
	u64 strips = (cols + STRIP - 1) / STRIP;
	for (u64 work = blockIdx.x; work < strips * segments; work += gridDim.x) {
		u64 col = work % strips * STRIP + line, segment = work / strips;
		u64 start = segment * SEGMENT, count = rows - start < SEGMENT ? rows - start : SEGMENT;
		if (col < cols) lanes[lane][line] = one_lane<How>(x + start * cols + col, cols, count, lane);
		join_lanes<How>(lanes, lane, line, count);
		if (lane == 0 && col < cols) {
			u32 bits = to_bits(lanes[0][line]);
			out[segment * cols + col] = bits;
			check(flag, bits);
		}
		__syncthreads();
	}
}

// out[i] = parts[i * item_stride] joined with parts[i * item_stride + s * part_stride], s ascending.
template <class How>
DEVICE void fold(const u32 *parts, u64 part_stride, u64 item_stride, u64 count, u32 *out, u32 *flag, u64 elements) {
	for (u64 i = first_x(); i < elements; i += stride_x()) {
		const u32 *part = parts + i * item_stride;
		F32 total = from_bits(part[0]);
		for (u64 s = 1; s < count; s++) total = How::join(total, from_bits(part[s * part_stride]));
		out[i] = to_bits(total);
		check(flag, to_bits(total));
	}
}

#define REDUCTION(name, how)                                                                                      \
	KERNEL __launch_bounds__(256) name##_over_cols(const u32 *x, u32 *out, u32 *flag, u64 rows, u64 cols,         \
												   u64 segments) {                                                \
		over_cols<how>(x, out, flag, rows, cols, segments);                                                       \
	}                                                                                                             \
	KERNEL __launch_bounds__(256) name##_over_rows(const u32 *x, u32 *out, u32 *flag, u64 rows, u64 cols,         \
												   u64 segments) {                                                \
		over_rows<how>(x, out, flag, rows, cols, segments);                                                       \
	}                                                                                                             \
	KERNEL name##_fold(const u32 *parts, u64 part_stride, u64 item_stride, u64 count, u32 *out, u32 *flag,        \
					   u64 elements) {                                                                            \
		fold<how>(parts, part_stride, item_stride, count, out, flag, elements);                                   \
	}

REDUCTION(sum, Sum)
REDUCTION(max, Max)
