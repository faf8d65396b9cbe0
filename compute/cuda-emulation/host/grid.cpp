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

enum class At { Idle, Ready, Barrier, Done };

struct Fiber {
	ucontext_t start;
	jmp_buf here;
	std::unique_ptr<char[]> stack;
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

} // namespace

void __syncthreads() { leave(At::Barrier); }

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

// 0: done. 1: some threads of a block ended while others waited at a barrier. 2: no memory.
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
			fiber->index = {(unsigned)(t % block.x), (unsigned)(t / block.x % block.y), (unsigned)(t / block.x / block.y)};
		}
		for (bool more = true; more;) {
			state = state * 1664525u + 1013904223u;
			size_t waiting = 0;
			for (size_t t = 0; t < threads; t++) {
				Fiber *fiber = scheduler.fibers[turn(t, threads, order, state)].get();
				resume(fiber);
				waiting += fiber->at == At::Barrier;
			}
			if (waiting != 0 && waiting != threads) {
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
