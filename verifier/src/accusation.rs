//! Plays the challenger's side of disputes about results that this verifier found to differ.

use crate::{
	check::{kept_pre_state, Answer, CheckId},
	error::VerifierError,
	service::Verifier,
};
use assay_agent::{
	artifacts::{self, ArtifactError},
	calls,
	chain::Call,
	device::Compute,
	keys::Account,
	memory::Allowance,
	store::StoreError,
	Peer, Snapshot, Specs,
};
use assay_engine::SegmentOracle;
use assay_protocol::{
	dispute::{
		player::{next_move, Action},
		Side,
	},
	records::{disputes::DisputeRecord, operators::Role},
	BlockNumber,
};
use std::{sync::Arc, time::Duration};

/// How long a move waits for program and data, should they be gone.
const FETCH: Duration = Duration::from_secs(30);

/// Has the move made that is due in every dispute that this verifier started. What goes wrong in one is logged and touches
/// no other.
///
/// # Errors
/// [`VerifierError`] when the disputes cannot be read.
pub(crate) async fn accuse(verifier: &Verifier, snapshot: &Snapshot, now: BlockNumber) -> Result<(), VerifierError> {
	let me = verifier.peer.account();
	for (id, record) in snapshot.disputes().await? {
		if record.accusation.challenger != me {
			continue;
		}
		if let Err(error) = accuse_one(verifier, snapshot, now, id, record) {
			tracing::error!(dispute = id, %error, "the dispute is looked at again");
		}
	}
	Ok(())
}

fn accuse_one(
	verifier: &Verifier,
	snapshot: &Snapshot,
	now: BlockNumber,
	id: u64,
	record: DisputeRecord<Account>,
) -> Result<(), StoreError> {
	let block = snapshot.number();
	if record.state.phase.to_move() == Side::Defender {
		if now > record.state.deadline() {
			let action = format!("end dispute {id}, the worker is silent");
			verifier.peer.actions.send(block, action, calls::time_out(id));
		}
		return Ok(());
	}
	let check = CheckId {
		job: record.accusation.job,
		attempt: record.accusation.attempt,
		milestone: record.accusation.milestone,
		segment: record.accusation.segment,
	};
	let Some(answer) = verifier.answers.get(check)? else {
		tracing::error!(dispute = id, "the answer of this check is gone; the dispute cannot be played");
		return Ok(());
	};
	let (turn, action) = (record.moves.into(), format!("move {} of dispute {id}", record.moves));
	verifier.background.send(block, format!("dispute {id}"), turn, action, || {
		let player = Player {
			peer: verifier.peer.clone(),
			specs: verifier.specs.clone(),
			// Traces keep every tensor of a step, which a device does not.
			compute: verifier.compute.without_device(),
			snapshot: snapshot.clone(),
			#[cfg(feature = "adversary")]
			misbehaviour: verifier.config.misbehaviour.clone(),
		};
		player.play(id, answer, record)
	});
	Ok(())
}

/// What computes a move.
struct Player {
	peer: Peer,
	specs: Specs,
	compute: Compute,
	snapshot: Snapshot,
	#[cfg(feature = "adversary")]
	misbehaviour: Option<crate::adversary::Misbehaviour>,
}

impl Player {
	/// The call that makes the move; `None` if this verifier keeps silent.
	async fn play(
		self,
		id: u64,
		answer: Answer,
		record: DisputeRecord<Account>,
	) -> Result<Option<Call>, VerifierError> {
		#[cfg(feature = "adversary")]
		if self.misbehaviour.as_ref().is_some_and(crate::adversary::Misbehaviour::is_silent_in_disputes) {
			return Ok(None);
		}
		let Some(spec) = self.specs.get(&self.snapshot, record.accusation.job).await? else { return Ok(None) };
		let mut endpoints = vec![spec.endpoint.clone()];
		if let Some(worker) = self.snapshot.operator(Role::Worker, &record.accusation.defender).await? {
			endpoints.push(worker.contact.endpoint.to_vec());
		}
		let sources = artifacts::providers(endpoints.iter().map(Vec::as_slice));
		// The check was made within the memory that held then; its dispute is played whatever the memory is set to now.
		// Recorded since the check.
		let fetch = artifacts::fetch(&self.peer.plane, &spec, &sources, Allowance::UNLIMITED, |_| Ok(()));
		// The blobs are here since the check. Were they lost, one slow source must not hold the other disputes up.
		let inputs = tokio::time::timeout(FETCH, fetch).await.map_err(|_| ArtifactError::Slow(FETCH))??;
		let engine = artifacts::build(&self.peer.plane, &spec, inputs, &self.compute).await?;
		let store = self.peer.plane.store().clone();
		#[cfg(feature = "adversary")]
		let misbehaviour = self.misbehaviour;
		let played = tokio::task::spawn_blocking(move || {
			let pre = kept_pre_state(&store, &engine, &answer)?;
			let mut oracle = SegmentOracle::new(Arc::new(engine), pre, record.context.end_step)?;
			#[cfg(feature = "adversary")]
			if let Some(misbehaviour) = misbehaviour {
				return misbehaviour.accuse(&record.state, &record.context, &mut oracle);
			}
			Ok::<_, VerifierError>(next_move(&record.state, &record.context, Side::Challenger, &mut oracle)?)
		})
		.await??;
		Ok(played.map(|action| match action {
			Action::Move(played) => calls::play(id, &played),
			Action::Evidence(evidence) => calls::submit_evidence(id, &evidence),
		}))
	}
}
