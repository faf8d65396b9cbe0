//! Plays the defender's side of disputes about this worker's segments.

use crate::{
	error::WorkerError,
	ledger::LeaseId,
	service::{Running, Worker},
};
use assay_agent::{calls, keys::Account, Snapshot};
use assay_engine::{Engine, OracleError, SegmentOracle, State};
use assay_p2p::BlobHash;
use assay_protocol::{
	dispute::{
		player::{next_move, Action},
		Side,
	},
	records::disputes::DisputeRecord,
};
use std::sync::Arc;

/// Makes the move that is due in every dispute that this worker defends.
pub(crate) async fn defend(worker: &Worker, snapshot: &Snapshot) -> Result<(), WorkerError> {
	let me = worker.peer.account();
	for (id, record) in snapshot.disputes().await? {
		if record.accusation.defender != me {
			continue;
		}
		let now = snapshot.number() as u32;
		let to_move = record.state.phase.to_move();
		if to_move == Side::Challenger {
			if now > record.state.deadline() {
				let action = format!("end dispute {id}, the challenger is silent");
				worker.peer.actions.send(snapshot.number(), action, calls::time_out(id));
			}
			continue;
		}
		let lease = LeaseId { job: record.accusation.job, attempt: record.accusation.attempt };
		let Some(running) = worker.running.get(&lease) else { continue };
		let Some(engine) = running.engine.borrow().clone() else { continue };
		let name = format!("move {} of dispute {id}", record.moves);
		if worker.peer.actions.submitter().is_in_flight(&name) {
			continue;
		}
		match play(worker, running, engine, record).await? {
			Some(Action::Move(played)) => worker.peer.actions.send(snapshot.number(), name, calls::play(id, &played)),
			Some(Action::Evidence(evidence)) => {
				worker.peer.actions.send(snapshot.number(), name, calls::submit_evidence(id, &evidence));
			}
			None => {}
		}
	}
	Ok(())
}

async fn play(
	worker: &Worker,
	running: &Running,
	engine: Arc<Engine>,
	record: DisputeRecord<Account>,
) -> Result<Option<Action>, WorkerError> {
	let segment = record.accusation.segment;
	let before = match segment.checked_sub(1) {
		None => None,
		Some(before) => worker.ledger.boundary(running.lease, before)?,
	};
	let start = worker.ledger.checkpoint_of(running.lease.job, running.lease.attempt + 1, &record.context.pre_root)?;
	let checkpoint = before.map(|end| end.checkpoint).or(start);
	let store = worker.peer.plane.store().clone();
	#[cfg(feature = "adversary")]
	let misbehaviour = worker.config.misbehaviour.clone();
	let played = tokio::task::spawn_blocking(move || {
		let pre = match checkpoint {
			Some(hash) => engine.decode_checkpoint(&store.get(&BlobHash::from(hash), engine.checkpoint_len())?)?.0,
			None => engine.initial_state(),
		};
		#[cfg(feature = "adversary")]
		if let Some(misbehaviour) = misbehaviour {
			let mut oracle = misbehaviour.oracle(engine, pre, segment, &record.context)?;
			return next_move(&record.state, &record.context, Side::Defender, &mut oracle).map_err(oracle_failed);
		}
		let mut oracle = oracle(engine, pre, &record)?;
		next_move(&record.state, &record.context, Side::Defender, &mut oracle).map_err(oracle_failed)
	});
	played.await.map_err(|_| WorkerError::Stopped)?
}

fn oracle(engine: Arc<Engine>, pre: State, record: &DisputeRecord<Account>) -> Result<SegmentOracle, WorkerError> {
	SegmentOracle::new(engine, pre, record.context.end_step).map_err(oracle_failed)
}

pub(crate) fn oracle_failed(error: OracleError) -> WorkerError {
	WorkerError::Oracle(error)
}
