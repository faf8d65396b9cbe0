// Ops one after another on the same elements, in one launch: what lies between them stays on the processor.
//
// The host writes the ops down as instructions (`instruction.cuh`).
#include "instruction.cuh"

// Elementwise ops with outputs of one shape. A block takes THREADS * EACH elements at a time.
KERNEL __launch_bounds__(128, 6) chain(const u32 *code, u32 length, u64 rows, u64 cols, u32 key0, u32 key1, const u64 *step) {
	__shared__ Slots slots;
	const Instruction *instructions = (const Instruction *)code;
	Draws draws = {key0, key1, step};
	u64 elements = rows * cols;
	for (u64 block = blockIdx.x; block * (THREADS * EACH) < elements; block += gridDim.x) {
		// This thread's elements are THREADS apart.
		u64 first = block * (THREADS * EACH) + threadIdx.x;
		Elements of;
		of.cols = cols;
		of.inside = 0;
		of.fresh = of.leads = false;
#pragma unroll
		for (u32 i = 0; i < EACH; i++) {
			u64 element = first + i * THREADS;
			of.inside += element < elements;
			of.row[i] = rows == 1 ? 0 : element / cols;
			of.col[i] = rows == 1 ? element : element % cols;
		}
#pragma unroll 1
		for (u32 at = 0; at < length; at++) {
			Instruction now = instructions[at];
			act(slots, now, of, draws);
		}
	}
}

// Elements of a segment of a reduction, and lanes that it has: part of the contract. A warp's threads are the lanes.
constexpr u32 SEGMENT = 4096;
constexpr u32 LANES = 32;
constexpr u32 WARPS = THREADS / LANES;

DEVICE F32 join(bool sum, F32 a, F32 b) { return sum ? add(a, b) : larger(a, b); }

// Lane FIRST after the halving tree has come down to HALF: lanes from `present` on take no part.
template <u32 FIRST, u32 HALF>
struct Tree {
	static __device__ __forceinline__ F32 of(const F32 (&lanes)[LANES], bool sum, u32 present) {
		F32 lower = Tree<FIRST, HALF * 2>::of(lanes, sum, present);
		F32 upper = Tree<FIRST + HALF, HALF * 2>::of(lanes, sum, present);
		return select(FIRST + HALF < present, join(sum, lower, upper), lower);
	}
};

template <u32 FIRST>
struct Tree<FIRST, LANES> {
	static __device__ __forceinline__ F32 of(const F32 (&lanes)[LANES], bool, u32) { return lanes[FIRST]; }
};

// Where a row's segments are, and who takes them.
struct Row {
	// Warps that share the row, and the first of them.
	u32 team, first;
	u64 cols;
};

// Joins the lanes of the segments from column `base` on, which the team's warps took, and them to those before, ascending. All
// threads of the block call it; all of a row have the result after the row's last segment.
DEVICE void join_lanes(Slots &slots, F32 (&lanes)[WARPS][LANES], const Instruction &now, Row row, u64 base, bool there) {
	bool sum = now.code == SUM, last = row.cols - base <= (u64)row.team * SEGMENT;
	lanes[threadIdx.x / LANES][threadIdx.x % LANES] = from_bits(slots[now.to][0][threadIdx.x]);
	__syncthreads();
	F32 total = from_bits(slots[now.to][1][threadIdx.x]);
#pragma unroll 1
	for (u32 i = 0; i < row.team && base + i * SEGMENT < row.cols; i++) {
		u64 left = row.cols - base - i * SEGMENT;
		u32 present = !sum && left < LANES ? (u32)left : LANES;
		F32 segment = Tree<0, 1>::of(lanes[row.first + i], sum, present);
		total = base == 0 && i == 0 ? segment : join(sum, total, segment);
	}
	slots[now.to][1][threadIdx.x] = to_bits(total);
	if (last) {
#pragma unroll
		for (u32 i = 0; i < EACH; i++) slots[now.to][i][threadIdx.x] = to_bits(total);
		if (there) check(now.at, to_bits(total));
	}
	// The lanes are free for the next ones.
	__syncthreads();
}

// Ops that go row by row, and sums and maxima over columns among them. A row belongs to `team` warps, 1 or all of the block; a
// segment of it belongs to one. What there is once for a row is the same in all of their threads.
KERNEL __launch_bounds__(128, 6) chain_rows(const u32 *code, u32 length, u64 rows, u64 cols, u32 team, u32 key0, u32 key1,
										 const u64 *step) {
	__shared__ Slots slots;
	__shared__ F32 lanes[WARPS][LANES];
	const Instruction *instructions = (const Instruction *)code;
	Draws draws = {key0, key1, step};
	u32 warp = threadIdx.x / LANES, lane = threadIdx.x % LANES, member = warp % team;
	Row place = {team, warp - member, cols};
	u64 at_once = WARPS / team;
	Elements of;
	of.cols = cols;
	of.leads = member == 0 && lane == 0;
	for (u64 start = blockIdx.x * at_once; start < rows; start += gridDim.x * at_once) {
		u64 row = start + warp / team;
		bool there = row < rows;
#pragma unroll
		for (u32 i = 0; i < EACH; i++) of.row[i] = row;
#pragma unroll 1
		for (u32 at = 0; at < length;) {
			u32 count = instructions[at].a;
			bool across = instructions[at].b != 0;
			const Instruction *section = instructions + at + 1;
			at += count + 1;
			u64 extent = across ? cols : 1;
#pragma unroll 1
			for (u64 base = 0; base < extent; base += (u64)team * SEGMENT) {
				u64 first = across ? base + member * SEGMENT : 0;
				u64 left = there && first < extent ? extent - first : 0;
				if (left > SEGMENT) left = SEGMENT;
#pragma unroll 1
				for (u64 done = 0; done < left; done += LANES * EACH) {
					of.inside = across ? 0 : EACH;
					of.fresh = done == 0;
#pragma unroll
					for (u32 i = 0; i < EACH; i++) {
						u64 within = done + i * LANES + lane;
						of.col[i] = across ? first + within : 0;
						if (across) of.inside += within < left;
					}
#pragma unroll 1
					for (u32 i = 0; i < count; i++) {
						Instruction now = section[i];
						act(slots, now, of, draws);
					}
				}
				if (!across) continue;
#pragma unroll 1
				for (u32 i = 0; i < count; i++) {
					Instruction now = section[i];
					if (now.code == SUM || now.code == MOST) join_lanes(slots, lanes, now, place, base, there);
				}
			}
		}
	}
}
