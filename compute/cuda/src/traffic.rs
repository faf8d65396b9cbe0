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

/// Launches of a step, and the bytes that they move between the device's memory and its processors, each tensor of a launch once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTraffic {
	/// Launches by kernel.
	pub launches: BTreeMap<&'static str, u64>,
	/// Bytes read.
	pub read: u64,
	/// Bytes that a launch reads again because it goes over a row several times: from a cache, where the row is short.
	pub read_again: u64,
	/// Bytes written.
	pub written: u64,
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

	/// Launches in all.
	pub fn launched(&self) -> u64 {
		self.launches.values().sum()
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
			for launch in launches {
				*traffic.launches.entry(launch.kernel).or_default() += 1;
			}
			traffic.read += moved.read;
			traffic.read_again += moved.again;
			traffic.written += moved.written;
		}
		for update in &program.updates {
			let bytes = program.decl(update.state).map_or(0, |decl| device_words(decl.spec()) * 4);
			traffic.read += bytes;
			traffic.written += bytes;
		}
		Ok(traffic)
	}
}
