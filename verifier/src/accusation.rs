//! Plays the challenger's side of disputes about results that this verifier found to differ.

use crate::{
	check::{kept_pre_state, Answer, CheckId},
	error::VerifierError,
	service::Verifier,
};
use assay_agent::{artifacts, calls, keys::Account, Snapshot};
use assay_engine::SegmentOracle;
use assay_protocol::{
	dispute::{
		player::{next_move, Action},
		Side,
	},
	records::{disputes::DisputeRecord, operators::Role},
};
use std::sync::Arc;

/// Makes the move that is due in every dispute that this verifier started.
pub(crate) async fn accuse(verifier: &Verifier, snapshot: &Snapshot) -> Result<(), VerifierError> {
	let me = verifier.peer.account();
	for (id, record) in snapshot.disputes().await? {
		if record.accusation.challenger != me {
			continue;
		}
		let block = snapshot.number();
		if record.state.phase.to_move() == Side::Defender {
			if block as u32 > record.state.deadline() {
				let action = format!("end dispute {id}, the worker is silent");
				verifier.peer.actions.send(block, action, calls::time_out(id));
			}
			continue;
		}
		let name = format!("move {} of dispute {id}", record.moves);
		if verifier.peer.actions.submitter().is_in_flight(&name) {
			continue;
		}
		let check = CheckId {
			job: record.accusation.job,
			attempt: record.accusation.attempt,
			milestone: record.accusation.milestone,
			segment: record.accusation.segment,
		};
		let Some(answer) = verifier.answers.get(check)? else {
			tracing::error!(dispute = id, "the answer of this check is gone; the dispute cannot be played");
			continue;
		};
		match play(verifier, snapshot, answer, record).await? {
			Some(Action::Move(played)) => verifier.peer.actions.send(block, name, calls::play(id, &played)),
			Some(Action::Evidence(evidence)) => {
				verifier.peer.actions.send(block, name, calls::submit_evidence(id, &evidence));
			}
			None => {}
		}
	}
	Ok(())
}

async fn play(
	verifier: &Verifier,
	snapshot: &Snapshot,
	answer: Answer,
	record: DisputeRecord<Account>,
) -> Result<Option<Action>, VerifierError> {
	#[cfg(feature = "adversary")]
	if verifier.config.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::is_silent_in_disputes) {
		return Ok(None);
	}
	let job = record.accusation.job;
	let Some(spec) = snapshot.spec(job).await? else { return Ok(None) };
	let mut endpoints = vec![spec.endpoint.clone()];
	if let Some(worker) = snapshot.operator(Role::Worker, &record.accusation.defender).await? {
		endpoints.push(worker.contact.endpoint.to_vec());
	}
	let sources = artifacts::providers(endpoints.iter().map(Vec::as_slice));
	let engine = artifacts::prepare(&verifier.peer.plane, &spec, &sources, verifier.cpu.clone()).await?;
	let peer = verifier.peer.clone();
	#[cfg(feature = "adversary")]
	let misbehaviour = verifier.config.misbehaviour.clone();
	let played = tokio::task::spawn_blocking(move || {
		let pre = kept_pre_state(&peer, &engine, &answer)?;
		let mut oracle = SegmentOracle::new(Arc::new(engine), pre, record.context.end_step)?;
		#[cfg(feature = "adversary")]
		if let Some(misbehaviour) = misbehaviour {
			return misbehaviour.accuse(&record.state, &record.context, &mut oracle);
		}
		next_move(&record.state, &record.context, Side::Challenger, &mut oracle).map_err(VerifierError::Oracle)
	});
	played.await.map_err(|_| VerifierError::Stopped)?
}
