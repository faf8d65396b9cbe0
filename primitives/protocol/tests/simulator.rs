//! A market in numbers: thousands of seeded milestones through the real draws, rounds and slashes. Cheats must be caught as
//! often as the formula says, cheating must not pay, and nobody honest may lose anything.

use assay_commitment::{boundary, derive_salt, BlindAnswer, Hash, MilestoneTree, SegmentRange};
use assay_protocol::{
	economics::{collateral, detection, split_slash, PPM},
	interfaces::WorkerFault,
	parameters::Parameters,
	round::{Effect, Phase, Round, RoundContext, SegmentOpening},
	sampling::{draw_candidates, draw_segments, milestone_seed, tranche_seed, Candidate},
};

const POOL: u64 = 40;
const VERIFIERS: u32 = 2;
const INSURED: u128 = 1_000_000;

/// A seeded stream of small numbers.
struct Dice(blake3::OutputReader);

impl Dice {
	fn new(job: u64) -> Self {
		Self(blake3::Hasher::new().update(b"simulator").update(&job.to_le_bytes()).finalize_xof())
	}

	fn below(&mut self, bound: u32) -> u32 {
		let mut bytes = [0; 8];
		self.0.fill(&mut bytes);
		(u64::from_le_bytes(bytes) % u64::from(bound)) as u32
	}

	fn hash(&mut self) -> Hash {
		let mut bytes = [0; 32];
		self.0.fill(&mut bytes);
		bytes
	}
}

#[derive(Clone, Copy, PartialEq)]
enum Worker {
	Honest,
	/// Corrupts this many segments, never the last, which is always checked.
	Cheat {
		bad: u32,
	},
}

/// What one milestone came to.
#[derive(Default)]
struct Ending {
	verified: bool,
	fault: Option<WorkerFault>,
	/// Honest verifiers that were slashed, and wrong ones.
	slashed_honest: u32,
	slashed_wrong: u32,
	paid_wrong: u32,
	checks: u32,
}

fn truth(job: u64, segment: u32) -> Hash {
	*blake3::hash(&[&job.to_le_bytes()[..], &segment.to_le_bytes()].concat()).as_bytes()
}

/// Runs one milestone of `range`. Every tenth of the pool answers something of its own if `wrong_verifiers`.
fn milestone(job: u64, range: SegmentRange, drawn: u32, worker: Worker, wrong_verifiers: bool) -> Ending {
	let mut dice = Dice::new(job);
	let last = range.first + range.count - 1;
	// Corrupted segments: a random subset of all but the last.
	let mut candidates: Vec<u32> = (range.first..last).collect();
	let mut bad = Vec::new();
	if let Worker::Cheat { bad: count } = worker {
		for _ in 0..count {
			bad.push(candidates.swap_remove(dice.below(candidates.len() as u32) as usize));
		}
	}
	// A corrupted segment ends in a wrong state; the next is executed from what is claimed.
	let mut claimed = |segment: u32| -> Hash {
		let mut root = truth(job, segment);
		if bad.contains(&segment) {
			root[0] ^= 1;
		}
		root
	};
	let roots: Vec<Hash> = (range.first..=last).map(&mut claimed).collect();
	let at = |segment: u32| roots[(segment - range.first) as usize];
	let verified_root = truth(job, range.first.wrapping_sub(1));
	let pre = |segment: u32| if segment == range.first { verified_root } else { at(segment - 1) };
	// What re-executing from the claimed pre-state gives.
	let computed = |segment: u32| truth(job, segment);

	let secret = dice.hash();
	let salt = |segment: u32| derive_salt(&secret, job, segment + 1);
	let ends = (range.first..=last).map(|s| boundary(&salt(s), job, s + 1, &at(s))).collect();
	let tree = MilestoneTree::build(ends).unwrap();
	let parameters = Parameters::development();
	let context = RoundContext { job, milestone: 0, range, verified_root, parameters, deadline: u32::MAX };

	let wrong = |who: u64| wrong_verifiers && who.is_multiple_of(10);
	let mut ending = Ending::default();
	let mut book = |effects: Vec<Effect<u64>>, accusations: &mut Vec<(u32, u64)>| {
		for effect in effects {
			match effect {
				Effect::SlashCheck { verifier, .. } if wrong(verifier) => ending.slashed_wrong += 1,
				Effect::SlashCheck { .. } => ending.slashed_honest += 1,
				Effect::Accuse { segment, challenger, .. } => accusations.push((segment, challenger)),
				Effect::Verified { checkers, .. } => {
					ending.verified = true;
					ending.paid_wrong += checkers.iter().filter(|who| wrong(**who)).count() as u32;
				}
				Effect::WorkerFault { fault, .. } => ending.fault = Some(fault),
				Effect::LockCheck(_) => ending.checks += 1,
				_ => (),
			}
		}
	};

	let mut round: Round<u64> = Round::commit(tree.root(), 100);
	let mut accusations = Vec::new();
	let seed = milestone_seed(job, 0, &tree.root(), &[dice.hash(), dice.hash()]);
	let ids: Vec<[u8; 8]> = (0..POOL).map(|who| who.to_le_bytes()).collect();
	let pool: Vec<Candidate<'_>> = ids.iter().zip(100..).map(|(id, weight)| Candidate { id, weight }).collect();
	let assignment: Vec<(u32, Vec<u64>)> = draw_segments(&seed, range, drawn)
		.into_iter()
		.map(|segment| {
			let drawn = draw_candidates(&tranche_seed(&seed, segment, 1), &pool, VERIFIERS);
			(segment, drawn.into_iter().map(|index| index as u64).collect())
		})
		.collect();
	book(round.draw(&context, assignment.clone(), 103).unwrap(), &mut accusations);

	let answer = |who: u64, segment: u32| {
		let mut verifier = [0; 32];
		verifier[..8].copy_from_slice(&who.to_le_bytes());
		let found = if wrong(who) { verifier } else { computed(segment) };
		BlindAnswer {
			verifier,
			nonce: [who as u8; 32],
			job,
			milestone: 0,
			segment,
			pre_root: pre(segment),
			post_root: found,
		}
	};
	for (segment, verifiers) in &assignment {
		for who in verifiers {
			round.commit_blind(&context, who, *segment, answer(*who, *segment).commitment(), 105).unwrap();
		}
	}
	let open = |segment: u32| tree.open(range, segment, salt(segment), at(segment)).unwrap();
	let openings: Vec<SegmentOpening> = assignment
		.iter()
		.map(|(segment, _)| SegmentOpening {
			pre: (*segment > range.first).then(|| open(segment - 1)),
			post: open(*segment),
		})
		.collect();
	round.open(&context, &openings, 106).unwrap();
	for (segment, verifiers) in &assignment {
		for who in verifiers {
			let a = answer(*who, *segment);
			let found = (a.pre_root, a.post_root);
			let effects = round.reveal(&context, who, a.verifier, *segment, a.nonce, found, 107).unwrap();
			book(effects, &mut accusations);
		}
	}
	// The referee knows the truth: an accusation holds exactly if the claim is wrong.
	for (segment, challenger) in accusations.split_off(0) {
		if round.phase.is_final() {
			break;
		}
		let effects = round.verdict(segment, &challenger, at(segment) != computed(segment)).unwrap();
		book(effects, &mut accusations);
	}
	if !round.phase.is_final() {
		book(round.settle(&context, 108).unwrap(), &mut accusations);
	}
	assert!(matches!(round.phase, Phase::Verified { .. } | Phase::Failed(_)));
	ending
}

#[test]
fn cheats_are_caught_as_often_as_the_formula_says() {
	let shapes = [(8, 1, 1), (8, 2, 2), (20, 1, 3), (20, 4, 2), (50, 2, 8), (50, 10, 3)];
	let per_shape = 500;
	for (shape, (n, bad, drawn)) in shapes.into_iter().enumerate() {
		let p = f64::from(detection(n - 1, bad, drawn)) / f64::from(PPM);
		let stake = collateral(0, INSURED, n, drawn).unwrap();
		let (mut caught, mut gain) = (0u32, 0i128);
		for i in 0..per_shape {
			let job = (shape * per_shape + i) as u64;
			let range = SegmentRange { first: 3, count: n };
			let ending = milestone(job, range, drawn, Worker::Cheat { bad }, false);
			assert_eq!(ending.slashed_honest, 0);
			assert_ne!(ending.verified, ending.fault.is_some());
			if ending.fault.is_some() {
				assert_eq!(ending.fault, Some(WorkerFault::LostDispute));
				caught += 1;
				let split = split_slash(stake, INSURED, true);
				assert_eq!(split.client + split.challenger + split.burned, stake);
				gain -= stake as i128;
			} else {
				gain += INSURED as i128;
			}
		}
		let runs = per_shape as f64;
		let sigma = (runs * p * (1.0 - p)).sqrt();
		let off = (f64::from(caught) - runs * p).abs() / sigma;
		println!(
			"n {n} bad {bad} drawn {drawn}: caught {caught} of {per_shape}, expected {:.1}, {off:.2} sigma",
			runs * p
		);
		assert!(off < 4.0);
		// Even one wrong segment that pays the whole insured value loses.
		assert!(gain < 0, "n {n} bad {bad} drawn {drawn}: gain {gain}");
	}
}

#[test]
fn nobody_honest_is_slashed() {
	let (mut wrong, mut checks, mut verified) = (0, 0, 0);
	for job in 10_000..12_000 {
		let mut dice = Dice::new(!job);
		let n = 2 + dice.below(30);
		let drawn = 1 + dice.below((n - 1).min(8));
		let range = SegmentRange { first: dice.below(1000) + 1, count: n };
		let ending = milestone(job, range, drawn, Worker::Honest, true);
		assert_eq!(ending.fault, None);
		assert_eq!(ending.slashed_honest, 0);
		assert_eq!(ending.paid_wrong, 0);
		wrong += ending.slashed_wrong;
		checks += ending.checks;
		verified += u32::from(ending.verified);
	}
	println!("{verified} of 2000 honest milestones verified; {wrong} of {checks} checks were wrong, all slashed");
	// A tenth of the pool answers wrongly, so both checks of a segment are wrong in about 1 % of the segments.
	assert!(wrong * 100 > checks * 7 && wrong * 100 < checks * 13);
	assert!(verified > 1800);
}
