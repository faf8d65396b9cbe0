// Inputs of elementwise kernels, with broadcast.
//
// An input is read at row * row_stride + col * col_stride, so a repeated row or column has stride 0; a scalar has no data
// and gives its bits. The host makes one long row of what needs no broadcast.
#pragma once
#include "arithmetic.cuh"

#define OPERAND(name) const u32 *name##_data, u64 name##_row, u64 name##_col, u32 name##_bits
#define BITS(name) (name##_data == nullptr ? name##_bits : name##_data[row * name##_row + col * name##_col])
#define VALUE(name) from_bits(BITS(name))
