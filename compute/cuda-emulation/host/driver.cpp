// A library with the names of NVIDIA's driver that runs kernels in the emulation, to check the code that talks to the
// driver: arguments, order, capture, errors. It does what the driver's manual says of the calls that assay-cuda makes,
// and is stricter where a real one might let a mistake pass: nothing that was queued happens before somebody waits.
//
// The environment says what device it plays: ASSAY_EMULATED_VERSION (12010), _DEVICES (1), _CAPABILITY (61), _MEMORY
// (bytes), _REFUSES (name of a kernel that its module lacks), _FAILS (of one after which nothing works any more), _HANGS (of
// one that does not end).
#include "cuda.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

extern "C" {
const Entry *assay_entry(const char *name);
size_t assay_parameters(const Entry *entry);
size_t assay_parameter_size(const Entry *entry, size_t index);
int assay_launch(const Entry *entry, Index3 grid, Index3 block, void *const *arguments, int order);
}

namespace {

enum Result {
	SUCCESS = 0,
	INVALID_VALUE = 1,
	OUT_OF_MEMORY = 2,
	NOT_INITIALIZED = 3,
	NO_DEVICE = 100,
	INVALID_DEVICE = 101,
	INVALID_IMAGE = 200,
	INVALID_CONTEXT = 201,
	NO_BINARY_FOR_GPU = 209,
	INVALID_PTX = 218,
	INVALID_HANDLE = 400,
	NOT_FOUND = 500,
	LAUNCH_FAILED = 719,
	CAPTURE_UNSUPPORTED = 900,
};

typedef std::function<Result()> Action;

struct Stream {
	std::vector<Action> queued;
	bool capturing = false;
	std::vector<Action> captured;
};

struct Graph {
	std::vector<Action> actions;
};

struct State {
	std::recursive_mutex lock;
	bool ready = false;
	int retained = 0;
	std::map<uint64_t, size_t> memory;
	size_t used = 0;
	Stream stream;
	bool stream_alive = false;
	int modules = 0;
	// A kernel went wrong: a real context is of no use after that.
	bool broken = false;
} state;

thread_local bool current = false;

long setting(const char *name, long otherwise) {
	const char *text = std::getenv(name);
	return text == nullptr ? otherwise : std::atol(text);
}

bool is_set(const char *name, const char *kernel) {
	const char *text = std::getenv(name);
	return text != nullptr && std::strcmp(text, kernel) == 0;
}

size_t total_memory() { return (size_t)setting("ASSAY_EMULATED_MEMORY", 4L << 30); }

// Whether the range lies in one allocation.
bool holds(uint64_t address, size_t bytes) {
	auto after = state.memory.upper_bound(address);
	if (after == state.memory.begin()) return false;
	auto it = std::prev(after);
	return address - it->first <= it->second && bytes <= it->second - (address - it->first);
}

Result enqueue(void *stream, Action action, bool capturable = true) {
	if (!current) return INVALID_CONTEXT;
	if (stream != &state.stream || !state.stream_alive) return INVALID_HANDLE;
	if (!state.stream.capturing) {
		state.stream.queued.push_back(std::move(action));
		return SUCCESS;
	}
	if (!capturable) return CAPTURE_UNSUPPORTED;
	state.stream.captured.push_back(std::move(action));
	return SUCCESS;
}

Result run_queue() {
	std::vector<Action> queued;
	queued.swap(state.stream.queued);
	if (state.broken) return LAUNCH_FAILED;
	for (Action &action : queued) {
		Result result = action();
		if (result != SUCCESS) return result;
	}
	return SUCCESS;
}

} // namespace

#define CALL extern "C" __attribute__((visibility("default"))) int
#define LOCKED                                                  \
	std::lock_guard<std::recursive_mutex> guard(state.lock);    \
	if (!state.ready) return NOT_INITIALIZED

CALL cuDriverGetVersion(int *version) {
	*version = (int)setting("ASSAY_EMULATED_VERSION", 12010);
	return SUCCESS;
}

CALL cuInit(unsigned) {
	if (setting("ASSAY_EMULATED_DEVICES", 1) == 0) return NO_DEVICE;
	// A real answer that bindings of CUDA 12.0 do not know.
	if (setting("ASSAY_EMULATED_DEVICES", 1) < 0) return 4321;
	state.ready = true;
	return SUCCESS;
}

CALL cuGetErrorName(int error, const char **name) {
	*name = error == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX" : error == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND" : nullptr;
	return *name != nullptr ? SUCCESS : INVALID_VALUE;
}

CALL cuDeviceGetCount(int *count) {
	LOCKED;
	*count = (int)setting("ASSAY_EMULATED_DEVICES", 1);
	return SUCCESS;
}

CALL cuDeviceGet(int *device, int ordinal) {
	LOCKED;
	if (ordinal < 0 || ordinal >= setting("ASSAY_EMULATED_DEVICES", 1)) return INVALID_DEVICE;
	*device = ordinal;
	return SUCCESS;
}

CALL cuDeviceGetName(char *name, int len, int) {
	LOCKED;
	std::strncpy(name, "emulated", (size_t)len);
	return SUCCESS;
}

CALL cuDeviceGetAttribute(int *value, int attribute, int) {
	LOCKED;
	long capability = setting("ASSAY_EMULATED_CAPABILITY", 61);
	switch (attribute) {
		case 16: *value = 5; return SUCCESS;
		case 75: *value = (int)(capability / 10); return SUCCESS;
		case 76: *value = (int)(capability % 10); return SUCCESS;
		default: return INVALID_VALUE;
	}
}

CALL cuDeviceTotalMem_v2(size_t *bytes, int) {
	LOCKED;
	*bytes = total_memory();
	return SUCCESS;
}

CALL cuDevicePrimaryCtxRetain(void **context, int) {
	LOCKED;
	state.retained++;
	*context = &state;
	return SUCCESS;
}

CALL cuDevicePrimaryCtxRelease_v2(int) {
	LOCKED;
	// Memory or modules that outlive the context would be a use after free on a device.
	if (--state.retained < 0 || !state.memory.empty() || state.modules != 0 || state.stream_alive) std::abort();
	return SUCCESS;
}

CALL cuCtxSetCurrent(void *context) {
	LOCKED;
	current = context == &state && state.retained > 0;
	return current ? SUCCESS : INVALID_CONTEXT;
}

CALL cuStreamCreate(void **stream, unsigned) {
	LOCKED;
	if (!current || state.stream_alive) return INVALID_CONTEXT;
	state.stream = Stream();
	state.stream_alive = true;
	*stream = &state.stream;
	return SUCCESS;
}

CALL cuStreamSynchronize(void *stream) {
	LOCKED;
	if (stream != &state.stream || !state.stream_alive) return INVALID_HANDLE;
	if (state.stream.capturing) return CAPTURE_UNSUPPORTED;
	return run_queue();
}

CALL cuStreamDestroy_v2(void *stream) {
	LOCKED;
	if (stream != &state.stream || !state.stream_alive) return INVALID_HANDLE;
	state.stream_alive = false;
	return run_queue();
}

CALL cuStreamBeginCapture_v2(void *stream, int) {
	LOCKED;
	if (stream != &state.stream || state.stream.capturing) return INVALID_VALUE;
	state.stream.capturing = true;
	state.stream.captured.clear();
	return SUCCESS;
}

CALL cuStreamEndCapture(void *stream, void **graph) {
	LOCKED;
	if (stream != &state.stream || !state.stream.capturing) return INVALID_VALUE;
	state.stream.capturing = false;
	*graph = new Graph{std::move(state.stream.captured)};
	return SUCCESS;
}

CALL cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
	LOCKED;
	*executable = new Graph(*static_cast<Graph *>(graph));
	return SUCCESS;
}

CALL cuGraphDestroy(void *graph) {
	delete static_cast<Graph *>(graph);
	return SUCCESS;
}

CALL cuGraphExecDestroy(void *executable) {
	delete static_cast<Graph *>(executable);
	return SUCCESS;
}

CALL cuGraphLaunch(void *executable, void *stream) {
	LOCKED;
	for (const Action &action : static_cast<Graph *>(executable)->actions) {
		Result result = enqueue(stream, action);
		if (result != SUCCESS) return result;
	}
	return SUCCESS;
}

// A module is its text; a kernel is the emulation's of that name, if the text has it.
CALL cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
	LOCKED;
	if (!current) return INVALID_CONTEXT;
	std::string text(static_cast<const char *>(image));
	if (text.find(".version") == std::string::npos || text.find(".entry") == std::string::npos) return INVALID_IMAGE;
	size_t target = text.find(".target sm_");
	if (target == std::string::npos || std::atol(text.c_str() + target + 11) > setting("ASSAY_EMULATED_CAPABILITY", 61))
		return NO_BINARY_FOR_GPU;
	if (setting("ASSAY_EMULATED_BAD_PTX", 0) != 0) {
		for (unsigned i = 0; i + 1 < count; i++)
			if (options[i] == 5 && options[i + 1] == 6)
				std::strncpy(static_cast<char *>(values[i]), "line 1: not understood", (size_t)(uintptr_t)values[i + 1]);
		return INVALID_PTX;
	}
	state.modules++;
	*module = new std::string(std::move(text));
	return SUCCESS;
}

CALL cuModuleUnload(void *module) {
	LOCKED;
	state.modules--;
	delete static_cast<std::string *>(module);
	return SUCCESS;
}

CALL cuModuleGetFunction(void **function, void *module, const char *name) {
	LOCKED;
	bool there = static_cast<std::string *>(module)->find(".entry " + std::string(name) + "(") != std::string::npos;
	const Entry *entry = assay_entry(name);
	if (!there || entry == nullptr || is_set("ASSAY_EMULATED_REFUSES", name)) return NOT_FOUND;
	*function = const_cast<Entry *>(entry);
	return SUCCESS;
}

CALL cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
					unsigned shared, void *stream, void **arguments, void **extra) {
	LOCKED;
	const Entry *entry = static_cast<const Entry *>(function);
	unsigned long long threads = (unsigned long long)bx * by * bz;
	bool runs = gx > 0 && gx <= 0x7fffffffu && gy > 0 && gy <= 65535 && gz > 0 && gz <= 65535 && bz <= 64;
	if (!runs || threads == 0 || threads > 1024 || shared != 0 || extra != nullptr) return INVALID_VALUE;
	// The driver copies the arguments before it returns.
	std::vector<std::vector<char>> copies;
	for (size_t i = 0; i < assay_parameters(entry); i++) {
		const char *argument = static_cast<const char *>(arguments[i]);
		copies.emplace_back(argument, argument + assay_parameter_size(entry, i));
	}
	return enqueue(stream, [=]() mutable {
		if (is_set("ASSAY_EMULATED_HANGS", entry->name)) std::this_thread::sleep_for(std::chrono::hours(1));
		if (is_set("ASSAY_EMULATED_FAILS", entry->name)) {
			state.broken = true;
			return LAUNCH_FAILED;
		}
		std::vector<void *> pointers;
		for (auto &copy : copies) pointers.push_back(copy.data());
		Index3 grid = {gx, gy, gz}, block = {bx, by, bz};
		return assay_launch(entry, grid, block, pointers.data(), 2) == 0 ? SUCCESS : LAUNCH_FAILED;
	});
}

CALL cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
	LOCKED;
	if (!current) return INVALID_CONTEXT;
	if (bytes == 0) return INVALID_VALUE;
	if (bytes > total_memory() - state.used) return OUT_OF_MEMORY;
	void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
	if (memory == nullptr) return OUT_OF_MEMORY;
	std::memset(memory, 0xff, bytes);
	state.memory[(uint64_t)memory] = bytes;
	state.used += bytes;
	*address = (uint64_t)memory;
	return SUCCESS;
}

CALL cuMemFree_v2(unsigned long long address) {
	LOCKED;
	if (!current) return INVALID_CONTEXT;
	auto it = state.memory.find(address);
	if (it == state.memory.end()) return INVALID_VALUE;
	Result result = run_queue();
	state.used -= it->second;
	state.memory.erase(it);
	std::free((void *)address);
	return result;
}

CALL cuMemGetInfo_v2(size_t *free, size_t *total) {
	LOCKED;
	if (!current) return INVALID_CONTEXT;
	*total = total_memory();
	*free = *total - state.used;
	return SUCCESS;
}

CALL cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes, void *stream) {
	LOCKED;
	if (!holds(to, bytes)) return INVALID_VALUE;
	return enqueue(stream, [=] { return std::memcpy((void *)to, from, bytes), SUCCESS; }, false);
}

CALL cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *stream) {
	LOCKED;
	if (!holds(from, bytes)) return INVALID_VALUE;
	return enqueue(stream, [=] { return std::memcpy(to, (const void *)from, bytes), SUCCESS; }, false);
}

CALL cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void *stream) {
	LOCKED;
	if (!holds(to, bytes) || !holds(from, bytes)) return INVALID_VALUE;
	return enqueue(stream, [=] { return std::memmove((void *)to, (const void *)from, bytes), SUCCESS; });
}

CALL cuMemsetD32Async(unsigned long long to, unsigned value, size_t count, void *stream) {
	LOCKED;
	if (!holds(to, count * 4)) return INVALID_VALUE;
	return enqueue(stream, [=] {
		for (size_t i = 0; i < count; i++) ((unsigned *)to)[i] = value;
		return SUCCESS;
	});
}
