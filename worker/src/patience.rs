//! How long a lease waits for its program and data.
//!
//! A worker that never commits a milestone is declared absent at the end of the progress window. A client whose address is
//! dead would so hold it for all of that time, and leave it with the blame. So the worker gives up long before, naming the
//! client: after a third of the window once every source has failed, and after two thirds although a source still sends
//! something, since a few bytes a minute keep a fetch alive for ever. What is left of the window is enough for the
//! transaction, and an honest client on a slow line has had hours on a public network.

use assay_protocol::BlockNumber;

/// How much time is left for fetching.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Time {
	/// Enough: try again after a failure.
	#[default]
	Left,
	/// Little: the next failure of all sources is the last.
	Short,
	/// None: give up at once.
	Up,
}

impl Time {
	/// The time left at block `now` of a lease taken up at block `since`, in which no milestone is committed.
	pub fn at(since: BlockNumber, progress_window: BlockNumber, now: BlockNumber) -> Self {
		let third = progress_window.div_ceil(3).max(1);
		match now.saturating_sub(since) {
			passed if passed < third => Self::Left,
			passed if passed < third.saturating_mul(2) => Self::Short,
			_ => Self::Up,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn time_runs_out_in_thirds_of_the_window() {
		let at = |now| Time::at(100, 60, now);
		assert_eq!([at(0), at(100), at(119)], [Time::Left; 3]);
		assert_eq!([at(120), at(139)], [Time::Short; 2]);
		assert_eq!([at(140), at(161), at(u32::MAX)], [Time::Up; 3]);
		assert_eq!(Time::at(5, 0, 5), Time::Left);
		assert_eq!(Time::at(5, 1, 7), Time::Up);
		assert_eq!(Time::at(0, u32::MAX, u32::MAX), Time::Up);
		assert!(Time::Left < Time::Short && Time::Short < Time::Up);
	}
}
