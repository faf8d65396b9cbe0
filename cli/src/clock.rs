//! The chain's times as blocks.
//!
//! The protocol stamps its records and counts its windows by a clock that stands still in blocks in which users cannot transact.
//! Events, archives and people know blocks.

use crate::Error;
use assay_agent::{Chain, ChainError, Snapshot};
use assay_protocol::BlockNumber;
use std::future::Future;

/// Relates times to blocks, as seen from one block.
#[derive(Clone)]
pub struct Clock {
	chain: Chain,
	newest: u64,
	/// Blocks up to the newest that the clock left out.
	paused: u64,
}

impl Clock {
	/// As seen from `snapshot`. Older blocks are read only on a chain that was paused.
	///
	/// # Errors
	/// [`Error::Chain`].
	pub async fn read(chain: &Chain, snapshot: &Snapshot) -> Result<Self, Error> {
		Ok(Self { chain: chain.clone(), newest: snapshot.number(), paused: paused(snapshot).await? })
	}

	/// The block that this is seen from.
	pub fn newest(&self) -> u64 {
		self.newest
	}

	/// The block of a time to come, if the chain is not paused until then.
	pub fn due(&self, time: BlockNumber) -> u64 {
		u64::from(time).saturating_add(self.paused)
	}

	/// The block of a time that has come, in which users could transact.
	///
	/// # Errors
	/// [`Error::BlockGone`], [`Error::Chain`].
	pub async fn first(&self, time: BlockNumber) -> Result<u64, Error> {
		let (from, to) = range(time.into(), self.paused, self.newest);
		first_at(from, to, time.into(), |block| self.time_of(block)).await
	}

	/// The last block of a time: that of [`Clock::first`] unless a pause followed.
	///
	/// # Errors
	/// [`Error::BlockGone`], [`Error::Chain`].
	pub async fn last(&self, time: BlockNumber) -> Result<u64, Error> {
		if self.newest <= self.due(time) {
			return Ok(self.newest);
		}
		Ok(self.first(time.saturating_add(1)).await?.saturating_sub(1))
	}

	async fn time_of(&self, block: u64) -> Result<u64, Error> {
		let gone = |error| match error {
			ChainError::Read(reason) => Error::BlockGone { block, reason },
			other => Error::Chain(other),
		};
		let snapshot = self.chain.at(block).await.map_err(gone)?;
		snapshot.clock().await.map(u64::from).map_err(gone)
	}
}

/// Blocks up to this one that the clock left out.
///
/// # Errors
/// [`Error::Chain`].
pub(crate) async fn paused(snapshot: &Snapshot) -> Result<u64, Error> {
	Ok(snapshot.number().saturating_sub(snapshot.clock().await?.into()))
}

/// Where the block of `time` can be: the clock is behind the blocks by at most what it left out.
fn range(time: u64, paused: u64, newest: u64) -> (u64, u64) {
	let to = time.saturating_add(paused).min(newest);
	(time.min(to), to)
}

/// The first block of `from..=to` whose time is at least `time`, or `to`. The time never falls.
async fn first_at<F, E>(mut from: u64, mut to: u64, time: u64, time_of: impl Fn(u64) -> F) -> Result<u64, E>
where
	F: Future<Output = Result<u64, E>>,
{
	while from < to {
		let middle = from + (to - from) / 2;
		match time_of(middle).await? >= time {
			true => to = middle,
			false => from = middle + 1,
		}
	}
	Ok(from)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{cell::Cell, convert::Infallible};

	/// Times of blocks 0, 1, ... with pauses in some.
	fn times(paused: &[u64], blocks: u64) -> Vec<u64> {
		let mut time = 0;
		let step = |block| {
			time += u64::from(block > 0 && !paused.contains(&block));
			time
		};
		(0..blocks).map(step).collect()
	}

	#[tokio::test]
	async fn the_block_of_a_time_is_the_one_in_which_it_came() {
		for paused in [&[][..], &[1], &[5, 6, 7], &[3, 9, 10, 19], &[1, 2, 3, 4, 5]] {
			let times = times(paused, 20);
			let newest = 19;
			for time in 1..=times[19] {
				let (from, to) = range(time, newest - times[19], newest);
				let found = first_at(from, to, time, |block| async move { Ok::<_, Infallible>(block) });
				// Against times that are the blocks themselves, the answer is where the range begins.
				assert_eq!(found.await, Ok(from));
				let found = first_at(from, to, time, |block| {
					let at = times[block as usize];
					async move { Ok::<_, Infallible>(at) }
				});
				let first = times.iter().position(|at| *at == time).unwrap() as u64;
				assert_eq!(found.await, Ok(first), "time {time} with {paused:?} paused");
			}
		}
	}

	#[tokio::test]
	async fn a_chain_that_never_paused_is_not_read() {
		let reads = Cell::new(0);
		let (from, to) = range(7, 0, 1_000_000);
		let found = first_at(from, to, 7, |block| {
			reads.set(reads.get() + 1);
			async move { Ok::<_, Infallible>(block) }
		});
		assert_eq!((found.await, reads.get()), (Ok(7), 0));
	}

	#[test]
	fn a_time_that_has_not_come_is_looked_for_in_the_newest_block() {
		assert_eq!(range(30, 2, 20), (20, 20));
	}
}
