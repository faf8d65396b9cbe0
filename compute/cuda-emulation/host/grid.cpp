// Runs a grid: block after block, the threads of a block as coroutines that take turns at barriers.
//
// A coroutine begins on a stack of its own through makecontext; after that, switches are _setjmp and _longjmp, which make
// no system call. Stacks are kept for the next block.
#include "cuda.h"

#include <csetjmp>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include <ucontext.h>

thread_local Index3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

const size_t STACK = 128 << 10;

const size_t WARP = 32;

enum class At { Idle, Ready, Warp, Barrier, Done };

struct Fiber {
	ucontext_t start;
	jmp_buf here;
	std::unique_ptr<char[]> stack;
	// What this lane gave to the last two products of its warp: a third one begins when all have read the first.
	unsigned given[2][6];
	bool second = false;
	bool started = false;
	At at = At::Idle;
	Index3 index = {0, 0, 0};
};

struct Scheduler {
	std::vector<std::unique_ptr<Fiber>> fibers;
	jmp_buf home;
	Fiber *running = nullptr;
	void (*call)(void *const *) = nullptr;
	void *const *arguments = nullptr;
};

thread_local Scheduler scheduler;

// Back to the scheduler, until it resumes this thread.
void leave(At at) {
	Fiber *self = scheduler.running;
	self->at = at;
	if (_setjmp(self->here) == 0) _longjmp(scheduler.home, 1);
}

// A coroutine runs one thread after another.
void body() {
	for (;;) {
		scheduler.call(scheduler.arguments);
		leave(At::Done);
	}
}

void resume(Fiber *fiber) {
	scheduler.running = fiber;
	threadIdx = fiber->index;
	if (_setjmp(scheduler.home) != 0) return;
	if (fiber->started) _longjmp(fiber->here, 1);
	fiber->started = true;
	setcontext(&fiber->start);
}

bool make_fibers(size_t count) {
	while (scheduler.fibers.size() < count) {
		std::unique_ptr<Fiber> fiber(new (std::nothrow) Fiber);
		if (!fiber) return false;
		fiber->stack.reset(new (std::nothrow) char[STACK]);
		if (!fiber->stack || getcontext(&fiber->start) != 0) return false;
		fiber->start.uc_stack.ss_sp = fiber->stack.get();
		fiber->start.uc_stack.ss_size = STACK;
		fiber->start.uc_link = nullptr;
		makecontext(&fiber->start, body, 0);
		scheduler.fibers.push_back(std::move(fiber));
	}
	return true;
}

// The order in which threads, and blocks, get their turns: ascending, descending, or scattered anew at every barrier.
size_t turn(size_t i, size_t count, int order, unsigned state) {
	if (order == 0) return i;
	if (order == 1) return count - 1 - i;
	// i * step + offset visits everything: the step is odd, and made coprime to the count.
	size_t step = state >> 8 | 1;
	auto divides = [](size_t a, size_t b) {
		while (b != 0) {
			size_t rest = a % b;
			a = b;
			b = rest;
		}
		return a;
	};
	while (divides(step, count) != 1) step += 2;
	return (i * (step % count) + state % count) % count;
}

// Lets the warps go on of which every thread waits for the others.
bool release_warps(size_t threads) {
	bool released = false;
	for (size_t first = 0; first < threads; first += WARP) {
		size_t end = first + WARP < threads ? first + WARP : threads;
		// The products take a whole warp.
		bool all = end - first == WARP;
		for (size_t t = first; t < end; t++) all &= scheduler.fibers[t]->at == At::Warp;
		for (size_t t = first; all && t < end; t++) scheduler.fibers[t]->at = At::Ready;
		released |= all;
	}
	return released;
}

int signed_byte(unsigned word, unsigned index) { return (signed char)(word >> (8 * index)); }

} // namespace

void __syncthreads() { leave(At::Barrier); }
void __syncwarp() { leave(At::Warp); }

// Where a lane's words lie in the matrices is said at `dot_tile` in dot.cuh, from the manual of PTX.
void __mma_m16n8k32(int (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
	size_t thread = threadIdx.x + (size_t)blockDim.x * (threadIdx.y + (size_t)blockDim.y * threadIdx.z);
	size_t first = thread / WARP * WARP, lane = thread % WARP;
	Fiber *self = scheduler.fibers[thread].get();
	unsigned (&mine)[6] = self->given[self->second];
	for (size_t i = 0; i < 4; i++) mine[i] = a[i];
	mine[4] = b0;
	mine[5] = b1;
	size_t turn = self->second;
	self->second = !self->second;
	__syncwarp();
	for (unsigned r = 0; r < 4; r++) {
		size_t row = lane / 4 + r / 2 * 8, col = lane % 4 * 2 + r % 2;
		for (size_t k = 0; k < 32; k++) {
			const Fiber &left = *scheduler.fibers[first + row % 8 * 4 + k % 16 / 4];
			const Fiber &right = *scheduler.fibers[first + col * 4 + k % 16 / 4];
			int x = signed_byte(left.given[turn][row / 8 + k / 16 * 2], k % 4);
			int y = signed_byte(right.given[turn][4 + k / 16], k % 4);
			sums[r] = (int)((unsigned)sums[r] + (unsigned)(x * y));
		}
	}
}

extern const Entry *const modules[];

extern "C" {

// The entry of that name, or null.
const Entry *assay_entry(const char *name) {
	for (const Entry *const *module = modules; *module != nullptr; module++)
		for (const Entry *entry = *module; entry->name != nullptr; entry++)
			if (std::strcmp(entry->name, name) == 0) return entry;
	return nullptr;
}

size_t assay_parameters(const Entry *entry) { return entry->count; }
size_t assay_parameter_size(const Entry *entry, size_t index) { return entry->sizes[index]; }

// 0: done. 1: some threads of a block, or of a warp, ended or went elsewhere while others waited. 2: no memory.
int assay_launch(const Entry *entry, Index3 grid, Index3 block, void *const *arguments, int order) {
	size_t threads = (size_t)block.x * block.y * block.z;
	size_t blocks = (size_t)grid.x * grid.y * grid.z;
	if (!make_fibers(threads)) return 2;
	scheduler.call = entry->call;
	scheduler.arguments = arguments;
	gridDim = grid;
	blockDim = block;
	unsigned state = 0x9e3779b9u;
	for (size_t b = 0; b < blocks; b++) {
		size_t at = turn(b, blocks, order, 0x51ed270bu);
		blockIdx = {(unsigned)(at % grid.x), (unsigned)(at / grid.x % grid.y), (unsigned)(at / grid.x / grid.y)};
		for (size_t t = 0; t < threads; t++) {
			Fiber *fiber = scheduler.fibers[t].get();
			fiber->at = At::Ready;
			fiber->second = false;
			fiber->index = {(unsigned)(t % block.x), (unsigned)(t / block.x % block.y), (unsigned)(t / block.x / block.y)};
		}
		for (bool more = true; more;) {
			state = state * 1664525u + 1013904223u;
			size_t waiting = 0, done = 0;
			for (size_t t = 0; t < threads; t++) {
				Fiber *fiber = scheduler.fibers[turn(t, threads, order, state)].get();
				if (fiber->at == At::Ready) resume(fiber);
				waiting += fiber->at == At::Barrier;
				done += fiber->at == At::Done;
			}
			if (release_warps(threads)) continue;
			if (waiting == threads)
				for (size_t t = 0; t < threads; t++) scheduler.fibers[t]->at = At::Ready;
			else if (done != threads) {
				// Stacks of waiting threads hold frames that nobody will return to.
				scheduler.fibers.clear();
				return 1;
			}
			more = waiting != 0;
		}
	}
	return 0;
}

} // extern "C"
