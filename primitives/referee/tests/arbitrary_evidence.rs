//! Whatever bytes arrive as evidence, the judge neither panics nor rules against the truth.

mod fixture;

use assay_commitment::chunk_cv;
use assay_referee::{
	build::state_tree, build_evidence, judge, run_chain, whole, Evidence, MicroClaim, Refutation, Target, Verdict,
};
use codec::{Decode, Encode};
use proptest::{prelude::*, sample::Index};
use std::sync::LazyLock;

/// True claims of several kinds, each with the encoding of its evidence.
static CASES: LazyLock<Vec<(MicroClaim, Vec<u8>)>> = LazyLock::new(|| {
	let run = fixture::run();
	let mut cases = Vec::new();
	for (op, link) in [(0, 0), (2, 0), (3, 1), (7, 0), (20, 0), (24, 9)] {
		let chain = run_chain(&run, op, 0).unwrap();
		let hashes = chain.hashes(op, 0);
		let claimed = hashes.get(link as usize).copied();
		let claimed = claimed.unwrap_or_else(|| chunk_cv(0, &chain.output.unwrap()).unwrap());
		let previous = (link > 0).then(|| hashes[link as usize - 1]);
		let target = Target::Micro { op, chunk: 0, link, previous, claimed };
		cases.push((run.claim(target), build_evidence(&run, &target).unwrap().encode()));
	}
	let roots = whole::state_roots(&run.program, &run.step.state).unwrap();
	let state = state_tree(&run.program, fixture::STEP + 1, &roots).unwrap();
	for (claimed, index) in state.leaves().iter().zip(0..) {
		let target = Target::StateLeaf { index, claimed: *claimed };
		cases.push((run.claim(target), build_evidence(&run, &target).unwrap().encode()));
	}
	cases
});

proptest! {
	#![proptest_config(ProptestConfig::with_cases(2000))]

	#[test]
	fn changed_evidence_never_overturns_a_claim(
		case in any::<Index>(),
		changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
		near_start in any::<bool>(),
		cut in proptest::option::weighted(0.1, any::<Index>()),
	) {
		let (claim, good) = case.get(&CASES);
		let mut bytes = good.clone();
		for (index, byte) in changes {
			// Most structure is in front of the openings.
			let end = if near_start { bytes.len().min(1500) } else { bytes.len() };
			let index = index.index(end);
			bytes[index] = byte;
		}
		if let Some(cut) = cut {
			bytes.truncate(cut.index(bytes.len()));
		}
		let Ok(evidence) = Evidence::decode(&mut &bytes[..]) else { return Ok(()) };
		match judge(claim, &evidence) {
			Ok(verdict) => prop_assert_eq!(verdict, Verdict::Upheld),
			Err(error) => prop_assert!(!error.to_string().is_empty()),
		}
		let mut lie = *claim;
		match &mut lie.target {
			Target::Micro { claimed, .. } | Target::StateLeaf { claimed, .. } => claimed[7] ^= 4,
		}
		if let Ok(verdict) = judge(&lie, &evidence) {
			prop_assert_eq!(verdict, Verdict::Refuted(Refutation::WrongResult));
		}
	}

	#[test]
	fn arbitrary_bytes_never_panic(case in any::<Index>(), bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
		let (claim, _) = case.get(&CASES);
		if let Ok(evidence) = Evidence::decode(&mut &bytes[..]) {
			prop_assert!(judge(claim, &evidence).is_err());
		}
	}
}
