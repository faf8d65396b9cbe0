// Windows that slide over images: primitives/program/src/window.rs.
//
// Images are stacked by rows, a pixel to a row and its channels in the columns; so are the positions of the window. All
// products of a window's sides and of positions fit 32 bits, or the op is refused before it comes here.
#include "arithmetic.cuh"

#define WINDOW \
	u32 height, u32 width, u32 kernel_height, u32 kernel_width, u32 stride, u32 padding, u32 down, u32 across

// The pixels under the window at each position, +0 in the padding.
KERNEL im2col(const u32 *x, u32 channels, WINDOW, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 place = (u32)col / channels, channel = (u32)col % channels;
		u32 image = (u32)row / (down * across), position = (u32)row % (down * across);
		// Counted from the first row and column of the padding.
		u32 y = position / across * stride + place / kernel_width, x0 = position % across * stride + place % kernel_width;
		u32 bits = 0;
		if (y >= padding && y - padding < height && x0 >= padding && x0 - padding < width) {
			u64 pixel = ((u64)image * height + (y - padding)) * width + (x0 - padding);
			bits = x[pixel * channels + channel];
		}
		out[row * cols + col] = bits;
		check(flag, bits);
	});
}

// The sum over the places of the window, ascending, of what the position that has the pixel there holds for it.
KERNEL col2im(const u32 *x, u32 channels, WINDOW, u32 *out, u32 *flag, u64 rows, u64 cols) {
	each_element(rows, cols, [=](u64 row, u64 col) {
		u32 image = (u32)row / (height * width), pixel = (u32)row % (height * width);
		u32 pixel_row = pixel / width + padding, pixel_col = pixel % width + padding;
		F32 sum = zero();
		for (u32 y = 0; y < kernel_height && y <= pixel_row; y++) {
			u32 at_row = (pixel_row - y) / stride;
			if ((pixel_row - y) % stride != 0 || at_row >= down) continue;
			for (u32 place = 0; place < kernel_width && place <= pixel_col; place++) {
				u32 at_col = (pixel_col - place) / stride;
				if ((pixel_col - place) % stride != 0 || at_col >= across) continue;
				u64 position = ((u64)image * down + at_row) * across + at_col;
				u64 line = position * kernel_height * kernel_width + (u64)y * kernel_width + place;
				sum = add(sum, from_bits(x[line * channels + col]));
			}
		}
		out[row * cols + col] = to_bits(sum);
		check(flag, to_bits(sum));
	});
}
