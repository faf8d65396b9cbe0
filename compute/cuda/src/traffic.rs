//! What a step of a program takes of a device, counted from its launches: no device is needed.

use std::collections::BTreeMap;

use assay_program::Program;

use crate::{
	bytes::device_words,
	chain::{pieces, Moved, Piece},
	launch::Profile,
	memory::lowered_op,
	SessionError,
};

/// Launches, and the bytes that they move between the device's memory and its processors, each tensor of a launch once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
	/// Launches.
	pub launches: u64,
	/// Bytes read.
	pub read: u64,
	/// Bytes that a launch reads again because it goes over a row several times: from a cache, where the row is short.
	pub read_again: u64,
	/// Bytes written.
	pub written: u64,
}

impl Traffic {
	/// All bytes.
	pub fn bytes(&self) -> u64 {
		self.read + self.read_again + self.written
	}

	fn add(&mut self, other: Traffic) {
		self.launches += other.launches;
		self.read += other.read;
		self.read_again += other.read_again;
		self.written += other.written;
	}
}

/// What a step takes, by what its ops are launched as: the names of their kernels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTraffic {
	/// By kernels.
	pub kernels: BTreeMap<String, Traffic>,
}

impl StepTraffic {
	/// Of a step as a [`Session`](crate::Session) does it; of a valid program.
	pub fn of(program: &Program, profile: &Profile) -> Result<Self, SessionError> {
		Self::count(program, profile, &pieces(program))
	}

	/// Of a step whose ops are launched one by one.
	pub fn one_by_one(program: &Program, profile: &Profile) -> Result<Self, SessionError> {
		Self::count(program, profile, &(0..program.ops.len()).map(Piece::Op).collect::<Vec<_>>())
	}

	/// Of all of them.
	pub fn sum(&self) -> Traffic {
		let mut sum = Traffic::default();
		self.kernels.values().for_each(|traffic| sum.add(*traffic));
		sum
	}

	fn count(program: &Program, profile: &Profile, pieces: &[Piece]) -> Result<Self, SessionError> {
		let mut traffic = Self::default();
		for piece in pieces {
			let (launches, moved) = match piece {
				Piece::Chain(chain) => (vec![chain.launch(program, profile)], chain.moved(program)),
				Piece::Op(index) => {
					let lowered = lowered_op(program, *index, profile)?;
					let scratch = lowered.scratch.iter().sum();
					(lowered.launches, Moved::by_op(program, *index, scratch))
				}
			};
			let names: Vec<&str> = launches.iter().map(|launch| launch.kernel).collect();
			let Moved { read, again, written } = moved;
			let launches = launches.len() as u64;
			traffic.kernels.entry(names.join(" ")).or_default().add(Traffic {
				launches,
				read,
				read_again: again,
				written,
			});
		}
		for update in &program.updates {
			let bytes = program.decl(update.state).map_or(0, |decl| device_words(decl.spec()) * 4);
			let copied = Traffic { launches: 1, read: bytes, read_again: 0, written: bytes };
			traffic.kernels.entry("copies of updates".to_owned()).or_default().add(copied);
		}
		Ok(traffic)
	}
}
