//! Each call at its dearest: the most checks, the longest proofs, a job that ends with the call, and as many verifiers as
//! the helper registers.
#![allow(missing_docs)]

use super::*;
use crate::types::{BenchmarkHelper, MAX_CHECKED};
use alloc::{boxed::Box, vec, vec::Vec};
use assay_commitment::{
	boundary, BlindAnswer, BoundaryOpening, DType, Layout, MilestoneTree, SegmentRange, StateLeaf, StateMeta,
	StateTree, TensorTree,
};
use assay_program::{Header, Lane, ProgramCommitment};
use assay_protocol::{
	holding::{drawn_chunk, drawn_tensor, seed, Holding},
	interfaces::{Leases, OnVerdict},
	job::{Clearing, JobSpec, Offer, Verify},
	parameters::{Parameters, UNIT},
	plan::{MAX_CHECKS, MAX_MILESTONE_SEGMENTS},
	records::verification::BeaconEntry,
	round::{Challenge, Phase, SegmentOpening},
	Hash, JobId, SegmentIndex,
};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

/// Verifiers of each segment: with [`MAX_CHECKED`] segments, the most checks a milestone has.
const VERIFIERS: u32 = MAX_CHECKS / MAX_CHECKED;
/// Segments of each milestone.
const SEGMENTS: u32 = MAX_MILESTONE_SEGMENTS;
const RANGE: SegmentRange = SegmentRange { first: 0, count: SEGMENTS };
const SALT: Hash = [3; 32];
/// Elements of every tensor of the state, one row: 1 MiB.
const COLS: u32 = 1 << 18;
const TENSORS: u32 = 1 << 10;
/// Blocks after which the job takes no more bids.
const DEADLINE: u32 = 100_000;

fn none(what: &'static str) -> impl FnOnce() -> BenchmarkError {
	move || BenchmarkError::Stop(what)
}

/// A state, the same before every segment and after it, and the commitment of a milestone that runs through it.
struct Work {
	tensor: Vec<u8>,
	leaves: Vec<StateLeaf>,
	state: StateTree,
	milestone: MilestoneTree,
}

impl Work {
	fn new() -> Result<Self, BenchmarkError> {
		let tensor = vec![7; COLS as usize * 4];
		let root = assay_commitment::tensor_root(&tensor);
		let leaf = |i: u32| StateLeaf { name: i.to_le_bytes().to_vec(), dtype: DType::F32, rows: 1, cols: COLS, root };
		let leaves: Vec<StateLeaf> = (0..TENSORS).map(leaf).collect();
		let state = StateTree::build(&StateMeta::default(), &leaves).ok_or_else(none("tensors"))?;
		let boundaries = (1..=SEGMENTS).map(|end| boundary(&SALT, 0, end, &state.root())).collect();
		let milestone = MilestoneTree::build(boundaries).ok_or_else(none("segments"))?;
		Ok(Self { tensor, leaves, state, milestone })
	}

	fn opening(&self, segment: SegmentIndex) -> Result<BoundaryOpening, BenchmarkError> {
		self.milestone.open(RANGE, segment, SALT, self.state.root()).ok_or_else(none("a segment of it"))
	}

	/// Of every drawn segment, in the order of the draw.
	fn openings<T: Config>(&self, job: JobId) -> Result<Openings, BenchmarkError> {
		let all = record::<T>(job)?
			.round
			.phase
			.segments()
			.iter()
			.map(|entry| {
				let pre = entry.segment.checked_sub(1).map(|before| self.opening(before)).transpose()?;
				Ok(SegmentOpening { pre, post: self.opening(entry.segment)? })
			})
			.collect::<Result<Vec<_>, BenchmarkError>>()?;
		all.try_into().map_err(|_| BenchmarkError::Stop("as many as are checked"))
	}
}

/// What a verifier found.
#[derive(Clone, Copy)]
enum Found {
	/// What the worker claims.
	Same,
	/// Another state after the segment.
	Other,
	/// Another state before it.
	OtherPre,
}

impl Found {
	/// States before and after the segment.
	fn roots(self, work: &Work) -> (Hash, Hash) {
		let root = work.state.root();
		match self {
			Found::Same => (root, root),
			Found::Other => (root, [9; 32]),
			Found::OtherPre => ([9; 32], root),
		}
	}
}

fn spec(work: &Work, milestones: u32, drawn: u32) -> JobSpec {
	let steps = u64::from(milestones) * u64::from(SEGMENTS);
	let header = Header { version: 1, lane: Lane::F32, seed: [0; 32], steps, batch: 1, segment_steps: 1 };
	JobSpec {
		program: ProgramCommitment {
			header,
			n_tensors: 1,
			n_ops: 1,
			n_updates: 1,
			n_state: TENSORS,
			tensors_root: [0; 32],
			ops_root: [0; 32],
			updates_root: [0; 32],
		},
		program_blob: [0; 32],
		initial_root: work.state.root(),
		milestone_segments: SEGMENTS,
		offer: Offer {
			max_price: 10 * UNIT,
			clearing: Clearing::Ramp { start: 10 * UNIT, duration: 10 },
			deadline: DEADLINE,
		},
		verify: Verify { drawn, verifiers: VERIFIERS, insured_value: UNIT / 100, fee_per_check: UNIT },
		memory_mib: 1,
		endpoint: b"x".to_vec(),
	}
}

/// A job of that many milestones, `checked` of each one's segments are checked, with a lease.
fn leased<T: Config>(work: &Work, milestones: u32, checked: u32) -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = T::BenchmarkHelper::lease(spec(work, milestones, checked - 1), MAX_CHECKS);
	// Commitments name the job.
	if job != 0 {
		return Err(BenchmarkError::Stop("the first job"));
	}
	Ok((job, worker))
}

fn parameters<T: Config>() -> Parameters {
	T::Leases::parameters()
}

fn advance<T: Config>(blocks: u32) {
	let now = frame_system::Pallet::<T>::block_number();
	frame_system::Pallet::<T>::set_block_number(now + blocks.into());
}

/// The only milestone is committed, and its beacon is over.
fn committed<T: Config>(work: &Work, checked: u32) -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = leased::<T>(work, 1, checked)?;
	Pallet::<T>::do_commit_milestone(worker.clone(), job, 0, work.milestone.root())?;
	let blocks = parameters::<T>().beacon_blocks.max(1);
	let first = Pallet::<T>::now();
	for block in first..=first + blocks {
		let slot = beacon_impls::slot_of::<T>(block);
		VrfOutputs::<T>::insert(slot, BeaconEntry { block, vrf: [block as u8; 32] });
	}
	advance::<T>(blocks + 1);
	Ok((job, worker))
}

fn drawn<T: Config>(work: &Work, checked: u32) -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = committed::<T>(work, checked)?;
	Pallet::<T>::do_draw(job, 0)?;
	Ok((job, worker))
}

fn record<T: Config>(job: JobId) -> Result<MilestoneRecordOf<T>, BenchmarkError> {
	Milestones::<T>::get(job, 0).ok_or_else(none("a milestone in verification"))
}

fn checks<T: Config>(job: JobId) -> Result<Vec<(SegmentIndex, T::AccountId)>, BenchmarkError> {
	let segments = record::<T>(job)?.round.phase.segments().to_vec();
	let of = |entry: assay_protocol::round::SegmentRound<T::AccountId>| {
		entry.checks.into_iter().map(move |check| (entry.segment, check.verifier))
	};
	Ok(segments.into_iter().flat_map(of).collect())
}

/// The last check: of the last segment, which is always drawn.
fn last_check<T: Config>(job: JobId) -> Result<(SegmentIndex, T::AccountId), BenchmarkError> {
	checks::<T>(job)?.pop().ok_or_else(none("checks"))
}

/// All verifiers committed.
fn blind<T: Config>(work: &Work, checked: u32, found: Found) -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = drawn::<T>(work, checked)?;
	for (segment, who) in checks::<T>(job)? {
		let (pre_root, post_root) = found.roots(work);
		let verifier = who.clone().into();
		let answer = BlindAnswer { verifier, nonce: [1; 32], job, milestone: 0, segment, pre_root, post_root };
		Pallet::<T>::do_commit_blind(who, job, 0, segment, answer.commitment())?;
	}
	Ok((job, worker))
}

/// All verifiers committed, and the worker opened.
fn opened<T: Config>(work: &Work, found: Found) -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = blind::<T>(work, MAX_CHECKED, found)?;
	let openings = work.openings::<T>(job)?;
	Pallet::<T>::do_open(worker.clone(), job, 0, openings)?;
	Ok((job, worker))
}

/// The first `count` checks are revealed.
fn reveal_checks<T: Config>(work: &Work, job: JobId, found: Found, count: usize) -> Result<(), BenchmarkError> {
	for (segment, who) in checks::<T>(job)?.into_iter().take(count) {
		Pallet::<T>::do_reveal(who, job, 0, segment, [1; 32], found.roots(work))?;
	}
	Ok(())
}

const ALL: usize = MAX_CHECKS as usize;

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn on_finalize() {
		T::BenchmarkHelper::author();
		#[block]
		{
			Pallet::<T>::record_vrf();
		}
		assert_eq!(VrfOutputs::<T>::iter().count(), 1);
	}

	/// The second of two, ahead of the verification.
	#[benchmark]
	fn commit_milestone() -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, worker) = leased::<T>(&work, 2, MAX_CHECKED)?;
		Pallet::<T>::do_commit_milestone(worker.clone(), job, 0, [1; 32])?;
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 1, [1; 32]);
		assert!(Milestones::<T>::contains_key(job, 1));
		Ok(())
	}

	#[benchmark]
	fn draw() -> Result<(), BenchmarkError> {
		let (job, worker) = committed::<T>(&Work::new()?, MAX_CHECKED)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0);
		assert_eq!(checks::<T>(job)?.len(), ALL);
		Ok(())
	}

	/// Nobody committed: every verifier is replaced.
	#[benchmark]
	fn redraw() -> Result<(), BenchmarkError> {
		let (job, worker) = drawn::<T>(&Work::new()?, MAX_CHECKED)?;
		advance::<T>(parameters::<T>().blind_window + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0);
		assert!(checks::<T>(job)?.len() > ALL);
		Ok(())
	}

	/// The last one, which starts the worker's window.
	#[benchmark]
	fn commit_blind() -> Result<(), BenchmarkError> {
		let (job, _) = drawn::<T>(&Work::new()?, MAX_CHECKED)?;
		let (segment, last) = last_check::<T>(job)?;
		for (segment, who) in checks::<T>(job)?.into_iter().filter(|(_, who)| *who != last) {
			Pallet::<T>::do_commit_blind(who, job, 0, segment, [1; 32])?;
		}
		#[extrinsic_call]
		_(RawOrigin::Signed(last), job, 0, segment, [1; 32]);
		Ok(())
	}

	#[benchmark]
	fn open(n: Linear<2, { MAX_CHECKED }>) -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, worker) = blind::<T>(&work, n, Found::Same)?;
		let openings = work.openings::<T>(job)?;
		assert_eq!(openings.len() as u32, n);
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0, openings);
		assert!(matches!(record::<T>(job)?.round.phase, Phase::Reveal { .. }));
		Ok(())
	}

	/// With a dispute, the last of as many as there can be.
	#[benchmark]
	fn reveal() -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, _) = opened::<T>(&work, Found::Other)?;
		reveal_checks::<T>(&work, job, Found::Other, ALL - 1)?;
		let (segment, who) = last_check::<T>(job)?;
		let (pre_root, post_root) = Found::Other.roots(&work);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), job, 0, segment, [1; 32], pre_root, post_root);
		Ok(())
	}

	/// With another state before the segment: slashed.
	#[benchmark]
	fn reveal_slashed() -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, _) = opened::<T>(&work, Found::OtherPre)?;
		let (segment, who) = last_check::<T>(job)?;
		let (pre_root, post_root) = Found::OtherPre.roots(&work);
		#[extrinsic_call]
		reveal(RawOrigin::Signed(who), job, 0, segment, [1; 32], pre_root, post_root);
		Ok(())
	}

	/// All agreed: every check is released and paid, and the job ends.
	#[benchmark]
	fn settle() -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, worker) = opened::<T>(&work, Found::Same)?;
		reveal_checks::<T>(&work, job, Found::Same, ALL)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0);
		assert!(!Milestones::<T>::contains_key(job, 0));
		Ok(())
	}

	/// The worker did not open: every check is released and paid, the collateral slashed, and the job ends.
	#[benchmark]
	fn settle_unopened() -> Result<(), BenchmarkError> {
		let (job, worker) = blind::<T>(&Work::new()?, MAX_CHECKED, Found::Same)?;
		advance::<T>(DEADLINE);
		#[extrinsic_call]
		settle(RawOrigin::Signed(worker), job, 0);
		assert!(!Milestones::<T>::contains_key(job, 0));
		Ok(())
	}

	/// Nobody revealed: every verifier is slashed, and the job ends.
	#[benchmark]
	fn settle_unrevealed() -> Result<(), BenchmarkError> {
		let (job, worker) = opened::<T>(&Work::new()?, Found::Same)?;
		advance::<T>(DEADLINE);
		#[extrinsic_call]
		settle(RawOrigin::Signed(worker), job, 0);
		assert!(!Milestones::<T>::contains_key(job, 0));
		Ok(())
	}

	#[benchmark]
	fn report_unserved() -> Result<(), BenchmarkError> {
		let (job, _) = drawn::<T>(&Work::new()?, MAX_CHECKED)?;
		let (segment, who) = last_check::<T>(job)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(who), job, 0, segment);
		Ok(())
	}

	#[benchmark]
	fn answer_challenge() -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, worker) = drawn::<T>(&work, MAX_CHECKED)?;
		let (segment, who) = last_check::<T>(job)?;
		Pallet::<T>::do_report_unserved(who, job, 0, segment)?;
		let record = record::<T>(job)?;
		let entry = record.round.phase.segments().last().ok_or_else(none("segments"))?;
		let Challenge::Open { until } = entry.challenge else { return Err(BenchmarkError::Stop("a challenge")) };
		let seed = seed(&record.round.root, segment, entry.tranche, until);
		let tensor = drawn_tensor(&seed, TENSORS).ok_or_else(none("tensors"))?;
		let chunks = Layout::new(DType::F32, 1, COLS).map_err(|_| BenchmarkError::Stop("a shape"))?.chunks();
		let chunk = drawn_chunk(&seed, chunks).ok_or_else(none("chunks"))?;
		let opened = TensorTree::build(&work.tensor).and_then(|tree| tree.open(&work.tensor, chunk, 0));
		let holding = Box::new(Holding {
			leaf: work.leaves.get(tensor as usize).cloned().ok_or_else(none("a tensor"))?,
			proof: work.state.prove_tensor(tensor).ok_or_else(none("a tensor"))?,
			chunk: opened.ok_or_else(none("a chunk"))?,
		});
		let pre = Some(work.opening(segment - 1)?);
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0, segment, pre, holding);
		Ok(())
	}

	/// The worker lost one of as many disputes as there can be, and the job ends. Charged by the call that ends a dispute.
	#[benchmark]
	fn verdict() -> Result<(), BenchmarkError> {
		let work = Work::new()?;
		let (job, _) = opened::<T>(&work, Found::Other)?;
		reveal_checks::<T>(&work, job, Found::Other, ALL)?;
		let (segment, who) = last_check::<T>(job)?;
		let attempt = record::<T>(job)?.attempt;
		advance::<T>(DEADLINE);
		#[block]
		{
			<Pallet<T> as OnVerdict<T::AccountId>>::verdict(job, attempt, 0, segment, &who, true);
		}
		assert!(!Milestones::<T>::contains_key(job, 0));
		Ok(())
	}

	impl_benchmark_test_suite! {
		Pallet,
		crate::mock::ext(),
		crate::mock::Test
	}
}
