//! A device whose memory is this machine's and whose kernels run here.

use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, Weak},
};

use assay_cuda::{CudaError, Device, Profile, Value, Work};

use crate::{
	ffi,
	memory::{lock, EmulatedBuffer, Memory, Ranges},
	ptx::{self, Access, Fault},
	EmulationError,
};

/// The order in which threads of a block, and blocks of a grid, take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
	/// By number.
	Ascending,
	/// From the last to the first.
	Descending,
	/// Another order at every barrier; the same one every time.
	Scattered,
}

/// The device. Work is done when it is queued.
#[derive(Debug)]
pub struct Emulated {
	profile: Profile,
	order: Order,
	shipped: bool,
	fault: Option<Fault>,
	/// A kernel of which one bit of what it writes is wrong.
	faulty_kernel: Option<&'static str>,
	/// Bytes of memory that it has.
	memory: u64,
	buffers: Mutex<Vec<Weak<Memory>>>,
	launches: Mutex<BTreeMap<&'static str, u64>>,
	/// How often it was given words, and how many: what moves to the device.
	uploads: Mutex<(u64, u64)>,
}

impl Emulated {
	/// A device that cuts work up as one with `multiprocessors` processors would.
	pub fn new(multiprocessors: u32, order: Order) -> Self {
		let (buffers, launches, uploads) = Default::default();
		let profile = Profile { multiprocessors, int8_tiles: false };
		Self {
			profile,
			order,
			shipped: false,
			fault: None,
			faulty_kernel: None,
			memory: u64::MAX,
			buffers,
			launches,
			uploads,
		}
	}

	/// The same with tensor cores for bytes.
	pub fn with_int8_tiles(mut self) -> Self {
		self.profile.int8_tiles = true;
		self
	}

	/// A device that interprets the PTX as shipped, instead of running the kernels' source as compiled for this machine.
	pub fn interpreting(multiprocessors: u32, order: Order) -> Self {
		Self { shipped: true, ..Self::new(multiprocessors, order) }
	}

	/// An interpreting device of which one lane of each warp computes the last bit of each fused multiply-add, and of each
	/// product of bytes, wrong.
	pub fn with_faulty_lane(multiprocessors: u32, order: Order, lane: u32) -> Self {
		Self { fault: Some(Fault { lane }), ..Self::interpreting(multiprocessors, order) }
	}

	/// The same with the lowest bit of the last word that a kernel changes wrong, at every launch.
	pub fn with_faulty_kernel(self, kernel: &'static str) -> Self {
		Self { faulty_kernel: Some(kernel), ..self }
	}

	/// The same with so many bytes of memory.
	pub fn with_memory(self, bytes: u64) -> Self {
		Self { memory: bytes, ..self }
	}

	/// How often words were moved to the device, and how many words in all.
	pub fn uploads(&self) -> (u64, u64) {
		*lock(&self.uploads)
	}

	/// The order of turns.
	pub fn order(&self) -> Order {
		self.order
	}

	/// How often each kernel was launched.
	pub fn launches(&self) -> BTreeMap<&'static str, u64> {
		lock(&self.launches).clone()
	}

	fn guards_hold(&self) -> bool {
		let mut buffers = lock(&self.buffers);
		buffers.retain(|buffer| buffer.strong_count() > 0);
		buffers.iter().filter_map(Weak::upgrade).all(|memory| memory.guards_hold())
	}

	/// All words of the living buffers.
	fn words(&self) -> Vec<(Arc<Memory>, Vec<u32>)> {
		let living: Vec<_> = lock(&self.buffers).iter().filter_map(Weak::upgrade).collect();
		living.into_iter().map(|memory| (memory.clone(), memory.with(|words| words.to_vec()))).collect()
	}

	/// # Safety
	///
	/// As for [`Device::submit`].
	unsafe fn do_wrong(&self, work: &Work) -> Result<(), CudaError> {
		let before = self.words();
		// SAFETY: the caller's word.
		unsafe { self.one(work)? };
		for (memory, before) in &before {
			memory.with(|words| {
				let changed = words.iter_mut().zip(before).filter(|(now, before)| *now != *before).last();
				if let Some((word, _)) = changed {
					*word ^= 1;
				}
			});
		}
		Ok(())
	}

	/// # Safety
	///
	/// As for [`Device::submit`].
	unsafe fn one(&self, work: &Work) -> Result<(), CudaError> {
		match work {
			Work::Launch { kernel, grid, block, args } => {
				let arguments: Vec<(u64, usize)> = args
					.iter()
					.map(|value| match *value {
						Value::Address(address) => (address, 8),
						Value::U32(word) => (u64::from(word), 4),
						Value::U64(word) => (word, 8),
					})
					.collect();
				let order = match self.order {
					Order::Ascending => 0,
					Order::Descending => 1,
					Order::Scattered => 2,
				};
				*lock(&self.launches).entry(kernel).or_default() += 1;
				if self.shipped {
					let (grid, block, order) = (*grid, *block, self.order);
					let call = ptx::Call { kernel, grid, block, arguments: &arguments, order, fault: self.fault };
					return ptx::launch(&call, &Ranges::of(&lock(&self.buffers)))
						.map_err(|error| CudaError::Launch { kernel, reason: error.to_string() });
				}
				let call = ffi::Call { kernel, grid: *grid, block: *block, arguments, order };
				// SAFETY: the caller vouches for the addresses.
				let done = unsafe { ffi::launch(&call) };
				let done = done.and_then(|()| match self.guards_hold() {
					true => Ok(()),
					false => Err(EmulationError::OutOfBounds((*kernel).to_owned())),
				});
				done.map_err(|error| CudaError::Launch { kernel, reason: error.to_string() })
			}
			Work::Copy { from, to, words } => {
				self.inside("copy", *from, *words)?;
				self.inside("copy", *to, *words)?;
				// SAFETY: both ranges were found inside living buffers; `copy` allows them to overlap.
				unsafe { core::ptr::copy(*from as *const u32, *to as *mut u32, *words as usize) };
				Ok(())
			}
			Work::Clear { to, words } => {
				self.inside("clear", *to, *words)?;
				// SAFETY: the range was found inside a living buffer.
				unsafe { core::ptr::write_bytes(*to as *mut u32, 0, *words as usize) };
				Ok(())
			}
		}
	}

	fn inside(&self, call: &'static str, address: u64, words: u64) -> Result<(), CudaError> {
		match Ranges::of(&lock(&self.buffers)).holds(address, words.saturating_mul(4)) {
			true => Ok(()),
			false => Err(CudaError::Driver { call, reason: "outside of every buffer".to_owned() }),
		}
	}
}

impl Device for Emulated {
	type Buffer = EmulatedBuffer;
	type Graph = Vec<Work>;

	fn profile(&self) -> Profile {
		self.profile
	}

	fn free_memory(&self) -> Result<u64, CudaError> {
		let buffers = lock(&self.buffers);
		let living = buffers.iter().filter_map(Weak::upgrade);
		Ok(self.memory.saturating_sub(living.map(|memory| memory.words as u64 * 4).sum()))
	}

	fn allocate(&self, words: u64) -> Result<EmulatedBuffer, CudaError> {
		let (needed, free) = (words.saturating_mul(4), self.free_memory()?);
		let buffer = (needed <= free).then(|| EmulatedBuffer::new(words)).flatten();
		let buffer = buffer.ok_or(CudaError::OutOfMemory { needed, free })?;
		lock(&self.buffers).push(buffer.memory());
		Ok(buffer)
	}

	fn upload(&self, bits: &[u32], to: &EmulatedBuffer) -> Result<(), CudaError> {
		to.first(bits.len(), |words| words.copy_from_slice(bits))?;
		let mut uploads = lock(&self.uploads);
		*uploads = (uploads.0 + 1, uploads.1 + bits.len() as u64);
		Ok(())
	}

	fn download(&self, from: &EmulatedBuffer, bits: &mut [u32]) -> Result<(), CudaError> {
		from.first(bits.len(), |words| bits.copy_from_slice(words))
	}

	unsafe fn submit(&self, work: &[Work]) -> Result<(), CudaError> {
		// SAFETY: the caller's word.
		work.iter().try_for_each(|work| match work {
			// SAFETY: the caller's word.
			Work::Launch { kernel, .. } if self.faulty_kernel == Some(*kernel) => unsafe { self.do_wrong(work) },
			// SAFETY: the caller's word.
			_ => unsafe { self.one(work) },
		})
	}

	unsafe fn record(&self, work: &[Work]) -> Result<Vec<Work>, CudaError> {
		Ok(work.to_vec())
	}

	unsafe fn replay(&self, graph: &Vec<Work>) -> Result<(), CudaError> {
		// SAFETY: the caller's word.
		unsafe { self.submit(graph) }
	}
}
