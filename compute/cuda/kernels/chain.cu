// Elementwise ops one after another on the same elements, in one launch: what lies between them stays on the processor.
//
// The host writes the ops down as instructions; all threads follow the same ones, each for EACH elements, whose values lie in
// slots of shared memory that no other thread reads. Every op of a chain looks for infinities and NaNs of its own, like the
// kernels of single ops.
#include "integer.cuh"
#include "saturating.cuh"
#include "trigonometry.cuh"

constexpr u32 SLOTS = 16;
constexpr u32 EACH = 4;
constexpr u32 LANES = 128;

// By its code:
//
//   FETCH   to slot `to`: the word at `at` + row * b + col * a, or `c` where `at` is null
//   STORE   slot `a` to the element at `at`
//   others  slot `to` from slots `a`, `b`, `c`; a word at `at` is set if the result is infinite or NaN, unless `at` is null
struct alignas(16) Instruction {
	u32 code, to, a, b, c, unused;
	u32 *at;
};

// The numbers are those of compute/cuda/src/chain/instruction.rs.
enum Code : u32 {
	FETCH, STORE, NEG, ABS, RELU, EXP, LOG, TANH, SQRT, SIGMOID, ERF, SIN, COS, RSQRT,
	ADD, SUB, MUL, DIV, MAX, MIN, GREATER, FMA, QUANTISE, DEQUANTISE,
};

typedef u32 Slots[SLOTS][EACH][LANES];

// One op on this thread's elements, of which the first `inside` are in the matrix.
template <class Op>
DEVICE void each(Slots &slots, const Instruction &now, u32 inside, Op op) {
	bool bad = false;
#pragma unroll
	for (u32 i = 0; i < EACH; i++) {
		u32 bits = op(slots[now.a][i][threadIdx.x], slots[now.b][i][threadIdx.x], slots[now.c][i][threadIdx.x]);
		slots[now.to][i][threadIdx.x] = bits;
		bad |= i < inside && is_non_finite(bits);
	}
	if (now.at != nullptr && bad) *now.at = 1;
}

#define ONE(name, value)                                                                                \
	case name:                                                                                          \
		each(slots, now, inside, [](u32 x, u32, u32) {                                                  \
			F32 a = from_bits(x);                                                                       \
			return to_bits(value);                                                                      \
		});                                                                                             \
		break;
#define TWO(name, value)                                                                                \
	case name:                                                                                          \
		each(slots, now, inside, [](u32 x, u32 y, u32) {                                                \
			F32 a = from_bits(x), b = from_bits(y);                                                     \
			return to_bits(value);                                                                      \
		});                                                                                             \
		break;

KERNEL __launch_bounds__(128) chain(const u32 *code, u32 length, u64 rows, u64 cols) {
	__shared__ Slots slots;
	const Instruction *instructions = (const Instruction *)code;
	u64 elements = rows * cols;
	for (u64 block = blockIdx.x; block * (LANES * EACH) < elements; block += gridDim.x) {
		// This thread's elements are LANES apart.
		u64 first = block * (LANES * EACH) + threadIdx.x;
		u32 inside = 0;
		u64 row[EACH], col[EACH];
#pragma unroll
		for (u32 i = 0; i < EACH; i++) {
			u64 element = first + i * LANES;
			inside += element < elements;
			row[i] = rows == 1 ? 0 : element / cols;
			col[i] = rows == 1 ? element : element % cols;
		}
#pragma unroll 1
		for (u32 at = 0; at < length; at++) {
			Instruction now = instructions[at];
			switch (now.code) {
				case FETCH:
#pragma unroll
					for (u32 i = 0; i < EACH; i++) {
						bool there = now.at != nullptr && i < inside;
						slots[now.to][i][threadIdx.x] = there ? now.at[row[i] * now.b + col[i] * now.a] : now.c;
					}
					break;
				case STORE:
#pragma unroll
					for (u32 i = 0; i < EACH; i++)
						if (i < inside) now.at[first + i * LANES] = slots[now.a][i][threadIdx.x];
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
					each(slots, now, inside, [](u32 x, u32 y, u32 z) {
						return to_bits(fma(from_bits(x), from_bits(y), from_bits(z)));
					});
					break;
				case QUANTISE:
					each(slots, now, inside, [](u32 x, u32 y, u32) { return (u32)quantised(from_bits(x), from_bits(y)); });
					break;
				case DEQUANTISE:
					each(slots, now, inside, [](u32 x, u32 y, u32 z) {
						return to_bits(dequantised((i32)x, from_bits(y), from_bits(z)));
					});
					break;
			}
		}
	}
}
