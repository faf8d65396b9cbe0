// Words and where a thread is: all that a kernel takes from its surroundings.
//
// The same text is compiled twice: by NVRTC for a device, and by the machine's C++ compiler for the emulation, which
// defines the CUDA words that this needs before it includes anything.
#pragma once

typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
// An element of a tensor of 8-bit integers.
typedef unsigned char u8;

#define DEVICE static __device__ __forceinline__
#define KERNEL extern "C" __global__ void

// Position of this thread and number of threads, along the grid's x and y.
DEVICE u64 first_x() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }
DEVICE u64 first_y() { return (u64)blockIdx.y * blockDim.y + threadIdx.y; }
DEVICE u64 stride_x() { return (u64)gridDim.x * blockDim.x; }
DEVICE u64 stride_y() { return (u64)gridDim.y * blockDim.y; }

// Calls body(row, col) for every element of [rows, cols] that is this thread's, whatever the grid.
template <class Body>
DEVICE void each_element(u64 rows, u64 cols, Body body) {
	for (u64 row = first_y(); row < rows; row += stride_y())
		for (u64 col = first_x(); col < cols; col += stride_x()) body(row, col);
}
