//! Happenings as lines for people.

use super::{Entry, Happening, Why};
use crate::units::amount;
use std::fmt;

impl fmt::Display for Why {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} ({})", self.title, self.code)
	}
}

impl fmt::Display for Entry {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "#{:<7} {}", self.block, self.event)
	}
}

impl fmt::Display for Happening {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Posted { client, escrow } => write!(f, "posted by {client}, {} in escrow", amount(*escrow)),
			Self::Bid { worker, price } => write!(f, "bid of {} by {worker}", amount(*price)),
			Self::BidRemoved { worker, reason: Some(reason) } => write!(f, "bid of {worker} gone: {reason}"),
			Self::BidRemoved { worker, reason: None } => {
				write!(f, "bid of {worker} no longer stands; its deposit returned")
			}
			Self::Lease { worker, price, collateral, attempt } => {
				write!(f, "lease {attempt} to {worker} for {}, collateral {}", amount(*price), amount(*collateral))
			}
			Self::AuctionFailed => write!(f, "no bidder was able any more; bidding starts anew"),
			Self::Committed { milestone, root } => write!(f, "milestone {milestone} committed: {root}"),
			Self::Drawn { milestone, segments, .. } => {
				let list: Vec<String> = segments
					.iter()
					.map(|drawn| format!("{} ({})", drawn.segment, drawn.verifiers.join(", ")))
					.collect();
				write!(f, "milestone {milestone} drawn: segments {}", list.join(", "))
			}
			Self::DrawWaits { milestone, .. } => {
				write!(f, "milestone {milestone}: too many verifiers are busy; the draw waits, its seed is fixed")
			}
			Self::Redrawn { milestone, segment, verifiers } => {
				write!(
					f,
					"milestone {milestone}, segment {segment}: absent verifiers replaced by {}",
					verifiers.join(", ")
				)
			}
			Self::Blind { milestone, segment, verifier } => {
				write!(f, "milestone {milestone}, segment {segment}: {verifier} has executed it and committed blind")
			}
			Self::OpeningDue { milestone, until } => {
				write!(f, "milestone {milestone}: the worker must open by block {until}")
			}
			Self::Opened { milestone, until } => {
				write!(f, "milestone {milestone} opened: verifiers reveal by block {until}")
			}
			Self::Revealed { milestone, segment, verifier, agreed } => {
				let word = if *agreed { "agrees" } else { "found another result" };
				write!(f, "milestone {milestone}, segment {segment}: {verifier} {word}")
			}
			Self::Unserved { milestone, segment, verifier, until } => {
				write!(f, "milestone {milestone}, segment {segment}: {verifier} was not served; the worker must answer by block {until}")
			}
			Self::AlsoUnserved { milestone, segment, verifier } => {
				write!(f, "milestone {milestone}, segment {segment}: {verifier} was not served either")
			}
			Self::ChallengeAnswered { milestone, segment } => {
				write!(f, "milestone {milestone}, segment {segment}: the worker proved that it holds the state")
			}
			Self::Verified { milestone, checks, .. } => write!(f, "milestone {milestone} verified by {checks} checks"),
			Self::MilestoneFailed { milestone, reason } => write!(f, "milestone {milestone} failed: {reason}"),
			Self::Paid { milestone, paid, fees, state_root } => {
				write!(
					f,
					"milestone {milestone} paid: {} to the worker, {} to verifiers; state {state_root}",
					amount(*paid),
					amount(*fees)
				)
			}
			Self::DisputeOpened { dispute, milestone, segment, worker, verifier } => {
				write!(f, "dispute {dispute} opened: {verifier} accuses {worker} over milestone {milestone}, segment {segment}")
			}
			// The place is unknown where the dispute ended in the same block.
			Self::DisputeMoved { dispute, moves, waits_for, at, deadline } if at.is_empty() => {
				write!(f, "dispute {dispute}, move {moves}; {waits_for} next, by block {deadline}")
			}
			Self::DisputeMoved { dispute, moves, waits_for, at, deadline } => {
				write!(f, "dispute {dispute}, move {moves}: down to {at}; {waits_for} next, by block {deadline}")
			}
			Self::DisputeEnded { dispute, winner, reason, leaf, moves, bytes, .. } => {
				let leaf = leaf.as_deref().unwrap_or("no");
				write!(f, "dispute {dispute} ended, the {winner} was right: {reason}; {leaf} leaf, {moves} moves, {bytes} bytes")
			}
			Self::DisputeDismissed { dispute } => {
				write!(f, "dispute {dispute} dismissed: the matter was decided elsewhere")
			}
			Self::WorkerSlashed { worker, to_client, to_challenger, burned } => write!(
				f,
				"{worker} slashed: {} to the client, {} to the challenger, {} burned",
				amount(*to_client),
				amount(*to_challenger),
				amount(*burned)
			),
			Self::LeaseEnded { worker, reason } => write!(f, "lease of {worker} ended: {reason}"),
			Self::Reopened { milestone, max_price, attempt } => {
				write!(
					f,
					"order up again from milestone {milestone} for at most {} (lease {attempt})",
					amount(*max_price)
				)
			}
			Self::Closed { reason, paid, refunded, .. } => {
				write!(f, "closed: {reason}; {} paid to workers, {} returned", amount(*paid), amount(*refunded))
			}
			Self::FeesBurned { seats, burned } => write!(
				f,
				"{} of the fees burned: {seats} verifiers were drawn and never heard of, and nobody checked the segment",
				amount(*burned)
			),
			Self::CancelRequested => {
				write!(f, "the client takes the job back; what is committed is decided and paid first")
			}
			Self::Forgotten => write!(f, "record removed from the chain"),
		}
	}
}
