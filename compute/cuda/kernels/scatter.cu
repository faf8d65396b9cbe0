// Sums of rows by id, each in ascending order of the rows.
//
// The rows of one id form a list: `first[id]`, then `next[row]`. Each link is found by the one thread that writes it, and
// the sum walks the list, so no order is left to chance.
#include "arithmetic.cuh"

KERNEL fill(u32 *out, u32 value, u64 elements) {
	for (u64 i = first_x(); i < elements; i += stride_x()) out[i] = value;
}

// The next row with the same id, or NONE; and the first row of each id. Ids outside the output have no list.
KERNEL scatter_links(const u32 *ids, u32 count, u32 *first, u32 *next, u32 targets) {
	const u32 none = 0xffffffffu;
	for (u64 i = first_x(); i < count; i += stride_x()) {
		u32 id = ids[i];
		if (id >= targets) continue;
		u64 after = i + 1;
		while (after < count && ids[after] != id) after++;
		next[i] = after < count ? (u32)after : none;
		u64 before = i;
		while (before > 0 && ids[before - 1] != id) before--;
		if (before == 0) first[id] = (u32)i;
	}
}

KERNEL scatter_sum(const u32 *first, const u32 *next, const u32 *values, u32 *out, u32 *flag, u64 rows, u64 cols) {
	const u32 none = 0xffffffffu;
	each_element(rows, cols, [=](u64 row, u64 col) {
		F32 sum = zero();
		for (u32 at = first[row]; at != none; at = next[at]) sum = add(sum, from_bits(values[(u64)at * cols + col]));
		out[row * cols + col] = to_bits(sum);
		check(flag, to_bits(sum));
	});
}
