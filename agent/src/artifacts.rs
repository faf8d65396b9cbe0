//! A job's program and data: fetched from whoever has them, checked against the chain's record, kept, and ready to run.

use assay_cpu::Cpu;
use assay_engine::{Engine, EngineError, Tensor, TensorError};
use assay_p2p::{BlobHash, DataPlane, FetchError, InvalidProvider, Provider, StoreError};
use assay_program::{Limits, Program, Role, TensorId};
use assay_protocol::{job::JobSpec, Hash};
use std::sync::Arc;

/// Largest encoded program, bytes.
pub const MAX_PROGRAM: u64 = 4 << 20;

/// Why a job cannot be made ready. The job's terms or the network are at fault, never this machine's state.
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
	/// The local store failed.
	#[error("the blob store failed: {0}")]
	Store(#[from] StoreError),
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
	/// The engine refused program and data.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// Running failed.
	#[error(transparent)]
	Run(#[from] assay_engine::RunError),
}

impl ArtifactError {
	/// Whether another try may succeed: the network was at fault, not the job.
	pub const fn is_transient(&self) -> bool {
		matches!(self, Self::Fetch { .. } | Self::Store(_))
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

/// Fetches the program and the data of a job from `sources` and builds an engine on `cpu`. Blobs already here are not fetched
/// again.
///
/// # Errors
/// [`ArtifactError`].
pub async fn prepare(
	plane: &DataPlane,
	spec: &JobSpec,
	sources: &[Provider],
	cpu: Arc<Cpu>,
) -> Result<Engine, ArtifactError> {
	let bytes = blob(plane, spec.program_blob, sources, MAX_PROGRAM, "program").await?;
	let program = assay_program::decode_program(&bytes, &Limits::default())
		.map_err(|error| ArtifactError::Program(format!("{error:?}")))?;
	let mut data = Vec::new();
	for (decl, id) in program.tensors.iter().zip(0u32..) {
		let Role::Data { root } = decl.role else { continue };
		let wrong = |source| ArtifactError::Data { id, source };
		let layout = decl.spec().layout().map_err(|error| wrong(TensorError::Layout(error)))?;
		let name = format!("data set `{}`", String::from_utf8_lossy(&decl.name));
		let bytes = blob(plane, root, sources, layout.byte_len(), &name).await?;
		data.push((TensorId(id), Tensor::from_canonical(decl.dtype, decl.rows, decl.cols, &bytes).map_err(wrong)?));
	}
	engine(spec, program, data, cpu)
}

/// An engine for a job's program, checked against the job.
///
/// # Errors
/// [`ArtifactError`].
pub fn engine(
	spec: &JobSpec,
	program: Program,
	data: Vec<(TensorId, Tensor)>,
	cpu: Arc<Cpu>,
) -> Result<Engine, ArtifactError> {
	let engine = Engine::new(program, data, cpu)?;
	if *engine.commitment() != spec.program {
		return Err(ArtifactError::Commitment);
	}
	if engine.state_root(&engine.initial_state())? != spec.initial_root {
		return Err(ArtifactError::InitialRoot);
	}
	Ok(engine)
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
	tokio::task::spawn_blocking(move || store.get(&hash, max_len))
		.await
		.map_err(|error| ArtifactError::Program(format!("reading was interrupted: {error}")))?
		.map_err(Into::into)
}
