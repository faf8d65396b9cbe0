// Instructions of the kernels in `chain.cu`: ops on values that lie in slots of shared memory which no other thread reads.
//
// All threads follow the same instructions, each for EACH elements. Every op looks for infinities and NaNs of its own, like
// the kernels of single ops.
#pragma once
#include "integer.cuh"
#include "philox.cuh"
#include "saturating.cuh"
#include "trigonometry.cuh"

constexpr u32 SLOTS = 8;
constexpr u32 EACH = 4;
constexpr u32 THREADS = 128;
// In the place of a slot: the constant `d`.
constexpr u32 IMMEDIATE = SLOTS;

// By its code:
//
//   FETCH      slot `to`: the word at `at` + row * b + col * a, or `c` where `at` is null
//   STORE      slot `a` to the element at `at`
//   STORE_ROW  slot `a` to the row's word at `at`
//   ..._BYTE   the same of bytes
//   SECTION    the next `a` instructions go over the columns of a row if `b` is 1, else they are done once for it
//   SUM, MOST  slot `to`: sum or maximum of slot `a` over the columns; known when its section is done
//   CAUSAL     slot `a` where the column is at most the row modulo `b` plus `d`, else `c`
//   DROPOUT    slot `a` times `c` where the draw of stream `d` is below `b`, else +0
//   ONE_HOT    1 where slot `a` is the column, else +0
//   others     slot `to` from slots `a`, `b`, `c`
//
// Of an op, the word at `at` is set if the result is infinite or NaN, unless `at` is null.
struct alignas(16) Instruction {
	u32 code, to, a, b, c, d;
	u32 *at;
};

// The numbers are those of compute/cuda/src/chain/instruction.rs.
enum Code : u32 {
	FETCH, STORE, NEG, ABS, RELU, EXP, LOG, TANH, SQRT, SIGMOID, ERF, SIN, COS, RSQRT,
	ADD, SUB, MUL, DIV, MAX, MIN, GREATER, FMA, QUANTISE, DEQUANTISE,
	CAUSAL, DROPOUT, ONE_HOT, SUM, MOST, STORE_ROW, SECTION, STORE_BYTE, STORE_ROW_BYTE,
};

typedef u32 Slots[SLOTS][EACH][THREADS];

// Which elements are this thread's.
struct Elements {
	u64 row[EACH], col[EACH];
	// Columns of the matrix.
	u64 cols;
	// How many of them are in it: the first ones.
	u32 inside;
	// Whether they are the first that a reduction takes.
	bool fresh;
	// Whether this thread writes what there is once for a row.
	bool leads;
};

// What draws depend on.
struct Draws {
	u32 key0, key1;
	const u64 *step;
};

DEVICE u32 operand(const Slots &slots, const Instruction &now, u32 slot, u32 i) {
	u32 held = slots[slot % SLOTS][i][threadIdx.x];
	return slot == IMMEDIATE ? now.d : held;
}

// One op on this thread's elements.
template <class Op>
DEVICE void each(Slots &slots, const Instruction &now, const Elements &of, Op op) {
	bool bad = false;
#pragma unroll
	for (u32 i = 0; i < EACH; i++) {
		u32 a = operand(slots, now, now.a, i), b = operand(slots, now, now.b, i), c = operand(slots, now, now.c, i);
		u32 bits = op(a, b, c);
		slots[now.to][i][threadIdx.x] = bits;
		bad |= i < of.inside && is_non_finite(bits);
	}
	if (now.at != nullptr && bad) *now.at = 1;
}

// The same where the place of an element matters, and `b` and `c` are numbers of the instruction.
template <class Op>
DEVICE void each_at(Slots &slots, const Instruction &now, const Elements &of, Op op) {
	bool bad = false;
#pragma unroll
	for (u32 i = 0; i < EACH; i++) {
		u32 bits = op(slots[now.a][i][threadIdx.x], of.row[i], of.col[i]);
		slots[now.to][i][threadIdx.x] = bits;
		bad |= i < of.inside && is_non_finite(bits);
	}
	if (now.at != nullptr && bad) *now.at = 1;
}

// The word of an element's draw: word e mod 4 of block e / 4.
DEVICE u32 draw_of(const Draws &draws, u32 stream, u64 element) {
	u64 step = *draws.step;
	Block4 block = philox4x32_10((u32)(element / 4), stream, (u32)step, (u32)(step >> 32), draws.key0, draws.key1);
	u32 low = element & 1 ? block.word[1] : block.word[0], high = element & 1 ? block.word[3] : block.word[2];
	return element & 2 ? high : low;
}

// Adds this thread's elements to its lane of a reduction, ascending. A sum begins at +0, a maximum with its first element.
DEVICE void gather(Slots &slots, const Instruction &now, const Elements &of) {
	F32 lane = of.fresh ? zero() : from_bits(slots[now.to][0][threadIdx.x]);
#pragma unroll
	for (u32 i = 0; i < EACH; i++) {
		F32 x = from_bits(slots[now.a][i][threadIdx.x]);
		F32 joined = now.code == SUM ? add(lane, x) : of.fresh && i == 0 ? x : larger(lane, x);
		lane = select(i < of.inside, joined, lane);
	}
	slots[now.to][0][threadIdx.x] = to_bits(lane);
}

#define ONE(name, value)                                                                                \
	case name:                                                                                          \
		each(slots, now, of, [](u32 x, u32, u32) {                                                      \
			F32 a = from_bits(x);                                                                       \
			return to_bits(value);                                                                      \
		});                                                                                             \
		break;
#define TWO(name, value)                                                                                \
	case name:                                                                                          \
		each(slots, now, of, [](u32 x, u32 y, u32) {                                                    \
			F32 a = from_bits(x), b = from_bits(y);                                                     \
			return to_bits(value);                                                                      \
		});                                                                                             \
		break;

// Does an instruction.
DEVICE void act(Slots &slots, const Instruction &now, const Elements &of, const Draws &draws) {
	switch (now.code) {
		case FETCH:
#pragma unroll
			for (u32 i = 0; i < EACH; i++) {
				bool there = now.at != nullptr && i < of.inside;
				slots[now.to][i][threadIdx.x] = there ? now.at[of.row[i] * now.b + of.col[i] * now.a] : now.c;
			}
			break;
		case STORE:
#pragma unroll
			for (u32 i = 0; i < EACH; i++)
				if (i < of.inside) now.at[of.row[i] * of.cols + of.col[i]] = slots[now.a][i][threadIdx.x];
			break;
		case STORE_ROW:
			if (of.leads) now.at[of.row[0]] = slots[now.a][0][threadIdx.x];
			break;
		case STORE_BYTE:
#pragma unroll
			for (u32 i = 0; i < EACH; i++)
				if (i < of.inside) ((u8 *)now.at)[of.row[i] * of.cols + of.col[i]] = (u8)slots[now.a][i][threadIdx.x];
			break;
		case STORE_ROW_BYTE:
			if (of.leads) ((u8 *)now.at)[of.row[0]] = (u8)slots[now.a][0][threadIdx.x];
			break;
		case SUM:
		case MOST:
			gather(slots, now, of);
			break;
		ONE(NEG, negative(a))
		ONE(ABS, magnitude(a))
		ONE(RELU, select(less(zero(), a), a, zero()))
		ONE(EXP, exp(a))
		ONE(LOG, log(a))
		ONE(TANH, tanh(a))
		ONE(SQRT, square_root(a))
		ONE(SIGMOID, sigmoid(a))
		ONE(ERF, erf(a))
		ONE(SIN, sin(a))
		ONE(COS, cos(a))
		ONE(RSQRT, rsqrt(a))
		TWO(ADD, add(a, b))
		TWO(SUB, sub(a, b))
		TWO(MUL, mul(a, b))
		TWO(DIV, div(a, b))
		TWO(MAX, larger(a, b))
		TWO(MIN, smaller(a, b))
		TWO(GREATER, select(less(b, a), one(), zero()))
		case FMA:
			each(slots, now, of,
				 [](u32 x, u32 y, u32 z) { return to_bits(fma(from_bits(x), from_bits(y), from_bits(z))); });
			break;
		case QUANTISE:
			each(slots, now, of, [](u32 x, u32 y, u32) { return (u32)quantised(from_bits(x), from_bits(y)); });
			break;
		case DEQUANTISE:
			each(slots, now, of, [](u32 x, u32 y, u32 z) {
				return to_bits(dequantised((i32)x, from_bits(y), from_bits(z)));
			});
			break;
		case CAUSAL:
			each_at(slots, now, of,
					[=](u32 x, u64 row, u64 col) { return col <= (u64)((u32)row % now.b) + now.d ? x : now.c; });
			break;
		case DROPOUT:
			each_at(slots, now, of, [=](u32 x, u64 row, u64 col) {
				bool kept = draw_of(draws, now.d, row * of.cols + col) < now.b;
				return kept ? to_bits(mul(from_bits(x), from_bits(now.c))) : 0;
			});
			break;
		case ONE_HOT:
			each_at(slots, now, of, [=](u32 x, u64, u64 col) { return x == col ? 0x3f800000u : 0u; });
			break;
	}
}
