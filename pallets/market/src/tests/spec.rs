//! A small valid specification.

use assay_program::{commitment::ProgramCommitment, Header, Lane};
use assay_protocol::{
	job::{Clearing, JobSpec, Offer, Verify},
	parameters::UNIT,
};

pub(crate) fn spec(clearing: Clearing) -> JobSpec {
	JobSpec {
		program: ProgramCommitment {
			header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 95, batch: 8, segment_steps: 10 },
			n_tensors: 5,
			n_ops: 3,
			n_updates: 1,
			n_state: 1,
			tensors_root: [2; 32],
			ops_root: [3; 32],
			updates_root: [4; 32],
		},
		program_blob: [5; 32],
		initial_root: [6; 32],
		milestone_segments: 4,
		offer: Offer { max_price: 100 * UNIT, clearing, deadline: super::mock::DEADLINE },
		verify: Verify { drawn: 1, verifiers: 2, insured_value: 50 * UNIT, fee_per_check: UNIT },
		memory_mib: 64,
		endpoint: b"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW".to_vec(),
	}
}
