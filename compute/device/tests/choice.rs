//! What is chosen where there are devices that are sound, faulty, too old, too small, or none: all emulated, and this machine as
//! it is.

use std::{ops::ControlFlow, sync::Arc};

use assay_cuda::{CudaError, DeviceAccelerator, DeviceInfo, Listed};
use assay_cuda_emulation::{Emulated, Order};
use assay_device::{choose, Chosen, Compute, Cuda, DeviceChoice, DeviceError, Difference, Platform, Refused};
use assay_engine::{AcceleratorError, Cpu, Engine, Path};
use assay_models::{Graph, Optimiser};
use assay_program::{Header, Init, Lane};

/// What each emulated device is like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Card {
	Sound,
	/// One lane of each warp has the last bit of products wrong.
	FaultyLane(u32),
	/// One kernel has one bit wrong.
	FaultyKernel(&'static str),
	TooOld,
	/// The driver refuses to open it.
	Closed,
	/// So many bytes.
	Small(u64),
}

/// A machine with these cards, or without a driver.
struct Machine(Option<Vec<Card>>);

const NO_DRIVER: &str = "libcuda.so: cannot open";

fn closed() -> CudaError {
	CudaError::Driver { call: "cuDevicePrimaryCtxRetain", reason: "busy".into() }
}

impl Platform for Machine {
	type Device = Emulated;

	fn devices(&self) -> Result<Vec<Listed>, CudaError> {
		let cards = self.0.as_ref().ok_or(CudaError::NoDriver { reason: NO_DRIVER.into() })?;
		let list = |(card, ordinal): (&Card, u32)| {
			let capability = if *card == Card::TooOld { (5, 2) } else { (8, 6) };
			let name = format!("{card:?}");
			let info = DeviceInfo { ordinal, name, capability, memory: 8 << 30, multiprocessors: 4, driver: 12040 };
			let refused = (*card == Card::TooOld).then_some(CudaError::DeviceTooOld { capability });
			Listed { info, refused }
		};
		Ok(cards.iter().zip(0..).map(list).collect())
	}

	fn open(&self, info: &DeviceInfo) -> Result<DeviceAccelerator<Emulated>, CudaError> {
		let device = || Emulated::new(info.multiprocessors, Order::Scattered).with_int8_tiles();
		let cards = self.0.as_ref().expect("a driver");
		let device = match cards[info.ordinal as usize] {
			Card::Sound => device(),
			Card::FaultyLane(lane) => Emulated::with_faulty_lane(info.multiprocessors, Order::Scattered, lane),
			Card::FaultyKernel(kernel) => device().with_faulty_kernel(kernel),
			Card::Small(bytes) => device().with_memory(bytes),
			Card::TooOld | Card::Closed => return Err(closed()),
		};
		DeviceAccelerator::new(format!("emulated {}", info.ordinal), device)
	}
}

fn cpu() -> Arc<Cpu> {
	Arc::new(Cpu::new(Path::Auto, 1).expect("a path"))
}

fn on(cards: &[Card], choice: &str) -> Result<Chosen, DeviceError> {
	choose(choice.parse().expect("a choice"), cpu(), &Machine(Some(cards.to_vec())))
}

#[test]
fn the_first_sound_device_is_taken() {
	let chosen = on(&[Card::TooOld, Card::Closed, Card::Sound, Card::Sound], "auto").expect("chosen");
	assert_eq!(chosen.compute.device().as_deref(), Some("emulated 2"));
	assert!(
		chosen.why.starts_with("computing on CUDA device 2: Sound, compute capability 8.6, 8.0 GiB"),
		"{}",
		chosen.why
	);
	let refused = |ordinal, source| Refused::Unusable { ordinal, source };
	let expected = [refused(0, CudaError::DeviceTooOld { capability: (5, 2) }), refused(1, closed())];
	assert_eq!(chosen.refused, expected);
	assert_eq!(chosen.compute.without_device().device(), None);
	// The CPU is taken where it is asked for, and no device is touched.
	let chosen = on(&[Card::Sound], "cpu").expect("chosen");
	assert_eq!((chosen.compute.device(), chosen.refused.len()), (None, 0));
	// By its number.
	let chosen = on(&[Card::TooOld, Card::Sound], "cuda:1").expect("chosen");
	assert_eq!(chosen.compute.device().as_deref(), Some("emulated 1"));
}

#[test]
fn one_faulty_lane_is_refused() {
	for lane in [0, 17] {
		let cards = [Card::FaultyLane(lane)];
		let chosen = on(&cards, "auto").expect("the CPU");
		assert_eq!(chosen.compute.device(), None);
		assert!(matches!(
			chosen.refused[..],
			[Refused::NotConforming { ordinal: 0, difference: Difference::Op { .. } }]
		));
		assert!(
			chosen.why.contains("on the CPU: CUDA device 0 does not compute the right bits: op case"),
			"{}",
			chosen.why
		);
		for choice in ["cuda", "cuda:0"] {
			let error = on(&cards, choice).expect_err("refused");
			let DeviceError::Refused(refused) = &error else { panic!("{error}") };
			assert_eq!(*refused, chosen.refused);
			assert!(error.to_string().contains("`--device cpu`"), "{error}");
		}
	}
}

/// One bit of what one kernel writes: of a product, an elementwise op, a sum, a copy, a draw, a hash, groups of ops, a copy of bytes.
#[test]
fn one_wrong_bit_of_one_kernel_is_refused() {
	for kernel in [
		"mma_i8_large",
		"unary_erf",
		"sum_fold",
		"merge_heads",
		"gumbel",
		"join_cvs",
		"chain",
		"chain_rows",
		"columns_i8",
	] {
		let error = on(&[Card::FaultyKernel(kernel)], "cuda").expect_err(kernel);
		let DeviceError::Refused(refused) = &error else { panic!("{kernel}: {error}") };
		assert!(matches!(refused[..], [Refused::NotConforming { .. }]), "{kernel}: {error}");
	}
}

/// Of every kernel that a device with tensor cores launches, but two that write links between rows: a wrong link leads outside
/// or in a circle, which a card would report or hang in.
#[test]
#[ignore = "minutes"]
fn one_wrong_bit_of_any_kernel_is_refused() {
	let without_tensor_cores = ["matmul_i8_large", "matmul_i8_small", "pack_rows", "pack_columns"];
	let links = ["fill", "scatter_links"];
	let kernels = assay_cuda::MODULES.iter().flat_map(|module| module.kernels());
	let kernels = kernels.filter(|kernel| !without_tensor_cores.contains(kernel) && !links.contains(kernel));
	for kernel in kernels {
		assert!(on(&[Card::FaultyKernel(kernel)], "cuda").is_err(), "{kernel}");
	}
}

#[test]
fn a_machine_without_a_driver_says_so() {
	let chosen = choose(DeviceChoice::Auto, cpu(), &Machine(None)).expect("the CPU");
	assert_eq!(chosen.compute.device(), None);
	assert!(chosen.why.starts_with("computing on the CPU: no NVIDIA driver") && chosen.why.contains(NO_DRIVER));
	for choice in [DeviceChoice::Cuda(None), DeviceChoice::Cuda(Some(3))] {
		let error = choose(choice, cpu(), &Machine(None)).expect_err("no device");
		assert_eq!(error, DeviceError::None(CudaError::NoDriver { reason: NO_DRIVER.into() }));
		assert!(error.to_string().contains("`--device cpu`"));
	}
	let error = on(&[Card::Sound], "cuda:3").expect_err("no such number");
	assert_eq!(error, DeviceError::None(CudaError::NoDevice { ordinal: 3, count: 1 }));
}

/// This machine, whatever it has: the answer is typed, and the CPU is there.
#[test]
fn this_machine_answers() {
	match (Cuda.devices(), choose(DeviceChoice::Cuda(None), cpu(), &Cuda)) {
		(Err(reason), Err(DeviceError::None(error))) => {
			assert_eq!(error, reason);
			let chosen = choose(DeviceChoice::Auto, cpu(), &Cuda).expect("the CPU");
			assert!(chosen.compute.device().is_none() && chosen.why.contains(&reason.to_string()), "{}", chosen.why);
		}
		(Ok(listed), Err(DeviceError::Refused(refused))) => assert_eq!(refused.len(), listed.len()),
		(Ok(listed), Ok(chosen)) => assert!(!listed.is_empty() && chosen.compute.device().is_some()),
		(listed, chosen) => panic!("{listed:?}, {chosen:?}"),
	}
}

fn job(compute: &Compute) -> (Engine, Result<(), AcceleratorError>) {
	let mut graph = Graph::new(1);
	let x = graph.uniform_param("x", 30, 20, 1.0);
	let weight = graph.param("weight", 20, 10, Init::Constant(0.1f32.to_bits()));
	let y = graph.matmul(x, weight);
	let loss = graph.mul(y, y);
	let loss = graph.mean_all(loss);
	graph.metric(loss);
	let gradients = graph.gradients(loss, &[weight]);
	Optimiser::adamw(0.02).apply(&mut graph, &[weight], &gradients);
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 6, batch: 1, segment_steps: 2 };
	let program = graph.finish(header).expect("valid");
	let mut engine = Engine::new(program, Vec::new(), compute.cpu().clone()).expect("loads");
	let accelerated = compute.accelerate(&mut engine);
	(engine, accelerated)
}

/// A job that does not fit runs on the CPU, and who asked is told.
#[test]
fn a_job_that_does_not_fit_falls_back() {
	let (here, done) = job(&Compute::on_cpu(cpu()));
	assert_eq!((done, here.accelerator()), (Ok(()), None));
	// The device conforms, which takes more memory than the job leaves free.
	let machine = Machine(Some(vec![Card::Small(20_000)]));
	let info = machine.devices().expect("listed").remove(0).info;
	let small = Compute::on_device(cpu(), Arc::new(machine.open(&info).expect("opens")));
	let (there, done) = job(&small);
	assert!(matches!(done, Err(AcceleratorError::OutOfMemory { .. })), "{done:?}");
	let roots = [here, there].map(|engine| {
		let mut state = engine.initial_state();
		engine.run(&mut state, 6, &mut |_| ControlFlow::Continue(())).expect("runs");
		engine.state_root(&state).expect("a root")
	});
	assert_eq!(roots[0], roots[1]);
}
