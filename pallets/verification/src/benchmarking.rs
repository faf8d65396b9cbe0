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
	holding::{drawn_chunk, seed, Holding},
	job::{Clearing, JobSpec, Offer, Verify},
	parameters::UNIT,
	records::verification::BeaconEntry,
	round::{Challenge, Phase, SegmentOpening},
	Hash, JobId,
};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

/// Verifiers of each segment: with [`MAX_CHECKED`] segments, the most checks a milestone has.
const VERIFIERS: u32 = 2;
const SEGMENTS: u32 = MAX_CHECKED;
const RANGE: SegmentRange = SegmentRange { first: 0, count: SEGMENTS };
const SALT: Hash = [3; 32];

fn tensor() -> Vec<u8> {
	vec![7; 8 << 10]
}

fn leaf() -> StateLeaf {
	let root = assay_commitment::tensor_root(&tensor());
	StateLeaf { name: b"w".to_vec(), dtype: DType::F32, rows: 1, cols: 2_048, root }
}

/// The state before every segment, and after it.
fn state() -> Result<StateTree, BenchmarkError> {
	StateTree::build(&StateMeta::default(), &[leaf()]).ok_or(BenchmarkError::Stop("one tensor"))
}

fn milestone() -> Result<MilestoneTree, BenchmarkError> {
	let root = state()?.root();
	let boundaries = (1..=SEGMENTS).map(|end| boundary(&SALT, 0, end, &root)).collect();
	MilestoneTree::build(boundaries).ok_or(BenchmarkError::Stop("some segments"))
}

fn opening(segment: u32) -> Result<BoundaryOpening, BenchmarkError> {
	milestone()?.open(RANGE, segment, SALT, state()?.root()).ok_or(BenchmarkError::Stop("a segment of it"))
}

fn spec() -> Result<JobSpec, BenchmarkError> {
	let header =
		Header { version: 1, lane: Lane::F32, seed: [0; 32], steps: SEGMENTS.into(), batch: 1, segment_steps: 1 };
	Ok(JobSpec {
		program: ProgramCommitment {
			header,
			n_tensors: 1,
			n_ops: 1,
			n_updates: 1,
			tensors_root: [0; 32],
			ops_root: [0; 32],
			updates_root: [0; 32],
		},
		program_blob: [0; 32],
		initial_root: state()?.root(),
		milestone_segments: SEGMENTS,
		offer: Offer {
			max_price: 10 * UNIT,
			clearing: Clearing::Ramp { start: 10 * UNIT, duration: 10 },
			deadline: 1_000_000,
		},
		verify: Verify { drawn: SEGMENTS - 1, verifiers: VERIFIERS, insured_value: UNIT, fee_per_check: UNIT },
		memory_mib: 1,
		endpoint: b"x".to_vec(),
	})
}

/// A job with a lease and as many verifiers as its milestone needs.
fn leased<T: Config>() -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = T::BenchmarkHelper::lease(spec()?, SEGMENTS * VERIFIERS);
	// Commitments name the job.
	if job != 0 {
		return Err(BenchmarkError::Stop("the first job"));
	}
	Ok((job, worker))
}

fn advance<T: Config>(blocks: u32) {
	let now = frame_system::Pallet::<T>::block_number();
	frame_system::Pallet::<T>::set_block_number(now + blocks.into());
}

fn committed<T: Config>() -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = leased::<T>()?;
	Pallet::<T>::do_commit_milestone(worker.clone(), job, 0, milestone()?.root())?;
	let blocks = <T::Leases as assay_protocol::interfaces::Leases<T::AccountId>>::parameters().beacon_blocks.max(1);
	let first = Pallet::<T>::now();
	for block in first..=first + blocks {
		let slot = beacon_impls::slot_of::<T>(block);
		VrfOutputs::<T>::insert(slot, BeaconEntry { block, vrf: [block as u8; 32] });
	}
	advance::<T>(blocks + 1);
	Ok((job, worker))
}

fn drawn<T: Config>() -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = committed::<T>()?;
	Pallet::<T>::do_draw(job, 0)?;
	Ok((job, worker))
}

fn checks<T: Config>(job: JobId) -> Vec<(u32, T::AccountId)> {
	let record = Milestones::<T>::get(job, 0);
	let segments = record.map(|record| record.round.phase.segments().to_vec()).unwrap_or_default();
	segments
		.into_iter()
		.flat_map(|entry| entry.checks.into_iter().map(move |check| (entry.segment, check.verifier)))
		.collect()
}

fn answer<T: Config>(
	job: JobId,
	segment: u32,
	who: &T::AccountId,
	post_root: Hash,
) -> Result<BlindAnswer, BenchmarkError> {
	let verifier = who.clone().into();
	Ok(BlindAnswer { verifier, nonce: [1; 32], job, milestone: 0, segment, pre_root: state()?.root(), post_root })
}

/// All verifiers committed; the last check's finds another state.
fn blind<T: Config>() -> Result<(JobId, T::AccountId), BenchmarkError> {
	let (job, worker) = drawn::<T>()?;
	let checks = checks::<T>(job);
	for (at, (segment, who)) in checks.iter().enumerate() {
		let post_root = if at + 1 == checks.len() { [9; 32] } else { state()?.root() };
		let hash = answer::<T>(job, *segment, who, post_root)?.commitment();
		Pallet::<T>::do_commit_blind(who.clone(), job, 0, *segment, hash)?;
	}
	Ok((job, worker))
}

fn openings() -> Result<Openings, BenchmarkError> {
	let all = (0..SEGMENTS)
		.map(|segment| {
			let pre = segment.checked_sub(1).map(opening).transpose()?;
			Ok(SegmentOpening { pre, post: opening(segment)? })
		})
		.collect::<Result<Vec<_>, BenchmarkError>>()?;
	all.try_into().map_err(|_| BenchmarkError::Stop("as many as are checked"))
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn on_finalize() {
		#[block]
		{
			Pallet::<T>::record_vrf();
		}
	}

	#[benchmark]
	fn commit_milestone() -> Result<(), BenchmarkError> {
		let (job, worker) = leased::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0, [1; 32]);
		assert!(Milestones::<T>::contains_key(job, 0));
		Ok(())
	}

	#[benchmark]
	fn draw() -> Result<(), BenchmarkError> {
		let (job, worker) = committed::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0);
		assert_eq!(checks::<T>(job).len() as u32, SEGMENTS * VERIFIERS);
		Ok(())
	}

	#[benchmark]
	fn commit_blind() -> Result<(), BenchmarkError> {
		let (job, _) = drawn::<T>()?;
		let (segment, who) = checks::<T>(job).pop().ok_or(BenchmarkError::Stop("checks"))?;
		#[extrinsic_call]
		_(RawOrigin::Signed(who), job, 0, segment, [1; 32]);
		Ok(())
	}

	#[benchmark]
	fn open() -> Result<(), BenchmarkError> {
		let (job, worker) = blind::<T>()?;
		let openings = openings()?;
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0, openings);
		let record = Milestones::<T>::get(job, 0);
		assert!(record.is_some_and(|record| matches!(record.round.phase, Phase::Reveal { .. })));
		Ok(())
	}

	/// With a dispute.
	#[benchmark]
	fn reveal() -> Result<(), BenchmarkError> {
		let (job, worker) = blind::<T>()?;
		Pallet::<T>::do_open(worker, job, 0, openings()?)?;
		let (segment, who) = checks::<T>(job).pop().ok_or(BenchmarkError::Stop("checks"))?;
		#[extrinsic_call]
		_(RawOrigin::Signed(who), job, 0, segment, [1; 32], state()?.root(), [9; 32]);
		Ok(())
	}

	/// The worker did not open: every check is released and paid, the collateral slashed.
	#[benchmark]
	fn settle() -> Result<(), BenchmarkError> {
		let (job, worker) = blind::<T>()?;
		advance::<T>(
			<T::Leases as assay_protocol::interfaces::Leases<T::AccountId>>::parameters().open_window.saturating_add(1),
		);
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0);
		assert!(!Milestones::<T>::contains_key(job, 0));
		Ok(())
	}

	#[benchmark]
	fn report_unserved() -> Result<(), BenchmarkError> {
		let (job, _) = drawn::<T>()?;
		let (segment, who) = checks::<T>(job).pop().ok_or(BenchmarkError::Stop("checks"))?;
		#[extrinsic_call]
		_(RawOrigin::Signed(who), job, 0, segment);
		Ok(())
	}

	#[benchmark]
	fn answer_challenge() -> Result<(), BenchmarkError> {
		let (job, worker) = drawn::<T>()?;
		let (segment, who) = checks::<T>(job).pop().ok_or(BenchmarkError::Stop("checks"))?;
		Pallet::<T>::do_report_unserved(who, job, 0, segment)?;
		let record = Milestones::<T>::get(job, 0).ok_or(BenchmarkError::Stop("a record"))?;
		let entry = record.round.phase.segments().last().ok_or(BenchmarkError::Stop("segments"))?;
		let Challenge::Open { until } = entry.challenge else { return Err(BenchmarkError::Stop("a challenge")) };
		let seed = seed(&record.round.root, segment, entry.tranche, until);
		let chunks = Layout::new(1, 2_048).map_err(|_| BenchmarkError::Stop("a shape"))?.chunks();
		let chunk = drawn_chunk(&seed, chunks).ok_or(BenchmarkError::Stop("chunks"))?;
		let bytes = tensor();
		let opened = TensorTree::build(&bytes).and_then(|tree| tree.open(&bytes, chunk, 0));
		let holding = Box::new(Holding {
			tensors: 1,
			leaf: leaf(),
			proof: state()?.prove_tensor(0).ok_or(BenchmarkError::Stop("one tensor"))?,
			chunk: opened.ok_or(BenchmarkError::Stop("a chunk"))?,
		});
		let pre = Some(opening(segment.saturating_sub(1))?);
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), job, 0, segment, pre, holding);
		Ok(())
	}

	impl_benchmark_test_suite! {
		Pallet,
		crate::mock::ext(),
		crate::mock::Test
	}
}
