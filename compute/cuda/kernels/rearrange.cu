// Ops that only copy. Each output element finds its source.
#include "arithmetic.cuh"

// The columns from `from` on.
KERNEL columns(const u32 *x, u64 x_cols, u64 from, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 bits = x[row * x_cols + from + col];
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}

// The same of bytes.
KERNEL columns_i8(const u8 *x, u64 x_cols, u64 from, u8 *out, u32 *, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) { out[row * cols + col] = x[row * x_cols + from + col]; });
}

// The input's columns from column `from` on, +0 elsewhere.
KERNEL pad_columns(const u32 *x, u64 x_cols, u64 from, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		bool inside = col >= from && col - from < x_cols;
		u32 bits = inside ? x[row * x_cols + (col - from)] : 0;
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}

// Heads side by side to heads below each other: cols is the width of a head, x has heads * cols columns.
KERNEL split_heads(const u32 *x, u64 positions, u64 heads, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u64 block = row / positions, position = row % positions;
		u64 source = (block / heads * positions + position) * heads * cols + block % heads * cols;
		u32 bits = x[source + col];
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}

// Heads below each other to heads side by side: x has cols / heads columns.
KERNEL merge_heads(const u32 *x, u64 positions, u64 heads, u32 *out, u32 *flag, u64 rows, u64 cols) {
	u64 width = cols / heads;
	each_element(rows, cols, [=](u64 row, u64 col) {
		u64 sequence = row / positions, position = row % positions;
		u32 bits = x[((sequence * heads + col / width) * positions + position) * width + col % width];
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}
