//! The judge over the micro-ops of a real step: true claims stand, false ones fall, bad evidence changes nothing.

mod fixture;

use assay_commitment::{chunk_cv, Hash, OpeningError, TensorTree};
use assay_program::{Op, OpKind, Opened, ProgramOpeningError};
use assay_referee::{
	build_evidence, judge, run_chain, Evidence, EvidenceError, MicroClaim, MicroEvidence, Refutation, Source, StepData,
	Target, Verdict,
};
use codec::{Decode, Encode};
use fixture::Run;

const WRONG: Result<Verdict, EvidenceError> = Ok(Verdict::Refuted(Refutation::WrongResult));

/// The true claim about a micro-op.
fn truth(run: &Run, op: u32, chunk: u32, link: u32) -> Target {
	let chain = run_chain(run, op, chunk).unwrap();
	let hashes = chain.hashes(op, chunk);
	let claimed = match hashes.get(link as usize) {
		Some(hash) => *hash,
		None => chunk_cv(chunk, &chain.output.unwrap()).unwrap(),
	};
	let previous = link.checked_sub(1).map(|before| hashes[before as usize]);
	Target::Micro { op, chunk, link, previous, claimed }
}

fn flip(hash: &mut Hash, bit: usize) {
	hash[bit / 8] ^= 1 << (bit % 8);
}

fn with_claimed(mut target: Target, change: impl Fn(&mut Hash)) -> Target {
	match &mut target {
		Target::Micro { claimed, .. } | Target::StateLeaf { claimed, .. } => change(claimed),
	}
	target
}

#[test]
fn every_op_stands_and_every_flipped_bit_falls() {
	let run = fixture::run();
	let mut chains = 0;
	for op in 0..run.program.ops.len() as u32 {
		let geometry = run.program.geometry(op as usize).unwrap();
		let chunks = geometry.output_layout().chunks();
		chains += u32::from(geometry.chain_len() > 1);
		// The chaining values that the chain yields are those of the output's tree.
		let bytes = run.tensor(run.program.ops[op as usize].output).unwrap();
		let tree = TensorTree::build(&bytes).unwrap();
		for chunk in [0, 1, chunks / 2, chunks - 1] {
			for link in 0..geometry.chain_len() {
				let target = truth(&run, op, chunk, link);
				if let (Target::Micro { claimed, .. }, true) = (target, link + 1 == geometry.chain_len()) {
					assert_eq!(claimed, tree.tree().leaves()[chunk as usize]);
				}
				let evidence = build_evidence(&run, &target).unwrap();
				assert_eq!(Evidence::decode(&mut &evidence.encode()[..]).unwrap(), evidence);
				assert!(evidence.encoded_size() <= 192 << 10);
				assert_eq!(
					judge(&run.claim(target), &evidence),
					Ok(Verdict::Upheld),
					"op {op} chunk {chunk} link {link}"
				);
				for bit in (op as usize % 7..256).step_by(51) {
					let false_target = with_claimed(target, |claimed| flip(claimed, bit));
					assert_eq!(judge(&run.claim(false_target), &evidence), WRONG);
				}
			}
		}
	}
	assert_eq!(chains, 3, "one matrix product and two reductions have several links");
}

#[test]
fn every_flipped_bit_of_an_output_element_falls() {
	let run = fixture::run();
	let (op, chunk) = (4, 1);
	let target = truth(&run, op, chunk, 0);
	let evidence = build_evidence(&run, &target).unwrap();
	let bytes = run_chain(&run, op, chunk).unwrap().output.unwrap();
	for bit in 0..8 * bytes.len() {
		let mut wrong = bytes;
		wrong[bit / 8] ^= 1 << (bit % 8);
		let claimed = with_claimed(target, |claimed| *claimed = chunk_cv(chunk, &wrong).unwrap());
		assert_eq!(judge(&run.claim(claimed), &evidence), WRONG);
	}
}

type TraceChange<'a> = &'a dyn Fn(&mut Opened<Op>, &mut Hash, &mut Vec<Hash>);
type StateChange<'a> = &'a dyn Fn(&mut Hash, &mut u32, &mut u32, &mut Vec<Hash>);

fn micro(evidence: &Evidence) -> MicroEvidence {
	match evidence {
		Evidence::Micro(evidence) => (**evidence).clone(),
		Evidence::State(_) => panic!("kind"),
	}
}

#[test]
fn corrupted_evidence_is_rejected_with_its_reason() {
	let run = fixture::run();
	// Op 3: xb (trace) times w1 (state), 3 links.
	let target = truth(&run, 3, 0, 1);
	let claim = run.claim(target);
	let good = micro(&build_evidence(&run, &target).unwrap());
	let check = |error, change: &dyn Fn(&mut MicroEvidence)| {
		let mut changed = good.clone();
		change(&mut changed);
		assert_eq!(judge(&claim, &Evidence::Micro(Box::new(changed))), Err(error));
	};
	check(EvidenceError::WrongProgram, &|e| e.program.n_ops += 1);
	check(EvidenceError::WrongOp, &|e| e.op.op.index = 4);
	check(EvidenceError::Program(ProgramOpeningError::Op), &|e| e.op.op.item.inputs.swap(0, 1));
	check(EvidenceError::Program(ProgramOpeningError::Op), &|e| e.op.op.proof[0][0] ^= 1);
	check(EvidenceError::Program(ProgramOpeningError::Op), &|e| e.op.op.proof.truncate(1));
	check(EvidenceError::Program(ProgramOpeningError::OutputDecl), &|e| e.op.output.item.cols += 1);
	check(EvidenceError::Program(ProgramOpeningError::OutputDecl), &|e| e.op.output = e.op.inputs[0].clone());
	check(EvidenceError::Program(ProgramOpeningError::InputCount), &|e| drop(e.op.inputs.pop()));
	check(EvidenceError::Program(ProgramOpeningError::InputDecl { input: 1 }), &|e| e.op.inputs[1].item.rows += 1);
	check(EvidenceError::SourceCount, &|e| drop(e.sources.pop()));
	check(EvidenceError::SourceKind { operand: 0 }, &|e| e.sources[0] = Source::Data);
	check(EvidenceError::SourceKind { operand: 0 }, &|e| e.sources.swap(0, 1));
	let trace = |change: TraceChange| {
		check(EvidenceError::Source { operand: 0 }, &|e| match &mut e.sources[0] {
			Source::Trace { producer, root, proof } => change(producer, root, proof),
			_ => panic!("kind"),
		});
	};
	trace(&|_, root, _| root[0] ^= 1);
	trace(&|_, _, proof| proof[0][0] ^= 1);
	trace(&|_, _, proof| proof.truncate(1));
	trace(&|producer, _, _| producer.index = 1);
	trace(&|producer, _, _| producer.item.kind = OpKind::OneHot);
	let state = |change: StateChange| {
		check(EvidenceError::Source { operand: 1 }, &|e| match &mut e.sources[1] {
			Source::State { root, tensors, index, proof } => change(root, tensors, index, proof),
			_ => panic!("kind"),
		});
	};
	state(&|root, _, _, _| root[31] ^= 128);
	state(&|_, tensors, _, _| *tensors += 1);
	state(&|_, tensors, _, _| *tensors = u32::MAX);
	state(&|_, _, index, _| *index += 1);
	state(&|_, _, index, _| *index = u32::MAX);
	state(&|_, _, _, proof| proof.push([0; 32]));
	check(EvidenceError::OpeningList, &|e| drop(e.openings.pop()));
	check(EvidenceError::OpeningList, &|e| e.openings.swap(0, 1));
	check(EvidenceError::OpeningList, &|e| e.openings[0].log2 = 9);
	let wrong_root = EvidenceError::Opening { index: 2, error: OpeningError::WrongRoot };
	check(wrong_root, &|e| e.openings[2].bytes[5] ^= 1);
	check(wrong_root, &|e| e.openings[2].proof[0][5] ^= 1);
	check(EvidenceError::Opening { index: 2, error: OpeningError::Length }, &|e| e.openings[2].bytes.truncate(1023));
	check(EvidenceError::Accumulator, &|e| e.accumulator[9] ^= 1);
	check(EvidenceError::Accumulator, &|e| e.accumulator.clear());

	let evidence = Evidence::Micro(Box::new(good.clone()));
	let claims = |error, change: &dyn Fn(&mut MicroClaim)| {
		let mut changed = claim;
		change(&mut changed);
		assert_eq!(judge(&changed, &evidence), Err(error));
	};
	claims(EvidenceError::WrongProgram, &|c| c.program_root[0] ^= 1);
	claims(EvidenceError::Source { operand: 0 }, &|c| c.trace_root[0] ^= 1);
	claims(EvidenceError::Source { operand: 1 }, &|c| c.pre_state_root[0] ^= 1);
	claims(EvidenceError::WrongTarget, &|c| c.target = Target::StateLeaf { index: 0, claimed: [0; 32] });
	let at = |change: &dyn Fn(&mut u32, &mut u32, &mut Option<Hash>)| {
		let mut target = target;
		if let Target::Micro { chunk, link, previous, .. } = &mut target {
			change(chunk, link, previous);
		}
		judge(&MicroClaim { target, ..claim }, &evidence)
	};
	assert_eq!(at(&|_, _, previous| *previous = None), Err(EvidenceError::BadClaim));
	assert_eq!(at(&|chunk, _, _| *chunk = u32::MAX), Err(EvidenceError::BadClaim));
	assert_eq!(at(&|_, link, _| *link = 3), Err(EvidenceError::BadClaim));
	assert_eq!(at(&|_, link, _| *link = 0), Err(EvidenceError::OpeningList));
}

#[test]
fn an_operand_may_not_come_from_a_later_op() {
	let run = fixture::run();
	let target = truth(&run, 6, 0, 0);
	let mut evidence = micro(&build_evidence(&run, &target).unwrap());
	let later = build_evidence(&run, &truth(&run, 13, 0, 0)).unwrap();
	// Op 13 reads h (op 5) as well; give op 6 the honest proof of an op after it.
	evidence.sources[0] = micro(&later).sources[1].clone();
	assert_eq!(
		judge(&run.claim(target), &Evidence::Micro(Box::new(evidence))),
		Err(EvidenceError::Source { operand: 0 })
	);
}

#[test]
fn a_batch_of_another_step_needs_other_rows() {
	let run = fixture::run();
	let target = truth(&run, 0, 0, 0);
	let evidence = build_evidence(&run, &target).unwrap();
	let mut claim = run.claim(target);
	assert_eq!(judge(&claim, &evidence), Ok(Verdict::Upheld));
	claim.step += 1;
	assert_eq!(judge(&claim, &evidence), Err(EvidenceError::OpeningList));
}

mod non_finite {
	use super::*;
	use assay_commitment::{Combiner, Domain, Tree};
	use assay_program::{BinaryKind, DType, Init, Role};
	use assay_referee::{run_step, whole, RunError, StepRun, Values};
	use fixture::{s, t, Builder, STEP};

	#[test]
	fn a_claim_about_a_non_finite_output_falls() {
		let mut b = Builder::new(1);
		let w = b.tensor("w", DType::F32, 3, 3, Role::Param(Init::Constant(0x7f7f_ffff)));
		let grown = b.op(OpKind::Binary(BinaryKind::Mul), &[t(w), s(2.0)], 3, 3);
		b.update(w, grown);
		let (program, data) = (b.program, Values::new());
		program.validate(&Default::default()).unwrap();
		let before = whole::init_state(&program);
		assert_eq!(run_step(&program, STEP, &before, &data), Err(RunError::NonFinite { step: STEP, op: 0 }));

		// The defender goes on with infinities.
		let step = StepRun { outputs: vec![vec![0x7f80_0000; 9]], state: before.clone() };
		let leaves = whole::trace_leaves(&program, STEP, &step).unwrap();
		assert!(Tree::build(Combiner::Merkle(Domain::Trace), leaves.clone()).is_some());
		let run = Run { program, before, data, step, leaves };
		let bytes = run.tensor(grown).unwrap();
		let claimed = chunk_cv(0, &bytes[..1024]).unwrap();
		let target = Target::Micro { op: 0, chunk: 0, link: 0, previous: None, claimed };
		let evidence = build_evidence(&run, &target).unwrap();
		assert_eq!(judge(&run.claim(target), &evidence), Ok(Verdict::Refuted(Refutation::NonFinite)));
	}
}
