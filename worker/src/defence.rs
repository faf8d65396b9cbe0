//! Plays the defender's side of disputes about this worker's segments.

use crate::{
	error::WorkerError,
	ledger::{LeaseId, Ledger},
	service::Worker,
};
use assay_agent::{calls, chain::Call, keys::Account, Peer, Snapshot};
use assay_engine::{Engine, SegmentOracle};
use assay_p2p::BlobHash;
use assay_protocol::{
	dispute::{
		player::{next_move, Action},
		Side,
	},
	records::disputes::DisputeRecord,
	BlockNumber,
};
use std::sync::Arc;

/// Has the move made that is due in every dispute that this worker defends. Moves are computed in the background; what goes
/// wrong in one dispute is logged there and touches no other.
///
/// # Errors
/// [`WorkerError`] when the disputes cannot be read.
pub(crate) async fn defend(worker: &Worker, snapshot: &Snapshot, now: BlockNumber) -> Result<(), WorkerError> {
	let me = worker.peer.account();
	for (id, record) in snapshot.disputes().await? {
		if record.accusation.defender == me {
			defend_one(worker, snapshot, now, id, record);
		}
	}
	Ok(())
}

fn defend_one(worker: &Worker, snapshot: &Snapshot, now: BlockNumber, id: u64, record: DisputeRecord<Account>) {
	let block = snapshot.number();
	if record.state.phase.to_move() == Side::Challenger {
		if now > record.state.deadline() {
			let action = format!("end dispute {id}, the challenger is silent");
			worker.peer.actions.send(block, action, calls::time_out(id));
		}
		return;
	}
	let lease = LeaseId { job: record.accusation.job, attempt: record.accusation.attempt };
	let Some(running) = worker.running.get(&lease) else { return };
	let Some(engine) = running.engine.borrow().clone() else { return };
	let (turn, action) = (record.moves.into(), format!("move {} of dispute {id}", record.moves));
	worker.background.send(block, format!("dispute {id}"), turn, action, || {
		let player = Player {
			peer: worker.peer.clone(),
			ledger: worker.ledger.clone(),
			engine,
			lease,
			#[cfg(feature = "adversary")]
			misbehaviour: worker.config.misbehaviour.clone(),
		};
		player.play(id, record)
	});
}

/// What computes a move.
struct Player {
	peer: Peer,
	ledger: Ledger,
	engine: Arc<Engine>,
	lease: LeaseId,
	#[cfg(feature = "adversary")]
	misbehaviour: Option<crate::adversary::Misbehaviour>,
}

impl Player {
	/// The call that makes the move.
	async fn play(self, id: u64, record: DisputeRecord<Account>) -> Result<Option<Call>, WorkerError> {
		let played = tokio::task::spawn_blocking(move || self.compute(&record)).await??;
		Ok(played.map(|action| match action {
			Action::Move(played) => calls::play(id, &played),
			Action::Evidence(evidence) => calls::submit_evidence(id, &evidence),
		}))
	}

	fn compute(self, record: &DisputeRecord<Account>) -> Result<Option<Action>, WorkerError> {
		let segment = record.accusation.segment;
		let before = match segment.checked_sub(1) {
			None => None,
			Some(before) => self.ledger.boundary(self.lease, before)?,
		};
		let attempts = self.lease.attempt.saturating_add(1);
		let start = self.ledger.checkpoint_of(self.lease.job, attempts, &record.context.pre_root)?;
		let engine = self.engine;
		let pre = match before.map(|end| end.checkpoint).or(start) {
			Some(hash) => {
				let blob = self.peer.plane.store().get(&BlobHash::from(hash), engine.checkpoint_len())?;
				engine.decode_checkpoint(&blob)?.0
			}
			None => engine.initial_state(),
		};
		#[cfg(feature = "adversary")]
		if let Some(misbehaviour) = self.misbehaviour {
			let mut oracle = misbehaviour.oracle(engine, pre, segment, &record.context)?;
			return Ok(next_move(&record.state, &record.context, Side::Defender, &mut oracle)?);
		}
		let mut oracle = SegmentOracle::new(engine, pre, record.context.end_step)?;
		Ok(next_move(&record.state, &record.context, Side::Defender, &mut oracle)?)
	}
}
