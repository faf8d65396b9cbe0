use super::*;
use assay_agent::store::Store;
use assay_protocol::{
	parameters::Parameters,
	records::market::{Account as Money, Job, JobState, Order, Verified},
};

const ID: CheckId = CheckId { job: 7, attempt: 0, milestone: 2, segment: 9 };
const ANSWER: Answer =
	Answer { nonce: [0; 32], pre_root: [1; 32], post_root: [2; 32], pre: Some([11; 32]), post: Some([12; 32]) };
const INPUTS: [Hash; 1] = [[90; 32]];

fn open(root: Hash) -> Standing {
	Standing::Open(Box::new(Job {
		client: [9; 32],
		parameters: Parameters::development(),
		posted_at: 0,
		deadline: 1_000,
		segments: 20,
		milestones: 5,
		attempt: 0,
		client_faults: 0,
		cancelling: false,
		verified: Verified { milestones: 2, root },
		account: Money::default(),
		shares: Default::default(),
		state: JobState::Order(Order { opened_at: 0, bids: Default::default() }),
	}))
}

/// What is needed of one answered check of a job with this standing, and whether the answer is still there.
fn needed(standing: Option<Standing>, change: impl FnOnce(&mut Known), recent: bool) -> (BTreeSet<u8>, bool) {
	let folder = tempfile::tempdir().unwrap();
	let answers = Answers::new(Store::open(&folder.path().join("state.redb")).unwrap());
	answers.put(ID, &ANSWER).unwrap();
	answers.record_inputs(ID.job, &INPUTS).unwrap();
	assert_eq!(answers.all().unwrap(), [(ID, ANSWER)]);
	let mut known = Known {
		checks: [ID].into(),
		standings: standing.map(|standing| (ID.job, standing)).into_iter().collect(),
		undecided: BTreeSet::new(),
		disputed: BTreeSet::new(),
	};
	change(&mut known);
	let blobs = known.needed(&answers, |_| recent).unwrap();
	(blobs.into_iter().map(|blob| blob.as_bytes()[0]).collect(), answers.get(ID).unwrap().is_some())
}

#[test]
fn an_undecided_check_needs_both_states() {
	let all = ([11, 12, 90].into(), true);
	let undecided = |known: &mut Known| known.undecided.extend([(7, 0, 2)]);
	assert_eq!(needed(Some(open([5; 32])), undecided, false), all);
	assert_eq!(needed(Some(open([5; 32])), |known| known.disputed.extend([ID]), false), all);
	assert_eq!(needed(None, |_| (), false), all, "the chain could not be asked");
	assert_eq!(needed(Some(open([5; 32])), |known| known.checks.clear(), false), all, "answered since");
}

#[test]
fn a_decided_check_leaves_the_verified_state() {
	assert_eq!(needed(Some(open([2; 32])), |_| (), false), ([12, 90].into(), true));
	assert_eq!(needed(Some(open([5; 32])), |_| (), false), ([90].into(), false));
	let later = |known: &mut Known| known.undecided.extend([(7, 0, 3)]);
	assert_eq!(needed(Some(open([5; 32])), later, false), ([90].into(), false));
}

#[test]
fn of_a_closed_job_only_the_result_is_kept_and_that_for_a_time() {
	assert_eq!(needed(Some(Standing::Closed([2; 32])), |_| (), true), ([12].into(), true));
	assert_eq!(needed(Some(Standing::Closed([2; 32])), |_| (), false), ([].into(), false));
	assert_eq!(needed(Some(Standing::Closed([3; 32])), |_| (), true), ([].into(), false));
	assert_eq!(needed(Some(Standing::Gone), |_| (), true), ([].into(), false));
}
