//! Who could take a job, and why others could not.

use crate::units::amount;
use assay_agent::keys::{address, Account};
use assay_protocol::{
	job::JobSpec,
	records::operators::{Operator, Service, State},
	Balance, Reason,
};
use serde::Serialize;

/// One registered worker and whether it could bid the offer's maximum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bidder {
	/// Its account.
	pub worker: String,
	/// Whether nothing stands in the way.
	pub could_bid: bool,
	/// What stands in the way.
	pub obstacles: Vec<Obstacle>,
}

/// What keeps a worker from bidding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
	/// The chain's code for it, where the chain would refuse.
	pub code: Option<u16>,
	/// In words, with the numbers.
	pub text: String,
}

impl Obstacle {
	fn refused(reason: Reason, text: String) -> Self {
		Self { code: Some(reason.code()), text }
	}
}

/// What would keep `operator`, a worker, from bidding the maximum on `spec`.
pub fn obstacles(spec: &JobSpec, collateral: Balance, operator: &Operator) -> Vec<Obstacle> {
	let mut found = Vec::new();
	match operator.state {
		State::Ready | State::Busy { .. } => {}
		State::Draining { .. } => found.push(Obstacle::refused(Reason::BidNotReady, "is draining".into())),
		State::Unresponsive { .. } => {
			found.push(Obstacle::refused(Reason::BidNotReady, "was absent too often and has not come back".into()));
		}
		State::Jailed { until, .. } => {
			found.push(Obstacle::refused(
				Reason::BidJailed,
				format!("is jailed until block {until} of the clock after a slash"),
			));
		}
	}
	if operator.free() < collateral {
		found.push(Obstacle::refused(
			Reason::BidUndercollateralised,
			format!(
				"has {} of free bond, {} is needed at the maximum price",
				amount(operator.free()),
				amount(collateral)
			),
		));
	}
	match &operator.service {
		Service::Worker(capabilities) => {
			if operator.state.duties() >= capabilities.slots {
				let text =
					format!("runs {} of {} jobs that it takes at once", operator.state.duties(), capabilities.slots);
				found.push(Obstacle::refused(Reason::BidNotReady, text));
			}
			if capabilities.memory_mib < spec.memory_mib {
				let text = format!("offers {} MiB of memory, {} are needed", capabilities.memory_mib, spec.memory_mib);
				found.push(Obstacle { code: None, text });
			}
		}
		Service::Verifier { .. } => found.push(Obstacle { code: None, text: "is no worker".into() }),
	}
	found
}

/// Every registered worker, those that could bid first.
pub fn bidders(
	spec: &JobSpec,
	collateral: Balance,
	client: Option<&Account>,
	workers: &[(Account, Operator)],
) -> Vec<Bidder> {
	let mut bidders: Vec<Bidder> = workers
		.iter()
		.map(|(who, operator)| {
			let mut obstacles = obstacles(spec, collateral, operator);
			if client == Some(who) {
				obstacles.push(Obstacle::refused(Reason::BidByClient, "is the client itself".into()));
			}
			Bidder { worker: address(who), could_bid: obstacles.is_empty(), obstacles }
		})
		.collect();
	bidders.sort_by_key(|bidder| (!bidder.could_bid, bidder.worker.clone()));
	bidders
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::tests_support::{spec, worker};
	use assay_protocol::parameters::{Parameters, UNIT};

	#[test]
	fn every_obstacle_is_named_with_its_code() {
		let spec = spec();
		let collateral = spec.collateral(spec.offer.max_price, &Parameters::development()).unwrap();
		let able = worker(collateral, spec.memory_mib);
		assert_eq!(obstacles(&spec, collateral, &able), vec![]);
		let mut poor = able.clone();
		poor.locked = 1;
		assert_eq!(obstacles(&spec, collateral, &poor)[0].code, Some(10_022));
		let jailed = Operator { state: State::Jailed { duties: 0, until: 99 }, ..able.clone() };
		let found = obstacles(&spec, collateral, &jailed);
		assert_eq!((found.len(), found[0].code), (1, Some(10_021)));
		assert!(found[0].text.contains("99"));
		let busy = Operator { state: State::Busy { duties: 2 }, ..able.clone() };
		assert_eq!(obstacles(&spec, collateral, &busy)[0].code, Some(10_020));
		let small = worker(1_000 * UNIT, spec.memory_mib - 1);
		assert_eq!(obstacles(&spec, collateral, &small).len(), 1);
		let listed =
			bidders(&spec, collateral, Some(&[1; 32]), &[([1; 32], able.clone()), ([2; 32], able), ([3; 32], poor)]);
		assert_eq!(listed.iter().filter(|bidder| bidder.could_bid).count(), 1);
		assert_eq!(listed[0].worker, address(&[2; 32]));
	}
}
