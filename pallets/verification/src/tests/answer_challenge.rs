use crate::{mock::*, Error};
use assay_commitment::{StateLeaf, TensorTree};
use assay_protocol::{
	holding::{drawn_chunk, drawn_tensor, seed, Holding},
	parameters::Parameters,
	round::Challenge,
	Reason,
};
use frame_support::{assert_noop, assert_ok};
use program::{Run, SEGMENT_STEPS};

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

/// What the worker shows of the state before a segment, shifted to another chunk by `off`.
fn holding(run: &Run, segment: u32, off: u32) -> Holding {
	let record = record(0);
	let entry = record.round.phase.segments().iter().find(|entry| entry.segment == segment).expect("drawn").clone();
	let Challenge::Open { until } = entry.challenge else { panic!("not challenged") };
	let seed = seed(&record.round.root, segment, entry.tranche, until);
	let step = u64::from(segment) * u64::from(SEGMENT_STEPS);
	let state = &run.states[step as usize];
	let roots = assay_referee::whole::state_roots(&run.program, state).expect("whole");
	let tree = assay_referee::build::state_tree(&run.program, step, &roots).expect("whole");
	let index = drawn_tensor(&seed, tree.tensors()).expect("tensors");
	let (id, decl) = run.program.state_tensors().nth(index as usize).expect("drawn");
	let layout = decl.spec().layout().expect("a shape");
	let bytes = layout.to_canonical(&state[&id]).expect("its values");
	let chunk = (drawn_chunk(&seed, layout.chunks()).expect("chunks") + off) % layout.chunks();
	Holding {
		leaf: StateLeaf {
			name: decl.name.clone(),
			dtype: decl.dtype,
			rows: decl.rows,
			cols: decl.cols,
			root: roots[index as usize],
		},
		proof: tree.prove_tensor(index).expect("in the state"),
		chunk: TensorTree::build(&bytes).expect("chunks").open(&bytes, chunk, 0).expect("in the tensor"),
	}
}

fn challenged(honest: &Run) -> u32 {
	lease(honest, 1);
	commit_and_draw(honest, 0);
	let (segment, who) = assigned(0).pop().expect("the last segment");
	assert_ok!(Verification::report_unserved(signed(&who), JOB, 0, segment));
	segment
}

#[test]
fn success_basic() {
	run(|| {
		let honest = Run::honest();
		let segment = challenged(&honest);
		let pre = Some(boundary_opening(&honest, 0, segment - 1));
		let shown = holding(&honest, segment, 0);
		skip(5);
		assert_ok!(Verification::answer_challenge(signed(&WORKER), JOB, 0, segment, pre, Box::new(shown)));
		let entry = record(0).round.phase.segments().last().expect("drawn").clone();
		assert_eq!(entry.pre_root, Some(honest.root_after(segment)));
		assert_eq!(entry.until, System::block_number() + Parameters::development().blind_window);
		// The round goes on.
		until_reveal(&honest, &honest, 0);
		reveal_all(0, |segment, who| answer(&honest, 0, segment, who));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
	});
}

#[test]
fn fails_with_another_chunk() {
	run(|| {
		let honest = Run::honest();
		let segment = challenged(&honest);
		let pre = Some(boundary_opening(&honest, 0, segment - 1));
		let shown = Box::new(holding(&honest, segment, 1));
		assert_noop!(
			Verification::answer_challenge(signed(&WORKER), JOB, 0, segment, pre, shown),
			Error::<Test>::HoldingInvalid
		);
	});
}

#[test]
fn fails_with_another_boundary() {
	run(|| {
		let honest = Run::honest();
		let segment = challenged(&honest);
		for pre in [None, Some(boundary_opening(&honest, 0, segment))] {
			let shown = Box::new(holding(&honest, segment, 0));
			assert_noop!(
				Verification::answer_challenge(signed(&WORKER), JOB, 0, segment, pre, shown),
				refused(Reason::OpeningInvalid)
			);
		}
	});
}

#[test]
fn fails_for_others_and_unchallenged_and_late() {
	run(|| {
		let honest = Run::honest();
		let segment = challenged(&honest);
		let pre = Some(boundary_opening(&honest, 0, segment - 1));
		let shown = Box::new(holding(&honest, segment, 0));
		let answer = |who: &Account, segment: u32| {
			Verification::answer_challenge(signed(who), JOB, 0, segment, pre.clone(), shown.clone())
		};
		assert_noop!(answer(&RIVAL, segment), refused(Reason::NotLeaseholder));
		let other = record(0).round.phase.segments()[0].segment;
		assert_noop!(answer(&WORKER, other), refused(Reason::WrongPhase));
		assert_noop!(answer(&WORKER, 99), refused(Reason::NotDrawn));
		skip(Parameters::development().serve_window + 1);
		assert_noop!(answer(&WORKER, segment), refused(Reason::TooLate));
	});
}

#[test]
fn answering_on_chain_and_serving_nobody_costs_half_the_collateral() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let Parameters { blind_window, max_tranches, .. } = Parameters::development();
		for tranche in 1..=max_tranches {
			let (segment, _) = assigned(0).pop().expect("the last segment");
			let refused: Vec<_> = assigned(0).into_iter().filter(|(at, _)| *at == segment).collect();
			// From the second tranche on there is a seat more.
			assert_eq!(refused.len() as u32, tranche);
			for (segment, who) in refused {
				assert_ok!(Verification::report_unserved(signed(&who), JOB, 0, segment));
			}
			let pre = Some(boundary_opening(&honest, 0, segment - 1));
			let shown = Box::new(holding(&honest, segment, 0));
			assert_ok!(Verification::answer_challenge(signed(&WORKER), JOB, 0, segment, pre, shown));
			if tranche == 1 {
				// The other segment is checked: only this one fails.
				let (segment, who) = assigned(0)[0].clone();
				assert_ok!(commit_blind(0, segment, &who, &answer(&honest, 0, segment, &who)));
			}
			skip(blind_window + 1);
			if tranche < max_tranches {
				assert_ok!(Verification::redraw(signed(&ANYONE), JOB, 0));
			}
			check();
		}
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		// Who did answer has a say first.
		assert!(is_opening(0));
		assert_ok!(open(&honest, 0));
		let (segment, who) = assigned(0)[0].clone();
		assert_ok!(reveal(0, segment, &who, &answer(&honest, 0, segment, &who)));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		// Twice the price was locked.
		assert_eq!(bond(&WORKER), WORKER_BOND - PRICE);
		let job = pallet_market::Jobs::<Test>::get(JOB).expect("kept");
		assert_eq!(job.shares[0].ended, Some(Reason::Unserved));
		assert!(VERIFIERS.iter().all(|who| bond(who) == VERIFIER_BOND));
	});
}
