use super::*;
use crate::check::Answer;
use assay_agent::store::Store;
use assay_protocol::{
	parameters::Parameters,
	records::market::{Account as Money, Job, JobState, Order, Verified},
};

const ID: CheckId = CheckId { job: 7, attempt: 0, milestone: 2, segment: 9 };
const ANSWER: Answer =
	Answer { nonce: [0; 32], pre_root: [1; 32], post_root: [2; 32], pre: Some([11; 32]), post: Some([12; 32]) };
const INPUTS: [Hash; 1] = [[90; 32]];

fn open(milestones: u32, root: Hash) -> Standing {
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
		verified: Verified { milestones, root },
		account: Money::default(),
		shares: Default::default(),
		state: JobState::Order(Order { opened_at: 0, bids: Default::default() }),
	}))
}

const COURTESIES: Courtesies = Courtesies { age: Duration::from_secs(3600), bytes: 1 << 20 };
const NONE: Courtesies = Courtesies { age: Duration::ZERO, bytes: 0 };

/// What is needed of one answered check of a job with this standing, and whether the answer is still there.
fn needed(standing: Option<Standing>, change: impl FnOnce(&mut Known), courtesies: Courtesies) -> (BTreeSet<u8>, bool) {
	let folder = tempfile::tempdir().unwrap();
	let answers = Answers::new(Store::open(&folder.path().join("state.redb")).unwrap());
	answers.put(ID, &ANSWER).unwrap();
	answers.record_inputs(ID.job, &INPUTS).unwrap();
	answers.record_pre_state(ID, &[11; 32]).unwrap();
	assert_eq!(answers.all().unwrap(), [(ID, ANSWER)]);
	assert_eq!(answers.pre_states().unwrap(), [(ID, [11; 32])]);
	let mut known = Known {
		standings: standing.map(|standing| (ID.job, standing)).into_iter().collect(),
		mine: BTreeSet::new(),
		disputed: BTreeSet::new(),
	};
	change(&mut known);
	let blobs = known.needed(&answers, &courtesies, |_| 1).unwrap();
	(blobs.into_iter().map(|blob| blob.as_bytes()[0]).collect(), answers.get(ID).unwrap().is_some())
}

#[test]
fn a_check_that_is_not_known_to_be_decided_needs_both_states() {
	let all = ([11, 12, 90].into(), true);
	assert_eq!(needed(Some(open(2, [5; 32])), |_| (), NONE), all);
	assert_eq!(needed(Some(open(0, [5; 32])), |_| (), NONE), all, "a state from long before its milestone");
	assert_eq!(needed(Some(open(3, [5; 32])), |known| known.disputed.extend([ID]), NONE), all);
	assert_eq!(needed(None, |_| (), NONE), all, "the chain could not be asked, or does not know the job yet");
}

#[test]
fn a_decided_check_leaves_the_verified_state_and_the_inputs_while_there_is_room() {
	assert_eq!(needed(Some(open(3, [2; 32])), |_| (), COURTESIES), ([12, 90].into(), true));
	assert_eq!(needed(Some(open(3, [5; 32])), |_| (), COURTESIES), ([90].into(), false));
	assert_eq!(needed(Some(open(3, [5; 32])), |_| (), NONE), ([].into(), false));
	let drawn_again = |known: &mut Known| known.mine.extend([7]);
	assert_eq!(needed(Some(open(3, [5; 32])), drawn_again, NONE), ([90].into(), false));
}

#[test]
fn of_a_closed_job_only_the_result_is_kept_and_that_for_a_time() {
	assert_eq!(needed(Some(Standing::Closed([2; 32])), |_| (), COURTESIES), ([12].into(), true));
	assert_eq!(needed(Some(Standing::Closed([2; 32])), |_| (), NONE), ([].into(), false));
	assert_eq!(needed(Some(Standing::Closed([3; 32])), |_| (), COURTESIES), ([].into(), false));
	assert_eq!(needed(Some(Standing::Gone), |_| (), COURTESIES), ([].into(), false));
}
