//! One milestone's verification as a pure state machine: committed, drawn, blind, opened, revealed, then verified or failed.
//!
//! ```text
//! Committed ──draw──> Blind ──all committed──> Opening ──open──> Reveal ──settle──> Verified
//!                      │ ^ redraw                 │                │
//!                      └─┴──────────── settle ────┴────> Failed <──┴── verdict: worker lost
//! ```
//!
//! Every transition checks everything first, then changes the round and returns [`Effect`]s, which the caller carries out in
//! order. A refused transition changes nothing. No transition reads a clock: `now` is the block it happens in.

mod drawn;
mod due;
mod reveal;
mod settle;
mod state;

pub use due::{Due, Step};
pub use state::{
	Challenge, Check, CheckState, Effect, Phase, Replacement, Round, RoundContext, SegmentOpening, SegmentRound,
};

#[cfg(test)]
mod tests;
