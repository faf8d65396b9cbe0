//! Events of the market.

use super::{Happening, Why};
use assay_agent::{
	chain::ChainEvent,
	keys::{address, Account},
	ChainError,
};
use assay_protocol::{Balance, Hash, JobId, MilestoneIndex, Reason};

/// What an event of the market, whose first field is the job, says about it.
pub(super) fn happening(event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
	Ok(Some(match event.name.as_str() {
		"JobPosted" => {
			let (_, client, escrow): (JobId, Account, Balance) = event.decode()?;
			Happening::Posted { client: address(&client), escrow }
		}
		"BidPlaced" => {
			let (_, worker, price): (JobId, Account, Balance) = event.decode()?;
			Happening::Bid { worker: address(&worker), price }
		}
		"BidRemoved" => {
			let (_, worker, reason): (JobId, Account, Option<Reason>) = event.decode()?;
			Happening::BidRemoved { worker: address(&worker), reason: reason.map(Why::from) }
		}
		"LeaseGranted" => {
			let (_, worker, price, collateral, attempt): (JobId, Account, Balance, Balance, u32) = event.decode()?;
			Happening::Lease { worker: address(&worker), price, collateral, attempt }
		}
		"AuctionFailed" => Happening::AuctionFailed,
		"MilestonePaid" => {
			let (_, milestone, root, paid, fees): (JobId, MilestoneIndex, Hash, Balance, Balance) = event.decode()?;
			Happening::Paid { milestone, state_root: hex::encode(root), paid, fees }
		}
		"LeaseEnded" => {
			let (_, worker, reason): (JobId, Account, Reason) = event.decode()?;
			Happening::LeaseEnded { worker: address(&worker), reason: reason.into() }
		}
		"OrderReopened" => {
			let (_, milestone, max_price, attempt): (JobId, MilestoneIndex, Balance, u32) = event.decode()?;
			Happening::Reopened { milestone, max_price, attempt }
		}
		"JobClosed" => {
			let (_, reason, _, root, paid, refunded): (JobId, Reason, u16, Hash, Balance, Balance) = event.decode()?;
			Happening::Closed { reason: reason.into(), result_root: hex::encode(root), paid, refunded }
		}
		"FeesBurned" => {
			let (_, seats, burned): (JobId, u32, Balance) = event.decode()?;
			Happening::FeesBurned { seats, burned }
		}
		"CancelRequested" => Happening::CancelRequested,
		"JobForgotten" => Happening::Forgotten,
		_ => return Ok(None),
	}))
}
