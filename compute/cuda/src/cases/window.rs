//! Windows over images.

use assay_program::{OpKind, TensorSpec, Window};

use super::{f32s, Given, Random};

/// Either op on images of random sizes: kind, input, output.
pub fn random_window(random: &mut Random, gradient: bool, special: bool) -> (OpKind, Given, TensorSpec) {
	let (height, width) = (1 + random.below(14), 1 + random.below(14));
	let (kernel_height, kernel_width) = (1 + random.below(height), 1 + random.below(width));
	let padding = random.below(kernel_height.min(kernel_width));
	let window = Window { height, width, kernel_height, kernel_width, stride: 1 + random.below(4), padding };
	let (channels, images) = (1 + random.below(40), 1 + random.below(4));
	let (down, across) = window.positions().unwrap_or((0, 0));
	let pixels = (images * height * width, channels);
	let under = (images * down * across, kernel_height * kernel_width * channels);
	let ((rows, cols), output) = if gradient { (under, pixels) } else { (pixels, under) };
	let x = f32s(rows, cols, || if special && random.below(99) == 0 { random.any() } else { random.ordinary() });
	let kind = if gradient { OpKind::Col2im(window) } else { OpKind::Im2col(window) };
	(kind, x, TensorSpec::f32(output.0, output.1))
}
