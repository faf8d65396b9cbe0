//! The judge over the state after a real step, leaf by leaf: true claims stand, lies fall, and no forged evidence saves one.

mod fixture;

use assay_commitment::{Combiner, Domain, Hash, Node, StateLeaf, StateMeta, StateTree, Tree};
use assay_program::{DType, Init, Op, OpKind, Opened, Program, ProgramTrees, Role, TensorDecl, TensorId, Update};
use assay_referee::{
	build::state_tree, build_evidence, judge, whole, Change, Evidence, EvidenceError, MicroClaim, Refutation,
	StateEvidence, StepData, Target, TensorEvidence, Verdict,
};
use codec::{Decode, Encode};
use fixture::{s, t, Builder, Run, STEP};
use std::borrow::Cow;

const UPHELD: Result<Verdict, EvidenceError> = Ok(Verdict::Upheld);
const WRONG: Result<Verdict, EvidenceError> = Ok(Verdict::Refuted(Refutation::WrongResult));

/// Leaves of the fixture's state.
const META: u32 = 0;
const W1: u32 = 1;
const W2: u32 = 3;
const FROZEN: u32 = 4;
const RATE: u32 = 5;

/// Position of the tensor's update among w1, b1, w2 and rate.
const W2_UPDATE: u32 = 2;

fn trees(run: &Run) -> ProgramTrees {
	ProgramTrees::build(&run.program).unwrap()
}

/// The tree of the state after the step.
fn after(run: &Run) -> StateTree {
	let roots = whole::state_roots(&run.program, &run.step.state).unwrap();
	state_tree(&run.program, STEP + 1, &roots).unwrap()
}

fn claim(run: &Run, index: u32, claimed: Hash) -> MicroClaim {
	run.claim(Target::StateLeaf { index, claimed })
}

fn truth(run: &Run, index: u32) -> MicroClaim {
	claim(run, index, after(run).leaves()[index as usize])
}

fn build(run: &Run, index: u32) -> StateEvidence {
	match build_evidence(run, &Target::StateLeaf { index, claimed: [0; 32] }).unwrap() {
		Evidence::State(evidence) => *evidence,
		Evidence::Micro(_) => panic!("kind"),
	}
}

fn rule(claim: &MicroClaim, evidence: &StateEvidence) -> Result<Verdict, EvidenceError> {
	judge(claim, &Evidence::State(Box::new(evidence.clone())))
}

/// The evidence with its part about the tensor changed.
fn with(evidence: &StateEvidence, change: impl FnOnce(&mut TensorEvidence)) -> StateEvidence {
	let mut evidence = evidence.clone();
	change(evidence.tensor.as_mut().unwrap());
	evidence
}

fn flip(hash: &mut Hash) {
	hash[7] ^= 16;
}

/// The leaf of a tensor with another root.
fn leaf_with(run: &Run, index: u32, root: Hash) -> Hash {
	let (_, decl) = run.program.state_tensors().nth(index as usize - 1).unwrap();
	StateLeaf { name: decl.name.clone(), dtype: decl.dtype, rows: decl.rows, cols: decl.cols, root }.leaf()
}

fn root_before(run: &Run, index: u32) -> Hash {
	run.state_roots().unwrap()[index as usize - 1]
}

#[test]
fn every_leaf_stands_and_every_flipped_bit_falls() {
	let run = fixture::run();
	assert_eq!(trees(&run).commitment().n_state, RATE);
	for index in META..=RATE {
		let (claim, evidence) = (truth(&run, index), build(&run, index));
		let whole = Evidence::State(Box::new(evidence.clone()));
		assert_eq!(Evidence::decode(&mut &whole.encode()[..]).as_ref(), Ok(&whole));
		assert!(whole.encoded_size() <= 1400, "{} bytes", whole.encoded_size());
		assert_eq!(rule(&claim, &evidence), UPHELD, "leaf {index}");
		let Target::StateLeaf { claimed, .. } = claim.target else { panic!("target") };
		for bit in 0..256 {
			let mut claimed = claimed;
			claimed[bit / 8] ^= 1 << (bit % 8);
			assert_eq!(rule(&MicroClaim { target: Target::StateLeaf { index, claimed }, ..claim }, &evidence), WRONG);
		}
	}
	let kept = |index| matches!(build(&run, index).tensor.unwrap().change, Change::Kept { .. });
	assert_eq!((W1..=RATE).filter(|index| kept(*index)).collect::<Vec<_>>(), [FROZEN]);
}

#[test]
fn a_skipped_update_falls() {
	let run = fixture::run();
	for index in [W1, W2, RATE] {
		let claim = claim(&run, index, leaf_with(&run, index, root_before(&run, index)));
		assert_eq!(rule(&claim, &build(&run, index)), WRONG);
	}
}

type Forge<'a> = &'a dyn Fn(&mut Opened<Update>, &mut Opened<Op>, &mut Hash, &mut Vec<Hash>);

#[test]
fn an_update_from_another_op_falls() {
	let run = fixture::run();
	// Op 13 is the gradient of w2, of its shape; op 22 is what w2 becomes.
	let claim = claim(&run, W2, leaf_with(&run, W2, run.leaves[13]));
	let evidence = build(&run, W2);
	assert_eq!(rule(&claim, &evidence), WRONG);
	let forge = |forge: Forge| {
		let forged = with(&evidence, |tensor| match &mut tensor.change {
			Change::Assigned { update, producer, root, proof } => forge(update, producer, root, proof),
			Change::Kept { .. } => panic!("assigned"),
		});
		rule(&claim, &forged)
	};
	let (op, leaf, path) =
		(trees(&run).open_op(&run.program, 13).unwrap(), run.leaves[13], run.trace_proof(13).unwrap());
	// The whole truth about the other op, or parts of it.
	let other = forge(&|_, producer, root, proof| {
		(*producer, *root, *proof) = (op.clone(), leaf, path.clone());
	});
	assert_eq!(other, Err(EvidenceError::Producer));
	assert_eq!(forge(&|_, _, root, proof| (*root, *proof) = (leaf, path.clone())), Err(EvidenceError::Output));
	assert_eq!(forge(&|_, _, root, _| *root = leaf), Err(EvidenceError::Output));
	// The op under the other's number, or with the value's name.
	assert_eq!(forge(&|_, producer, _, _| producer.index = 13), Err(EvidenceError::Producer));
	let renamed = forge(&|update, producer, root, proof| {
		(*producer, *root, *proof) = (op.clone(), leaf, path.clone());
		producer.item.output = update.item.value;
	});
	assert_eq!(renamed, Err(EvidenceError::Producer));
	// An update that the program does not have, or another tensor's.
	let value = forge(&|update, producer, root, proof| {
		(*producer, *root, *proof) = (op.clone(), leaf, path.clone());
		update.item.value = op.item.output;
	});
	assert_eq!(value, Err(EvidenceError::Update));
	for index in [0, 1, 3] {
		let another = trees(&run).open_update(&run.program, index).unwrap();
		assert_eq!(forge(&|update, _, _, _| *update = another.clone()), Err(EvidenceError::Update));
		assert_eq!(forge(&|update, _, _, _| update.index = index), Err(EvidenceError::Update));
	}
	assert_eq!(forge(&|update, _, _, _| update.proof.truncate(1)), Err(EvidenceError::Update));
	assert_eq!(forge(&|_, producer, _, _| producer.proof.push([0; 32])), Err(EvidenceError::Producer));
	assert_eq!(forge(&|_, _, _, proof| proof.truncate(1)), Err(EvidenceError::Output));
	assert_eq!(forge(&|_, _, _, proof| *proof = vec![[1; 32]; 4000]), Err(EvidenceError::Output));
}

#[test]
fn a_tensor_that_changes_without_an_update_falls() {
	let run = fixture::run();
	let mut root = root_before(&run, FROZEN);
	flip(&mut root);
	let evidence = build(&run, FROZEN);
	let claim = claim(&run, FROZEN, leaf_with(&run, FROZEN, root));
	assert_eq!(rule(&claim, &evidence), WRONG);
	// The wrong old tensor, kept.
	let before = |change: &dyn Fn(&mut StateLeaf)| rule(&claim, &with(&evidence, |tensor| change(&mut tensor.before)));
	assert_eq!(before(&|before| before.root = root), Err(EvidenceError::StateBefore));
	assert_eq!(before(&|before| before.name = b"rate".to_vec()), Err(EvidenceError::StateBefore));
	assert_eq!(before(&|before| before.dtype = DType::I32), Err(EvidenceError::StateBefore));
	assert_eq!(before(&|before| (before.rows, before.cols) = (49, 1)), Err(EvidenceError::StateBefore));
	let proof = |change: &dyn Fn(&mut Vec<Hash>)| rule(&claim, &with(&evidence, |tensor| change(&mut tensor.proof)));
	assert_eq!(proof(&|proof| flip(&mut proof[1])), Err(EvidenceError::StateBefore));
	assert_eq!(proof(&|proof| proof.truncate(1)), Err(EvidenceError::StateBefore));
	assert_eq!(proof(&|proof| proof.resize(4000, [1; 32])), Err(EvidenceError::StateBefore));
	// Another tensor's evidence, for this place.
	for index in [W1, W2, RATE] {
		assert_eq!(rule(&claim, &build(&run, index)), Err(EvidenceError::StateBefore));
	}
}

#[test]
fn a_declaration_of_another_tensor_is_no_evidence() {
	let run = fixture::run();
	let (claim, evidence) = (truth(&run, FROZEN), build(&run, FROZEN));
	let forge =
		|change: &dyn Fn(&mut Opened<TensorDecl>)| rule(&claim, &with(&evidence, |tensor| change(&mut tensor.decl)));
	for id in 0..run.program.tensors.len() as u32 {
		let decl = trees(&run).open_tensor(&run.program, TensorId(id)).unwrap();
		if decl != evidence.tensor.as_ref().unwrap().decl {
			assert_eq!(forge(&|opened| *opened = decl.clone()), Err(EvidenceError::StateDecl));
			// The right declaration under another number.
			assert_eq!(forge(&|opened| opened.index = id), Err(EvidenceError::StateDecl));
		}
	}
	assert_eq!(forge(&|decl| decl.item.role = Role::State(Init::Zeros)), Err(EvidenceError::StateDecl));
	assert_eq!(forge(&|decl| decl.item.role = Role::Temp), Err(EvidenceError::StateDecl));
	assert_eq!(forge(&|decl| flip(&mut decl.proof[0])), Err(EvidenceError::StateDecl));
	assert_eq!(forge(&|decl| decl.proof.clear()), Err(EvidenceError::StateDecl));
}

#[test]
fn no_neighbours_hide_an_update() {
	let run = fixture::run();
	let trees = trees(&run);
	let updates: Vec<Option<Opened<Update>>> =
		(0..4).map(|index| trees.open_update(&run.program, index)).chain([None]).collect();
	assert!(updates[..4].iter().all(Option::is_some));
	// What a worker who skipped the update would want, over all pairs that there are.
	let skipped = claim(&run, W2, leaf_with(&run, W2, root_before(&run, W2)));
	let evidence = build(&run, W2);
	let kept = |left: &Option<Opened<Update>>, right: &Option<Opened<Update>>| {
		let (left, right) = (left.clone(), right.clone());
		with(&evidence, |tensor| tensor.change = Change::Kept { left, right })
	};
	for left in &updates {
		for right in &updates {
			assert_eq!(rule(&skipped, &kept(left, right)), Err(EvidenceError::Neighbours));
		}
	}
	// Neighbours that are none: renumbered, past the end, before the beginning.
	let (left, right) = (&updates[W2_UPDATE as usize - 1], &updates[W2_UPDATE as usize + 1]);
	let renumber = |update: &Option<Opened<Update>>, index| update.clone().map(|update| Opened { index, ..update });
	for index in [0, 1, 2, 3, 4, 5, u32::MAX - 1, u32::MAX] {
		for forged in [
			kept(&renumber(left, index), right),
			kept(left, &renumber(right, index)),
			kept(&renumber(left, index), &renumber(right, index.wrapping_add(1))),
			kept(&renumber(left, index), &None),
			kept(&None, &renumber(right, index)),
		] {
			assert_eq!(rule(&skipped, &forged), Err(EvidenceError::Neighbours));
		}
	}
	// An update of the skipped tensor under another tensor's name.
	let mut renamed = updates[W2_UPDATE as usize].clone();
	renamed.as_mut().unwrap().item.state = TensorId(3);
	assert_eq!(rule(&skipped, &kept(&renamed, right)), Err(EvidenceError::Neighbours));

	// A kept tensor, in turn, cannot be called assigned.
	let assigned = build(&run, W2).tensor.unwrap().change;
	let forged = with(&build(&run, FROZEN), |tensor| tensor.change = assigned);
	assert_eq!(rule(&truth(&run, FROZEN), &forged), Err(EvidenceError::Update));
}

/// The fixture's step by a program with fewer updates.
fn with_updates(keep: impl Fn(&Update) -> bool) -> Run {
	let mut run = fixture::run();
	run.program.updates.retain(keep);
	run.program.validate(&Default::default()).unwrap();
	for (id, _) in run.program.state_tensors() {
		if !run.program.updates.iter().any(|update| update.state == id) {
			run.step.state.insert(id, run.before[&id].clone());
		}
	}
	run.leaves = whole::trace_leaves(&run.program, STEP, &run.step).unwrap();
	run
}

#[test]
fn tensors_before_the_first_and_after_the_last_update_are_kept() {
	let ids: Vec<TensorId> = fixture::run().program.state_tensors().map(|(id, _)| id).collect();
	let only_middle = with_updates(|update| update.state == ids[1] || update.state == ids[2]);
	for index in W1..=RATE {
		let evidence = build(&only_middle, index);
		assert_eq!(rule(&truth(&only_middle, index), &evidence), UPHELD);
		let neighbours = match evidence.tensor.unwrap().change {
			Change::Kept { left, right } => Some((left.map(|left| left.index), right.map(|right| right.index))),
			Change::Assigned { .. } => None,
		};
		let expected = match index {
			W1 => Some((None, Some(0))),
			FROZEN | RATE => Some((Some(1), None)),
			_ => None,
		};
		assert_eq!(neighbours, expected, "leaf {index}");
	}
	// Where an end of the list is not next to the tensor, it proves nothing.
	let open = |index| trees(&only_middle).open_update(&only_middle.program, index);
	for (index, left, right) in [(W1, None, None), (W1, None, open(1)), (RATE, None, None), (RATE, open(0), None)] {
		let forged = with(&build(&only_middle, index), |tensor| tensor.change = Change::Kept { left, right });
		assert_eq!(rule(&truth(&only_middle, index), &forged), Err(EvidenceError::Neighbours));
	}
}

#[test]
fn the_counters_follow_from_the_step() {
	let run = fixture::run();
	let evidence = build(&run, META);
	let batch = run.program.header.batch;
	let good = StateMeta::after(STEP + 1, batch).unwrap();
	assert_eq!(rule(&claim(&run, META, good.leaf()), &evidence), UPHELD);
	for wrong in [
		StateMeta::after(STEP, batch).unwrap(),
		StateMeta::after(STEP + 2, batch).unwrap(),
		StateMeta::after(STEP + 1, batch + 1).unwrap(),
		StateMeta { step: STEP, ..good },
		StateMeta { cursor: 0, ..good },
		StateMeta { rng: STEP, ..good },
	] {
		assert_eq!(rule(&claim(&run, META, wrong.leaf()), &evidence), WRONG);
	}
	for step in [u64::MAX, u64::MAX / u64::from(batch)] {
		assert_eq!(rule(&MicroClaim { step, ..truth(&run, META) }, &evidence), Err(EvidenceError::StepOverflow));
	}
}

#[test]
fn evidence_fits_its_claim() {
	let run = fixture::run();
	let (meta, tensor) = (build(&run, META), build(&run, W1));
	assert_eq!(rule(&truth(&run, META), &tensor), Err(EvidenceError::StateKind));
	assert_eq!(rule(&truth(&run, W1), &meta), Err(EvidenceError::StateKind));
	for index in [RATE + 1, u32::MAX - 1, u32::MAX] {
		assert_eq!(rule(&claim(&run, index, [0; 32]), &tensor), Err(EvidenceError::BadClaim));
		assert!(build_evidence(&run, &Target::StateLeaf { index, claimed: [0; 32] }).is_err());
	}
	let claim = truth(&run, W1);
	assert_eq!(rule(&claim, &tensor), UPHELD);
	let other = |change: &dyn Fn(&mut MicroClaim)| {
		let mut claim = claim;
		change(&mut claim);
		rule(&claim, &tensor)
	};
	assert_eq!(other(&|claim| flip(&mut claim.program_root)), Err(EvidenceError::WrongProgram));
	assert_eq!(other(&|claim| flip(&mut claim.pre_state_root)), Err(EvidenceError::StateBefore));
	assert_eq!(other(&|claim| flip(&mut claim.trace_root)), Err(EvidenceError::Output));
	let micro = Target::Micro { op: 0, chunk: 0, link: 0, previous: None, claimed: [0; 32] };
	assert_eq!(other(&|claim| claim.target = micro), Err(EvidenceError::WrongTarget));
	let mut evidence = tensor.clone();
	evidence.program.n_state += 1;
	assert_eq!(rule(&claim, &evidence), Err(EvidenceError::WrongProgram));
}

/// A program of many tensors and ops, of which every other tensor is updated. Its step is never executed.
struct Large {
	program: Program,
	trace: Tree,
}

impl Large {
	fn new(tensors: u32) -> Large {
		let mut b = Builder::new(1);
		let param = |i| format!("block{i}.feed_forward.inner.weight.second_moment");
		let ids: Vec<_> =
			(0..tensors).map(|i| b.tensor(&param(i), DType::F32, 32, 32, Role::Param(Init::Zeros))).collect();
		for pair in ids.chunks(2) {
			let value = b.op(OpKind::Fma, &[t(pair[0]), s(0.5), t(pair[pair.len() - 1])], 32, 32);
			b.update(pair[0], value);
		}
		b.program.validate(&Default::default()).unwrap();
		let leaves = vec![[3; 32]; b.program.ops.len() + 1];
		Large { program: b.program, trace: Tree::build(Combiner::Merkle(Domain::Trace), leaves).unwrap() }
	}
}

impl StepData for Large {
	fn program(&self) -> &Program {
		&self.program
	}

	fn step(&self) -> u64 {
		STEP
	}

	fn tensor(&self, _: TensorId) -> Option<Cow<'_, [u8]>> {
		None
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		Some(vec![[2; 32]; self.program.state_tensors().count()])
	}

	fn trace_leaf(&self, _: u32) -> Option<Hash> {
		Some([3; 32])
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		self.trace.prove(Node::leaf(op))
	}
}

#[test]
fn evidence_stays_small_in_the_largest_program() {
	let large = Large::new(10_000);
	let roots = large.state_roots().unwrap();
	let before = state_tree(&large.program, STEP, &roots).unwrap();
	for index in [1, 2, 5_001, 5_002, 9_999, 10_000] {
		let root = if index % 2 == 1 { [3; 32] } else { [2; 32] };
		let (_, decl) = large.program.state_tensors().nth(index as usize - 1).unwrap();
		let claimed = assay_referee::judge::state_leaf(decl, &root).leaf();
		let target = Target::StateLeaf { index, claimed };
		let claim = MicroClaim {
			program_root: large.program.commitment().unwrap().root(),
			step: STEP,
			pre_state_root: before.root(),
			trace_root: large.trace.root(),
			target,
		};
		let evidence = build_evidence(&large, &target).unwrap();
		assert_eq!(judge(&claim, &evidence), UPHELD, "leaf {index}");
		assert!(evidence.encoded_size() <= 3 << 10, "{} bytes", evidence.encoded_size());
	}
}

/// Programs that no honest worker or verifier accepts: nothing panics, and a claim stands only by what is proven.
mod never_valid {
	use super::*;

	#[test]
	fn an_update_without_an_op_has_no_evidence() {
		let mut run = fixture::run();
		let evidence = build(&run, W1);
		for value in [TensorId(2), TensorId(77)] {
			run.program.updates[0].value = value;
			assert!(run.program.validate(&Default::default()).is_err());
			let target = Target::StateLeaf { index: W1, claimed: [0; 32] };
			assert!(build_evidence(&run, &target).is_err());
			// The op that was meant does not define the value.
			let trees = trees(&run);
			let mut forged = with(&evidence, |tensor| {
				if let Change::Assigned { update, .. } = &mut tensor.change {
					*update = trees.open_update(&run.program, 0).unwrap();
				}
			});
			forged.program = trees.commitment().clone();
			assert_eq!(rule(&claim(&run, W1, [0; 32]), &forged), Err(EvidenceError::Producer));
		}
	}

	#[test]
	fn a_temp_of_the_name_is_no_state() {
		let mut run = fixture::run();
		let temp = run.program.ops[22].output;
		run.program.tensors[temp.0 as usize].name = b"w2".to_vec();
		assert!(run.program.validate(&Default::default()).is_err());
		let claim = truth(&run, W2);
		assert_eq!(rule(&claim, &build(&run, W2)), UPHELD);
		let decl = trees(&run).open_tensor(&run.program, temp).unwrap();
		let forged = with(&build(&run, W2), |tensor| tensor.decl = decl);
		assert_eq!(rule(&claim, &forged), Err(EvidenceError::StateDecl));
	}

	#[test]
	fn updates_out_of_order_and_names_given_twice_do_not_panic() {
		let changes: [fn(&mut Run); 5] = [
			|run| run.program.updates.reverse(),
			|run| run.program.updates.swap(0, 2),
			|run| run.program.updates.push(run.program.updates[0]),
			|run| run.program.tensors[5].name = b"w2".to_vec(),
			|run| {
				let twin = TensorId(run.program.tensors.len() as u32);
				run.program.tensors.push(run.program.tensors[5].clone());
				run.before.insert(twin, run.before[&TensorId(5)].clone());
			},
		];
		for change in changes {
			let mut run = fixture::run();
			change(&mut run);
			assert!(run.program.validate(&Default::default()).is_err());
			for index in META..=RATE + 1 {
				let target = Target::StateLeaf { index, claimed: [0; 32] };
				if let Ok(evidence) = build_evidence(&run, &target) {
					assert_ne!(judge(&run.claim(target), &evidence), UPHELD);
				}
			}
		}
	}

	/// Why a valid program's updates ascend: otherwise both of these are provable.
	#[test]
	fn unsorted_updates_prove_a_tensor_both_assigned_and_kept() {
		let mut run = fixture::run();
		let honest = build(&run, W2);
		run.program.updates.swap(W2_UPDATE as usize, 3);
		let trees = trees(&run);
		let open = |index| trees.open_update(&run.program, index);
		let claim = claim(&run, W2, leaf_with(&run, W2, root_before(&run, W2)));
		let ruled = |change: &dyn Fn(&mut Change)| {
			let mut evidence = with(&honest, |tensor| change(&mut tensor.change));
			evidence.program = trees.commitment().clone();
			rule(&claim, &evidence)
		};
		let assigned = ruled(&|change| {
			if let Change::Assigned { update, .. } = change {
				*update = open(3).unwrap();
			}
		});
		let kept = ruled(&|change| *change = Change::Kept { left: open(1), right: open(2) });
		assert_eq!((assigned, kept), (WRONG, UPHELD));
	}
}
