//! Records for the unit tests.

use assay_protocol::{
	job::{Clearing, JobSpec, Offer, Verify},
	parameters::UNIT,
	records::operators::{Capabilities, Contact, Operator, Reputation, Service, State},
};

pub(crate) fn spec() -> JobSpec {
	let text =
		"kind: train\nmodel: {type: mlp, layers: [2, 4, 2]}\ndata: {file: xor.csv}\ntrain: {steps: 24, batch: 4}\n\
		offer: {max: 20, best_bid: 4}\nverify: {insured_value: 30}\n";
	let folder = tempfile::tempdir().unwrap();
	std::fs::write(folder.path().join("xor.csv"), "0,0,0\n0,1,1\n1,0,1\n1,1,0\n0,0,0\n").unwrap();
	let file = crate::job_file::JobFile::parse("xor.yaml", text).unwrap();
	let draft = crate::job_file::Draft::build(file, folder.path()).unwrap();
	let spec = draft.spec;
	assert_eq!(spec.offer, Offer { max_price: 20 * UNIT, clearing: Clearing::BestBid { window: 4 }, deadline: 3_600 });
	assert_eq!(spec.verify, Verify { drawn: 1, verifiers: 1, insured_value: 30 * UNIT, fee_per_check: UNIT / 10 });
	JobSpec { memory_mib: 64, ..spec }
}

pub(crate) fn worker(bond: u128, memory_mib: u32) -> Operator {
	Operator {
		bond,
		locked: 0,
		unbonding: None,
		state: State::Ready,
		reputation: Reputation::default(),
		contact: Contact { endpoint: Default::default(), peer_id: Default::default() },
		service: Service::Worker(Capabilities { slots: 2, cores: 1, memory_mib, devices: Default::default() }),
	}
}
