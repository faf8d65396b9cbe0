use crate::{mock::*, Error, WeightInfo};
use assay_protocol::{records::disputes::LeafKind, Reason};
use assay_referee::Evidence;
use codec::Encode;
use frame_support::{
	assert_noop,
	dispatch::{GetDispatchInfo, Pays},
};
use program::{Lie, Run, MATMUL_OP};

const LIE: Lie = Lie::Output { step: 7, op: MATMUL_OP, element: 17 };

fn at_leaf() -> Evidence {
	let (honest, liar) = (Run::honest(), Run::lying(LIE));
	lease(&honest, 1);
	disputed(&liar, &honest);
	play_to_leaf(0, &liar, &honest)
}

#[test]
fn success_basic() {
	run(|| {
		let evidence = at_leaf();
		let before = dispute(0);
		let call = crate::Call::<Test>::submit_evidence { id: 0, evidence: Box::new(evidence.clone()) };
		let declared = call.get_dispatch_info().call_weight;
		let post = Disputes::submit_evidence(signed(&ANYONE), 0, Box::new(evidence)).expect("the evidence rules");
		assert_eq!(post.pays_fee, Pays::No);
		let actual = post.actual_weight.expect("metered");
		assert!(actual.ref_time() < declared.ref_time(), "the micro-operation is smaller than the largest");
		let (moves, bytes, leaf, referee) = events()
			.into_iter()
			.find_map(|event| match event {
				RuntimeEvent::Disputes(crate::Event::Ended { moves, bytes, leaf, referee, .. }) => {
					Some((moves, bytes, leaf, referee))
				}
				_ => None,
			})
			.expect("it ended");
		assert_eq!(moves, before.moves + 1);
		assert_eq!((bytes - before.bytes) as usize, RuntimeCall::Disputes(call).encoded_size());
		let product = assay_program::OpKind::MatMul { trans_a: false, trans_b: false };
		assert_eq!(leaf, Some(LeafKind::Op(product)));
		let base = <Test as crate::Config>::WeightInfo::submit_evidence(0, 0);
		assert!(referee.all_gte(base) && referee != base);
	});
}

#[test]
fn fails_before_the_leaf() {
	run(|| {
		let evidence = at_leaf();
		// A second dispute over the same job at its first phase.
		let mut record = dispute(0);
		record.state =
			assay_protocol::dispute::DisputeState::open(&record.context, System::block_number()).expect("opens");
		let at_leaf = crate::Disputes::<Test>::get(0).expect("runs");
		crate::Disputes::<Test>::insert(0, record);
		assert_noop!(
			Disputes::submit_evidence(signed(&ANYONE), 0, Box::new(evidence)),
			Error::<Test>::Refused(Reason::WrongPhase.into())
		);
		crate::Disputes::<Test>::insert(0, at_leaf);
	});
}

#[test]
fn fails_with_forged_openings_and_changes_nothing() {
	run(|| {
		let evidence = at_leaf();
		let Evidence::Micro(micro) = &evidence else { panic!("a micro-operation") };
		let mut flipped = micro.clone();
		flipped.openings[0].bytes[0] ^= 1;
		let mut short = micro.clone();
		short.openings.pop();
		let mut other_op = micro.clone();
		other_op.op.op.index ^= 1;
		let mut accumulator = micro.clone();
		accumulator.accumulator.push(0);
		for forged in [flipped, short, other_op, accumulator] {
			assert_noop!(
				Disputes::submit_evidence(signed(&ANYONE), 0, Box::new(Evidence::Micro(forged))),
				Error::<Test>::Refused(Reason::EvidenceInvalid.into())
			);
		}
	});
}

#[test]
fn fails_when_too_large() {
	run(|| {
		let Evidence::Micro(mut micro) = at_leaf() else { panic!("a micro-operation") };
		micro.accumulator = vec![0; 170 << 10];
		assert_noop!(
			Disputes::submit_evidence(signed(&ANYONE), 0, Box::new(Evidence::Micro(micro))),
			Error::<Test>::Refused(Reason::EvidenceTooLarge.into())
		);
	});
}

#[test]
fn the_largest_micro_operation_fits_a_block() {
	let largest =
		<Test as crate::Config>::WeightInfo::submit_evidence(crate::weights::MAX_BYTES, crate::weights::MAX_OPS);
	// A tenth of a 2 s block.
	assert!(largest.ref_time() < 200_000_000_000, "{largest:?}");
}
