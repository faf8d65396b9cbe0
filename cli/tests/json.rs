//! Names of fields in JSON are those of docs/json-output.md.

#[path = "../src/documented.rs"]
mod documented;

use assay_cli::{
	bidders::{Bidder, Obstacle},
	conformance::Outcome,
	estimate::{Estimate, Network},
	explain::{Explanation, ReasonText},
	history::{DrawnSegment, Entry, Happening, Why},
	job_file::Draft,
	operator::{Earning, Missed, Standing},
	timing::Time,
};
use assay_protocol::{parameters::Parameters, Reason};
use documented::assert_documented;
use std::path::Path;

fn why() -> Why {
	Reason::LostDispute.into()
}

fn obstacle() -> Obstacle {
	Obstacle { code: Some(10_003), text: "text".into() }
}

/// One event of every kind. The match below does not compile when a kind is missing there; add it to both.
fn all_events() -> Vec<Happening> {
	let text = || String::from("text");
	let (milestone, segment, dispute, until) = (0, 0, 0, 0);
	vec![
		Happening::Posted { client: text(), escrow: 0 },
		Happening::Bid { worker: text(), price: 0 },
		Happening::BidRemoved { worker: text(), reason: Some(why()) },
		Happening::Lease { worker: text(), price: 0, collateral: 0, attempt: 0 },
		Happening::AuctionFailed,
		Happening::Committed { milestone, root: text() },
		Happening::Drawn { milestone, seed: text(), segments: vec![DrawnSegment { segment, verifiers: vec![text()] }] },
		Happening::Redrawn { milestone, segment, verifiers: vec![text()] },
		Happening::Blind { milestone, segment, verifier: text() },
		Happening::OpeningDue { milestone, until },
		Happening::Opened { milestone, until },
		Happening::Revealed { milestone, segment, verifier: text(), agreed: true },
		Happening::Unserved { milestone, segment, verifier: text(), until },
		Happening::ChallengeAnswered { milestone, segment },
		Happening::Verified { milestone, state_root: text(), checks: 0 },
		Happening::MilestoneFailed { milestone, reason: why() },
		Happening::Paid { milestone, state_root: text(), paid: 0, fees: 0 },
		Happening::DisputeOpened { dispute, milestone, segment, worker: text(), verifier: text() },
		Happening::DisputeMoved { dispute, moves: 0, waits_for: "worker", at: text(), deadline: 0 },
		Happening::DisputeEnded {
			dispute,
			milestone,
			segment,
			winner: "worker",
			reason: why(),
			leaf: Some(text()),
			moves: 0,
			bytes: 0,
		},
		Happening::DisputeDismissed { dispute },
		Happening::WorkerSlashed { worker: text(), to_client: 0, to_challenger: 0, burned: 0 },
		Happening::LeaseEnded { worker: text(), reason: why() },
		Happening::Reopened { milestone, max_price: 0, attempt: 0 },
		Happening::Closed { reason: why(), result_root: text(), paid: 0, refunded: 0 },
		Happening::Forgotten,
		Happening::DrawWaits { milestone, seed: text() },
		Happening::AlsoUnserved { milestone, segment, verifier: text() },
		Happening::CancelRequested,
		Happening::FeesBurned { seats: 0, burned: 0 },
	]
}

const fn kind(event: &Happening) -> usize {
	match event {
		Happening::Posted { .. } => 0,
		Happening::Bid { .. } => 1,
		Happening::BidRemoved { .. } => 2,
		Happening::Lease { .. } => 3,
		Happening::AuctionFailed => 4,
		Happening::Committed { .. } => 5,
		Happening::Drawn { .. } => 6,
		Happening::Redrawn { .. } => 7,
		Happening::Blind { .. } => 8,
		Happening::OpeningDue { .. } => 9,
		Happening::Opened { .. } => 10,
		Happening::Revealed { .. } => 11,
		Happening::Unserved { .. } => 12,
		Happening::ChallengeAnswered { .. } => 13,
		Happening::Verified { .. } => 14,
		Happening::MilestoneFailed { .. } => 15,
		Happening::Paid { .. } => 16,
		Happening::DisputeOpened { .. } => 17,
		Happening::DisputeMoved { .. } => 18,
		Happening::DisputeEnded { .. } => 19,
		Happening::DisputeDismissed { .. } => 20,
		Happening::WorkerSlashed { .. } => 21,
		Happening::LeaseEnded { .. } => 22,
		Happening::Reopened { .. } => 23,
		Happening::Closed { .. } => 24,
		Happening::Forgotten => 25,
		Happening::DrawWaits { .. } => 26,
		Happening::AlsoUnserved { .. } => 27,
		Happening::CancelRequested => 28,
		Happening::FeesBurned { .. } => 29,
	}
}

#[test]
fn events() {
	for (at, event) in all_events().into_iter().enumerate() {
		assert_eq!(kind(&event), at);
		let mut value = serde_json::to_value(Entry { block: 7, event }).expect("JSON");
		let fields = value.as_object_mut().expect("an object");
		assert_eq!(fields.remove("block"), Some(7.into()));
		let name = fields.remove("event").expect("every entry names its event");
		assert_documented(name.as_str().expect("text"), &value);
	}
}

#[test]
fn estimates() {
	let draft = Draft::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits.yaml")).expect("valid");
	let mut estimate = Estimate::of(&draft, &Parameters::development()).expect("accepted");
	estimate.network = Some(Network {
		block: 1,
		workers: vec![Bidder { worker: String::new(), could_bid: false, obstacles: vec![obstacle()] }],
		verifiers_ready: 0,
		verifiers_needed: 0,
	});
	estimate.take(Time::of(1.0, 0.0, &draft, &Parameters::development()));
	assert!(!estimate.detection.is_empty());
	assert!(
		estimate.warnings.iter().any(|warning| warning.contains("50.0 s for a segment")),
		"{:?}",
		estimate.warnings
	);
	assert_documented("job check", &estimate);
}

#[test]
fn explanations() {
	let reason = || ReasonText::from(Reason::LostDispute);
	let text = || String::from("text");
	assert_documented("reasons", &reason());
	let closed = Some(reason());
	let explanation =
		Explanation { job: 0, block: 0, now: text(), next: text(), closed, evidence: vec![], reasons: vec![reason()] };
	let mut value = serde_json::to_value(explanation).expect("JSON");
	let closed = value.as_object_mut().expect("an object").insert("closed".into(), serde_json::Value::Null);
	assert_documented("reasons", &closed);
	assert_documented("job explain", &value);
}

#[test]
fn standings() {
	let standing = Standing {
		account: String::new(),
		role: "worker",
		block: 0,
		state: String::new(),
		next: None,
		bond: 0,
		locked: 0,
		unbonding: 0,
		withdraw_from: None,
		free: 0,
		done: 0,
		failed: 0,
		absences: 0,
		faults: 0,
		earned: vec![Earning { job: 0, units: 0, paid: 0, ended: Some(why()) }],
		missed: vec![Missed { job: 0, why: vec![obstacle()] }],
		since: 0,
	};
	assert_documented("status", &standing);
}

#[test]
fn conformance() {
	let outcome =
		Outcome { path: "portable", threads: 1, run: "mlp", root: None, conforms: true, milliseconds: 0, error: None };
	assert_documented("check.outcomes", &outcome);
}
