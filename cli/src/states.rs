//! Verified states of a job: asking peers for them, checking them, evaluating them.

use crate::{
	job_file::{Draft, Evaluated},
	Error,
};
use assay_agent::{
	artifacts,
	keys::Account,
	wire::{Reply, Request},
	Snapshot,
};
use assay_engine::{Cpu, Engine, State, Tensor};
use assay_p2p::{BlobHash, DataPlane, Provider};
use assay_program::Role as TensorRole;
use assay_protocol::{
	job::JobSpec,
	records::{market::Job, operators::Role},
	Hash, JobId,
};
use codec::{DecodeAll, Encode};
use std::{sync::Arc, time::Duration};

/// How long to wait for one peer's answer.
const ASK: Duration = Duration::from_secs(10);

/// Everyone who may serve a job's blobs and verified states: its workers, the newest first, the verifiers, the client.
///
/// # Errors
/// [`Error::Chain`].
pub async fn providers(snapshot: &Snapshot, job: &Job<Account>, spec: &JobSpec) -> Result<Vec<Provider>, Error> {
	let mut endpoints: Vec<Vec<u8>> = Vec::new();
	for share in job.shares.iter().rev() {
		if let Some(operator) = snapshot.operator(Role::Worker, &share.worker).await? {
			endpoints.push(operator.contact.endpoint.to_vec());
		}
	}
	for (_, operator) in snapshot.operators(Role::Verifier).await? {
		endpoints.push(operator.contact.endpoint.to_vec());
	}
	endpoints.push(spec.endpoint.clone());
	let mut providers = artifacts::providers(endpoints.iter().map(Vec::as_slice));
	let mut seen = Vec::new();
	providers.retain(|provider| {
		let new = !seen.contains(&provider.peer);
		seen.push(provider.peer);
		new
	});
	Ok(providers)
}

/// A verified state, checked against the root that the chain names.
pub struct Verified {
	/// The state.
	pub state: State,
	/// Address of its blob in the local store.
	pub checkpoint: Hash,
}

/// Asks each peer in turn for the job's last verified state and takes the first answer that has the root.
///
/// # Errors
/// [`Error::ResultUnavailable`] when none does.
pub async fn verified(
	plane: &DataPlane,
	engine: &Engine,
	job: JobId,
	root: &Hash,
	providers: &[Provider],
) -> Result<Verified, Error> {
	let mut last = String::from("no peer is known");
	let mut tried = 0;
	for provider in providers.iter().filter(|provider| provider.peer != plane.peer_id()) {
		tried += 1;
		match from_peer(plane, engine, job, root, provider).await {
			Ok(verified) => return Ok(verified),
			Err(reason) => last = format!("{provider}: {reason}"),
		}
	}
	Err(Error::ResultUnavailable { job, root: hex::encode(root), tried, last })
}

async fn from_peer(
	plane: &DataPlane,
	engine: &Engine,
	job: JobId,
	root: &Hash,
	provider: &Provider,
) -> Result<Verified, String> {
	let request = Request::Verified { job, root: *root }.encode();
	let reply = plane.request(provider, request, ASK).await.map_err(|error| error.to_string())?;
	let checkpoint = match Reply::decode_all(&mut &reply[..]) {
		Ok(Reply::Verified { checkpoint }) => checkpoint,
		_ => return Err("its answer cannot be decoded".into()),
	};
	let len = engine.checkpoint_len();
	let blob = artifacts::blob(plane, checkpoint, std::slice::from_ref(provider), len, "state")
		.await
		.map_err(|error| error.to_string())?;
	let state = engine.load_checkpoint(&blob, root).map_err(|error| error.to_string())?;
	Ok(Verified { state, checkpoint })
}

/// A state in the local store, if it is there and has the root.
pub fn stored(plane: &DataPlane, engine: &Engine, checkpoint: &Hash, root: &Hash) -> Option<State> {
	let blob = plane.store().get(&BlobHash::from(*checkpoint), engine.checkpoint_len()).ok()?;
	engine.load_checkpoint(&blob, root).ok()
}

/// Tensors by name.
pub type Named = Vec<(String, Tensor)>;

/// Named tensors of a state: the parameters, then what the optimiser remembers.
pub fn tensors(engine: &Engine, state: &State) -> (Named, Named) {
	let (mut parameters, mut others) = (Vec::new(), Vec::new());
	for (id, decl) in engine.program().state_tensors() {
		let Some(tensor) = engine.state_tensor(state, id) else { continue };
		let list = if matches!(decl.role, TensorRole::Param(_)) { &mut parameters } else { &mut others };
		list.push((String::from_utf8_lossy(&decl.name).into_owned(), tensor));
	}
	(parameters, others)
}

/// How well the state does on what the job file holds out; `None` where it holds nothing out.
///
/// # Errors
/// [`Error::OtherProgram`] when the file is of another job, [`Error::Evaluate`].
pub fn evaluation(
	draft: &Draft,
	job: JobId,
	engine: &Engine,
	state: &State,
	cpu: Arc<Cpu>,
) -> Result<Option<Evaluated>, Error> {
	if draft.spec.program != *engine.commitment() {
		return Err(Error::OtherProgram { file: draft.file.name.clone(), job });
	}
	draft.evaluate(engine, state, cpu).map_err(Error::Evaluate)
}
