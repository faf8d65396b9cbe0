// Rows taken by number: batches, tables, labels.
#include "arithmetic.cuh"
#include "philox.cuh"

DEVICE void copied(u32 *out, u64 at, u32 bits, u32 *flag) {
	out[at] = bits;
	check(flag, bits);
}
DEVICE void copied(u8 *out, u64 at, u8 byte, u32 *) { out[at] = byte; }

// out[i] = row number `draw * rows / 2^32` of data, by (stream, step, i). Draws differ per row, so each thread makes its own.
template <class Element>
DEVICE void drawn_rows(const Element *data, u32 data_rows, Element *out, u32 *flag, u64 rows, u64 cols, u32 key0, u32 key1,
					   u32 stream, const u64 *step) {
	u64 now = *step;
	for (u64 row = first_y(); row < rows; row += stride_y()) {
		u32 draw = philox4x32_10((u32)row, stream, (u32)now, (u32)(now >> 32), key0, key1).word[0];
		u64 source = ((u64)draw * data_rows) >> 32;
		for (u64 col = first_x(); col < cols; col += stride_x())
			copied(out, row * cols + col, data[source * cols + col], flag);
	}
}

KERNEL gather_batch(const u32 *data, u32 data_rows, u32 *out, u32 *flag, u64 rows, u64 cols, u32 key0, u32 key1,
					u32 stream, const u64 *step) {
	drawn_rows(data, data_rows, out, flag, rows, cols, key0, key1, stream, step);
}

KERNEL gather_batch_i8(const u8 *data, u32 data_rows, u8 *out, u32 *flag, u64 rows, u64 cols, u32 key0, u32 key1,
					   u32 stream, const u64 *step) {
	drawn_rows(data, data_rows, out, flag, rows, cols, key0, key1, stream, step);
}

// out[i] = row number `step * rows + i` of data, from the first again after the last.
template <class Element>
DEVICE void following_rows(const Element *data, u64 data_rows, Element *out, u32 *flag, u64 rows, u64 cols, const u64 *step) {
	// Below 2^32 each, so nothing wraps.
	u64 first = (*step % data_rows) * (rows % data_rows);
	for (u64 row = first_y(); row < rows; row += stride_y()) {
		u64 source = (first + row) % data_rows;
		for (u64 col = first_x(); col < cols; col += stride_x())
			copied(out, row * cols + col, data[source * cols + col], flag);
	}
}

KERNEL next_batch(const u32 *data, u64 data_rows, u32 *out, u32 *flag, u64 rows, u64 cols, const u64 *step) {
	following_rows(data, data_rows, out, flag, rows, cols, step);
}

KERNEL next_batch_i8(const u8 *data, u64 data_rows, u8 *out, u32 *flag, u64 rows, u64 cols, const u64 *step) {
	following_rows(data, data_rows, out, flag, rows, cols, step);
}

// Row `ids[i]` of the table; +0 where there is none. A negative id is a large unsigned one, outside like any other.
KERNEL lookup(const u32 *table, u32 table_rows, const u32 *ids, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 id = ids[row];
		u32 bits = id < table_rows ? table[(u64)id * cols + col] : 0;
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}

// 1 in the label's column, +0 elsewhere.
KERNEL one_hot(const u32 *labels, u32 *out, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) { out[row * cols + col] = labels[row] == col ? 0x3f800000u : 0; });
}
