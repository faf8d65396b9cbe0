//! A job's program and data: fetched from whoever has them, checked against the chain's record, kept, and ready to run.
//!
//! [`fetch`] waits for the network and holds little memory: blobs go to disk, and a program that takes more than the machine
//! gives is refused before its data is asked for. [`build`] computes. [`prepare`] is both.

use crate::memory::{Allowance, Need, Purpose, MIB};
use assay_cpu::Cpu;
use assay_device::Compute;
use assay_engine::{requirements, Engine, EngineError, Tensor, TensorError};
use assay_p2p::{BlobHash, BlobStore, DataPlane, FetchError, Hold, InvalidProvider, Provider, StoreError};
use assay_program::{validate::Quantity, Limits, Program, ProgramError, ProgramTrees, TensorId};
use assay_protocol::{job::JobSpec, Hash};
use std::{sync::Arc, time::Duration};

/// Largest encoded program, bytes.
pub const MAX_PROGRAM: u64 = 4 << 20;

/// Why a job cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
	/// The endpoint in the job is no address.
	#[error("the job's endpoint is not a multiaddr with a peer id: {0}")]
	Endpoint(String),
	/// A blob cannot be had.
	#[error("cannot fetch the {what}: {source}")]
	Fetch {
		/// Which blob.
		what: String,
		/// Why.
		source: FetchError,
	},
	/// The sources send too slowly.
	#[error("program and data did not arrive within {} s", .0.as_secs())]
	Slow(Duration),
	/// The local store failed.
	#[error("the blob store failed: {0}")]
	Store(#[from] StoreError),
	/// The daemon's records failed.
	#[error(transparent)]
	Records(#[from] crate::store::StoreError),
	/// The program's bytes are not a valid program.
	#[error("the job's program is not valid: {0}")]
	Program(String),
	/// The program is another than the one the chain committed to.
	#[error("the program blob does not have the commitment that the job names; the client posted a wrong job")]
	Commitment,
	/// The initial state root in the job is not the program's.
	#[error("the job's initial state root is not the one its program starts with; the client posted a wrong job")]
	InitialRoot,
	/// A data blob is not the tensor that the program declares.
	#[error("data tensor {id}: {source}")]
	Data {
		/// Id in the program.
		id: u32,
		/// What is wrong.
		source: TensorError,
	},
	/// The program takes more memory than this machine gives to one.
	#[error(
		"the program takes {needed} bytes of memory, {allowed} are allowed; raise --memory if the machine has more"
	)]
	Memory {
		/// Bytes that it takes.
		needed: u64,
		/// Bytes that it may take.
		allowed: u64,
		/// Whether the order declares less than the program takes.
		understated: bool,
	},
	/// Reading or computing ended without a result.
	#[error("making the program ready was interrupted: {0}")]
	Interrupted(#[from] tokio::task::JoinError),
	/// The engine refused program and data.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// Running failed.
	#[error(transparent)]
	Run(#[from] assay_engine::RunError),
}

impl ArtifactError {
	/// Whether the network was at fault: another try, or another source, may succeed.
	pub const fn is_unfetched(&self) -> bool {
		match self {
			// Proven by the blob's own hash: the job declares another length.
			Self::Fetch { source: FetchError::TooLarge { .. } | FetchError::Store(_), .. } => false,
			Self::Fetch { .. } | Self::Slow(_) => true,
			_ => false,
		}
	}

	/// Whether this machine was at fault, not the job: its disk, or that it stops.
	pub const fn is_local(&self) -> bool {
		matches!(
			self,
			Self::Store(_)
				| Self::Records(_)
				| Self::Interrupted(_)
				| Self::Fetch { source: FetchError::Store(_) | FetchError::Shutdown, .. }
		)
	}
}

/// Parses data-plane addresses, skipping those that are none.
pub fn providers<'a>(endpoints: impl IntoIterator<Item = &'a [u8]>) -> Vec<Provider> {
	endpoints.into_iter().filter_map(|endpoint| provider(endpoint).ok()).collect()
}

/// Parses one data-plane address.
///
/// # Errors
/// [`ArtifactError::Endpoint`].
pub fn provider(endpoint: &[u8]) -> Result<Provider, ArtifactError> {
	let text = String::from_utf8_lossy(endpoint);
	text.parse().map_err(|error: InvalidProvider| ArtifactError::Endpoint(format!("{text}: {error}")))
}

/// A job's program, checked against the order, with all its data in the local store.
#[derive(Debug)]
pub struct Inputs {
	program: Program,
	need: Need,
	limits: Limits,
	/// Keeps the blobs while the inputs are not loaded.
	_holds: Vec<Hold>,
}

impl Inputs {
	/// The program.
	pub fn program(&self) -> &Program {
		&self.program
	}

	/// What the program takes.
	pub fn need(&self) -> &Need {
		&self.need
	}
}

/// Brings the program and the data of a job into the local store, from any of `sources`. Blobs already there are not fetched
/// again. `record` learns their hashes before any of them is asked for.
///
/// # Errors
/// [`ArtifactError`]; [`ArtifactError::Memory`] before any data is fetched.
pub async fn fetch(
	plane: &DataPlane,
	spec: &JobSpec,
	sources: &[Provider],
	memory: Allowance,
	record: impl Fn(&[Hash]) -> Result<(), crate::store::StoreError>,
) -> Result<Inputs, ArtifactError> {
	let hold = |blob: &Hash| plane.store().hold(BlobHash::from(*blob));
	let program = hold(&spec.program_blob);
	record(&[spec.program_blob])?;
	let bytes = blob(plane, spec.program_blob, sources, MAX_PROGRAM, "program").await?;
	let limits = limits(memory);
	let mut inputs = inputs(spec, &bytes, limits, memory)?;
	let wanted = requirements(&inputs.program);
	let roots: Vec<Hash> = wanted.iter().map(|data| data.root).collect();
	inputs._holds = roots.iter().map(hold).chain([program]).collect();
	record(&roots)?;
	for data in wanted {
		let layout = data
			.spec
			.layout()
			.map_err(|error| ArtifactError::Data { id: data.id.0, source: TensorError::Layout(error) })?;
		let what = || format!("data set `{}`", data.name);
		plane
			.fetch(BlobHash::from(data.root), sources, layout.byte_len())
			.await
			.map_err(|source| ArtifactError::Fetch { what: what(), source })?;
	}
	Ok(inputs)
}

/// The engine of fetched inputs, its program on the device if there is one. A program that cannot go there is run by the CPU,
/// and the log says why. Computes for a while, on a thread of its own.
///
/// # Errors
/// [`ArtifactError`].
pub async fn build(
	plane: &DataPlane,
	spec: &JobSpec,
	inputs: Inputs,
	compute: &Compute,
) -> Result<Engine, ArtifactError> {
	let (store, spec, compute) = (plane.store().clone(), spec.clone(), compute.clone());
	tokio::task::spawn_blocking(move || {
		let data = load(&store, &inputs.program)?;
		let mut engine = Engine::with_limits(inputs.program, data, compute.cpu().clone(), &inputs.limits)?;
		if *engine.commitment() != spec.program {
			return Err(ArtifactError::Commitment);
		}
		if engine.state_root(&engine.initial_state())? != spec.initial_root {
			return Err(ArtifactError::InitialRoot);
		}
		if let Err(error) = compute.accelerate(&mut engine) {
			tracing::warn!(%error, "the CPU runs this job");
		}
		Ok(engine)
	})
	.await?
}

/// [`fetch`], then [`build`] on the CPU.
///
/// # Errors
/// [`ArtifactError`].
pub async fn prepare(
	plane: &DataPlane,
	spec: &JobSpec,
	sources: &[Provider],
	cpu: Arc<Cpu>,
	memory: Allowance,
) -> Result<Engine, ArtifactError> {
	let inputs = fetch(plane, spec, sources, memory, |_| Ok(())).await?;
	build(plane, spec, inputs, &Compute::on_cpu(cpu)).await
}

/// The protocol's limits, and for a dispute, which holds all tensors of a step at once, the allowance for all of them.
fn limits(memory: Allowance) -> Limits {
	let limits = Limits::default();
	match memory.purpose {
		Purpose::Execution => limits,
		Purpose::Dispute => Limits { total_bytes: limits.total_bytes.min(memory.bytes), ..limits },
	}
}

/// The program of `bytes`, if it is the order's and fits.
fn inputs(spec: &JobSpec, bytes: &[u8], limits: Limits, memory: Allowance) -> Result<Inputs, ArtifactError> {
	let refuse = |needed, declared| ArtifactError::Memory {
		needed,
		allowed: memory.bytes,
		understated: declared > u64::from(spec.memory_mib).saturating_mul(MIB),
	};
	let program = assay_program::decode_program(bytes, &Limits::default())
		.map_err(|error| ArtifactError::Program(format!("{error:?}")))?;
	if ProgramTrees::build(&program).is_none_or(|trees| *trees.commitment() != spec.program) {
		return Err(ArtifactError::Commitment);
	}
	let need = Need::of(&program);
	let needed = memory.needed(&need);
	if needed > memory.bytes {
		return Err(refuse(needed, need.declared()));
	}
	match program.validate(&limits) {
		Ok(()) => Ok(Inputs { program, need, limits, _holds: Vec::new() }),
		Err(ProgramError::TooLarge { what: Quantity::TotalBytes, value, .. }) => Err(refuse(value, need.declared())),
		Err(error) => Err(ArtifactError::Program(format!("{error:?}"))),
	}
}

/// The data tensors of a program from the local store.
fn load(store: &BlobStore, program: &Program) -> Result<Vec<(TensorId, Tensor)>, ArtifactError> {
	let mut data = Vec::new();
	for wanted in requirements(program) {
		let wrong = |source| ArtifactError::Data { id: wanted.id.0, source };
		let layout = wanted.spec.layout().map_err(|error| wrong(TensorError::Layout(error)))?;
		let bytes = store.get(&BlobHash::from(wanted.root), layout.byte_len())?;
		let spec = wanted.spec;
		data.push((wanted.id, Tensor::from_canonical(spec.dtype, spec.rows, spec.cols, &bytes).map_err(wrong)?));
	}
	Ok(data)
}

/// One blob, fetched if it is not here.
///
/// # Errors
/// [`ArtifactError`].
pub async fn blob(
	plane: &DataPlane,
	hash: Hash,
	sources: &[Provider],
	max_len: u64,
	what: &str,
) -> Result<Vec<u8>, ArtifactError> {
	let hash = BlobHash::from(hash);
	plane.fetch(hash, sources, max_len).await.map_err(|source| ArtifactError::Fetch { what: what.into(), source })?;
	let store = plane.store().clone();
	Ok(tokio::task::spawn_blocking(move || store.get(&hash, max_len)).await??)
}
