//! What `run` tells an operator whose bond on the chain is not the one that was asked for.

use assay_agent::{keys::Account, Chain};
use assay_cli::{operator::command_of, units::amount};
use assay_protocol::{parameters::UNIT, records::operators::Role, Balance};
use std::future::Future;

/// Bond to register with where none is given.
pub(super) const DEFAULT_BOND: Balance = 1_000 * UNIT;

/// Warns once where `given` has no effect, because `who` is registered already with another bond. Waits for the node as the
/// daemon does.
pub(super) async fn compare_bond(role: Role, who: Account, given: Option<Balance>, node: &str) {
	let Some(given) = given else { return };
	let Ok(chain) = Chain::connect(node).await else { return };
	let Ok(snapshot) = chain.finalized().await else { return };
	if let Ok(Some(operator)) = snapshot.operator(role, &who).await {
		if let Some(text) = difference(role, given, operator.bond) {
			tracing::warn!("{text}");
		}
	}
}

/// What to do to get from the registered bond to the given one; `None` where they are equal.
fn difference(role: Role, given: Balance, registered: Balance) -> Option<String> {
	let (verb, by) = match given.checked_sub(registered) {
		Some(0) => return None,
		Some(more) => ("bond", more),
		None => ("unbond", registered - given),
	};
	let by = amount(by);
	Some(format!(
		"--bond {} has no effect: this account is registered with {}; `assay {} {verb} {}` changes that",
		amount(given),
		amount(registered),
		command_of(role),
		by.trim_end_matches(" UNIT")
	))
}

/// Runs the daemon to its end, and beside it what has something to say at the start.
pub(super) async fn beside<T>(daemon: impl Future<Output = T>, start: impl Future<Output = ()>) -> T {
	tokio::pin!(daemon);
	tokio::select! {
		ended = &mut daemon => return ended,
		() = start => {},
	}
	daemon.await
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_command_makes_up_the_difference() {
		assert_eq!(difference(Role::Worker, 5 * UNIT, 5 * UNIT), None);
		let more = difference(Role::Worker, 2_000 * UNIT, 1_000 * UNIT + UNIT / 2).unwrap();
		assert!(more.contains("registered with 1000.5 UNIT") && more.contains("`assay provider bond 999.5`"), "{more}");
		let less = difference(Role::Verifier, 0, UNIT).unwrap();
		assert!(less.contains("`assay verifier unbond 1`"), "{less}");
	}

	#[tokio::test]
	async fn a_daemon_outlives_what_is_said_and_does_not_wait_for_it() {
		let spoken = beside(
			async {
				tokio::task::yield_now().await;
				7
			},
			async {},
		)
		.await;
		assert_eq!(spoken, 7);
		assert_eq!(beside(async { 8 }, std::future::pending()).await, 8);
	}
}
