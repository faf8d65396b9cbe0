//! Functions that have kernels and no op yet, against softfloat.

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;

use assay_cuda::{Buffer, Device, Value, Work};
use assay_cuda_emulation::{Emulated, Order};
use assay_softfloat::{functions, F32};
use conformance::{check::same, random::Random};

fn check(kernel: &'static str, function: impl Fn(F32) -> F32) {
	let mut random = Random(31);
	let mut x: Vec<u32> = (0..150_000).map(|_| random.next()).collect();
	x.extend((0..50_000).map(|_| random.any()));
	// Angles around the bound, and everything that has a meaning of its own.
	x.extend((0..2000).map(|i| 0x4a80_0000u32.wrapping_add(i).wrapping_sub(1000)));
	x.extend([0, 1, 0x7f80_0000, 0x7f80_0001, 0x3f80_0000, 0x0080_0000].iter().flat_map(|x| [*x, *x | 1 << 31]));

	for device in [Emulated::new(4, Order::Ascending), Emulated::interpreting(4, Order::Descending)] {
		let y = run(&device, kernel, &x);
		for (x, y) in x.iter().zip(y) {
			let expected = function(F32(*x)).0;
			assert!(same(y, expected), "{kernel} of {x:08x} is {y:08x}, softfloat says {expected:08x}");
		}
	}
}

/// An elementwise kernel of one input on `x`.
fn run(device: &Emulated, kernel: &'static str, x: &[u32]) -> Vec<u32> {
	let len = x.len() as u64;
	let (input, output) = (device.allocate(len).expect("memory"), device.allocate(len).expect("memory"));
	let flag = device.allocate(1).expect("memory");
	device.upload(x, &input).expect("fits");
	device.upload(&[0], &flag).expect("fits");
	let args = vec![
		Value::Address(input.address()),
		Value::U64(0),
		Value::U64(1),
		Value::U32(0),
		Value::Address(output.address()),
		Value::Address(flag.address()),
		Value::U64(1),
		Value::U64(len),
	];
	let work = Work::Launch { kernel, grid: [7, 1, 1], block: [256, 1, 1], args };
	// SAFETY: the buffers live to the end of the function and hold `len` words; these are an elementwise kernel's arguments.
	unsafe { device.submit(&[work]) }.expect("runs");

	let mut y = vec![0; x.len()];
	device.download(&output, &mut y).expect("fits");
	y
}

#[test]
fn erf() {
	check("unary_erf", functions::erf);
}

#[test]
fn sin() {
	check("unary_sin", functions::sin);
}

#[test]
fn cos() {
	check("unary_cos", functions::cos);
}

#[test]
fn rsqrt() {
	check("unary_rsqrt", functions::rsqrt);
}

#[test]
fn exp() {
	check("unary_exp", functions::exp);
}

#[test]
fn log() {
	check("unary_log", functions::log);
}

#[test]
fn tanh() {
	check("unary_tanh", functions::tanh);
}

#[test]
fn sigmoid() {
	check("unary_sigmoid", functions::sigmoid);
}
