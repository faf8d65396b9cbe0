//! What the emulation finds: the mistakes that a GPU shows only sometimes, or as a crash.

use assay_cuda::{Buffer, CudaError, Device, Value, Work};
use assay_cuda_emulation::{Emulated, Order};

const THREADS: u32 = 64;

/// Launches a kernel on a buffer of 64 words.
fn launch(order: Order, kernel: &'static str, block: u32, more: &[Value]) -> (Result<(), CudaError>, Vec<u32>) {
	let device = Emulated::new(1, order);
	let buffer = device.allocate(u64::from(THREADS)).expect("memory");
	let args = [Value::Address(buffer.address())].into_iter().chain(more.iter().copied()).collect();
	let work = Work::Launch { kernel, grid: [1, 1, 1], block: [block, 1, 1], args };
	// SAFETY: the buffer lives to the end; a wrong kernel writes at most into the guard words beside it.
	let result = unsafe { device.submit(&[work]) };
	let mut words = vec![0; THREADS as usize];
	device.download(&buffer, &mut words).expect("fits");
	(result, words)
}

fn reason(result: Result<(), CudaError>) -> String {
	match result {
		Err(CudaError::Launch { reason, .. }) => reason,
		other => panic!("{other:?}"),
	}
}

#[test]
fn a_barrier_that_some_threads_miss() {
	for order in [Order::Ascending, Order::Descending, Order::Scattered] {
		assert!(reason(launch(order, "faulty_barrier", THREADS, &[]).0).contains("not every thread"));
		// The next kernel is none the worse for it.
		assert_eq!(launch(order, "faulty_race", THREADS, &[]).0, Ok(()));
	}
}

#[test]
fn a_product_that_some_threads_of_a_warp_miss() {
	for order in [Order::Ascending, Order::Descending, Order::Scattered] {
		assert!(reason(launch(order, "faulty_warp", THREADS, &[]).0).contains("not every thread"));
		assert_eq!(launch(order, "faulty_race", THREADS, &[]).0, Ok(()));
	}
	// Half a warp is none.
	assert!(reason(launch(Order::Ascending, "faulty_tile", 48, &[]).0).contains("not every thread"));
}

/// Waiting for a warp does not stand in for the barrier that a kernel lacks.
#[test]
fn a_missing_barrier_before_a_product_changes_bits_with_the_order() {
	let words = |order| launch(order, "faulty_tile", THREADS, &[]).1;
	assert_ne!(words(Order::Ascending), words(Order::Descending));
	assert_ne!(words(Order::Ascending), words(Order::Scattered));
}

#[test]
fn a_missing_barrier_changes_bits_with_the_order() {
	let words = |order| launch(order, "faulty_race", THREADS, &[]).1;
	assert_ne!(words(Order::Ascending), words(Order::Descending));
	assert_ne!(words(Order::Ascending), words(Order::Scattered));
	assert_ne!(words(Order::Descending), words(Order::Scattered));
}

#[test]
fn a_write_beside_the_buffer() {
	let bounds = |words| launch(Order::Ascending, "faulty_bounds", 1, &[Value::U64(words)]).0;
	assert_eq!(bounds(63), Ok(()));
	assert!(reason(bounds(64)).contains("outside its buffers"));
	assert!(reason(bounds(u64::MAX)).contains("outside its buffers"));
}

#[test]
fn arguments_of_other_sizes() {
	for more in [&[][..], &[Value::U32(1)], &[Value::U64(1), Value::U64(1)]] {
		assert!(reason(launch(Order::Ascending, "faulty_bounds", 1, more).0).contains("arguments"), "{more:?}");
	}
}

#[test]
fn grids_that_no_device_runs_and_kernels_that_are_not() {
	for block in [0, 1025] {
		assert!(reason(launch(Order::Ascending, "faulty_race", block, &[]).0).contains("no device"));
	}
	assert!(reason(launch(Order::Ascending, "no_such_kernel", 1, &[]).0).contains("no kernel"));
}

#[test]
fn copies_outside_every_buffer() {
	let device = Emulated::new(1, Order::Ascending);
	let buffer = device.allocate(8).expect("memory");
	let (at, words) = (buffer.address(), buffer.words());
	let submit = |work: Work| {
		// SAFETY: copies and clears are checked against the buffers before they are done.
		unsafe { device.submit(&[work]) }
	};
	assert_eq!(submit(Work::Clear { to: at, words }), Ok(()));
	assert!(submit(Work::Clear { to: at, words: words + 1 }).is_err());
	assert!(submit(Work::Copy { from: at + 4, to: at, words }).is_err());
	assert!(submit(Work::Copy { from: 16, to: at, words: 1 }).is_err());
}
