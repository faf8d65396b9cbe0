//! A job file made ready to post: program, data, specification.

use super::{build, error::Spot, Evaluated, JobFile, JobFileError, Outcome};
use assay_engine::{Cpu, Engine, EngineError, Path as CpuPath, State, Tensor};
use assay_program::{Program, TensorId};
use assay_protocol::{
	job::{JobSpec, Offer, Verify},
	parameters::Parameters,
	plan::JobPlan,
	Reason,
};
use codec::Encode;
use std::{path::Path, sync::Arc};

/// Address that stands in until the data plane listens.
const PLACEHOLDER: &[u8] = b"/ip4/127.0.0.1";
/// Bytes per MiB.
const MIB: u64 = 1 << 20;

/// A job ready to post.
#[derive(Clone, Debug)]
pub struct Draft {
	/// What it was made from.
	pub file: JobFile,
	/// The program.
	pub program: Program,
	/// Its encoding, the blob that workers fetch.
	pub program_bytes: Vec<u8>,
	/// The data tensors; the canonical bytes of each are a blob.
	pub data: Vec<(TensorId, Tensor)>,
	/// What is done with the result. What is kept for evaluation never leaves the client.
	pub outcome: Outcome,
	/// Rows, sequences or texts that the job reads.
	pub items: u32,
	/// The specification. Its endpoint is a placeholder until [`Draft::serve_from`].
	pub spec: JobSpec,
}

/// Why a job file cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
	/// The file itself, or what it says about its data.
	#[error(transparent)]
	File(#[from] JobFileError),
	/// The job file cannot be read.
	#[error("cannot read the job file {path}: {source}; pass the path of a YAML file such as examples/digits.yaml")]
	Read {
		/// The file.
		path: String,
		/// What the system said.
		source: std::io::Error,
	},
	/// The program cannot be loaded into the engine.
	#[error("the program cannot be run: {0}; change the model")]
	Engine(#[from] EngineError),
	/// Something of the program does not fit the commitment scheme.
	#[error("the program is too large to commit to; use a smaller model")]
	Commitment,
	/// The compute backend cannot start.
	#[error("the compute backend cannot start: {0}; report this processor")]
	Backend(String),
}

impl Draft {
	/// Reads a job file and builds everything that posting it needs. Takes about as long as reading the data.
	///
	/// # Errors
	/// [`DraftError`], each naming what to change.
	pub fn load(path: &Path) -> Result<Self, DraftError> {
		let name = path.display().to_string();
		let text = std::fs::read_to_string(path).map_err(|source| DraftError::Read { path: name.clone(), source })?;
		Self::build(JobFile::parse(&name, &text)?, path.parent().unwrap_or(Path::new(".")))
	}

	/// Builds a parsed job file whose data file is relative to `folder`.
	///
	/// # Errors
	/// [`DraftError`].
	pub fn build(file: JobFile, folder: &Path) -> Result<Self, DraftError> {
		let build::Built { model: built, outcome, items } = build::build(&file, folder)?;
		let cpu = Cpu::new(CpuPath::Portable, 1).map_err(|error| DraftError::Backend(error.to_string()))?;
		let engine = Engine::new(built.program.clone(), built.data.clone(), Arc::new(cpu))?;
		let initial_root = engine.state_root(&engine.initial_state()).map_err(|_| DraftError::Commitment)?;
		let program_bytes = built.program.encode();
		let verify = &file.verify;
		let spec = JobSpec {
			program: engine.commitment().clone(),
			program_blob: assay_engine::blob_hash(&program_bytes),
			initial_root,
			milestone_segments: verify.segments,
			offer: Offer { max_price: file.offer.max, clearing: file.offer.clearing, deadline: file.offer.deadline },
			verify: Verify {
				drawn: verify.drawn,
				verifiers: verify.verifiers,
				insured_value: verify.insured_value,
				fee_per_check: verify.fee,
			},
			memory_mib: memory_mib(&built.program),
			endpoint: PLACEHOLDER.to_vec(),
		};
		Ok(Self { file, program: built.program, program_bytes, data: built.data, outcome, items, spec })
	}

	/// The specification with the address that serves program and data.
	pub fn serve_from(&self, endpoint: &str) -> JobSpec {
		JobSpec { endpoint: endpoint.as_bytes().to_vec(), ..self.spec.clone() }
	}

	/// How well `state`, a state of the job that `engine` runs, does on what the client kept. `None` where nothing was kept.
	///
	/// # Errors
	/// What went wrong, in words.
	pub fn evaluate(&self, engine: &Engine, state: &State, cpu: Arc<Cpu>) -> Result<Option<Evaluated>, String> {
		self.outcome.evaluate(engine, state, cpu)
	}

	/// Divides the job under the chain's parameters.
	///
	/// # Errors
	/// The reason that the chain would refuse it with.
	pub fn plan(&self, parameters: &Parameters) -> Result<JobPlan, Reason> {
		self.spec.validate(parameters)
	}
}

/// Memory a worker needs: data as blob and as tensors; state live, encoded, and once more while a checkpoint is checked; temps.
fn memory_mib(program: &Program) -> u32 {
	let memory = program.memory();
	let bytes =
		memory.data.saturating_mul(2).saturating_add(memory.state.saturating_mul(3)).saturating_add(memory.temps);
	u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX).max(1)
}

impl JobFile {
	pub(super) fn flaw(&self, at: Spot, message: String, next: &str) -> JobFileError {
		JobFileError { file: self.name.clone(), at, message, next: next.into() }
	}
}
