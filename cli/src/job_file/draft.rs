//! A job file made ready to post: program, data, specification.

use super::{build, error::Spot, Evaluated, JobFile, JobFileError, Outcome};
use crate::memory::{self, MIB};
use assay_engine::{Cpu, Engine, EngineError, Path as CpuPath, State, Tensor};
use assay_program::{Program, TensorId};
use assay_protocol::{
	job::{JobSpec, Offer, Verify},
	parameters::Parameters,
	plan::JobPlan,
	Reason,
};
use codec::Encode;
use std::{
	path::{Path, PathBuf},
	sync::Arc,
};

/// Address that stands in until the data plane listens.
const PLACEHOLDER: &[u8] = b"/ip4/127.0.0.1";

/// A job ready to post.
#[derive(Clone, Debug)]
pub struct Draft {
	/// What it was made from.
	pub file: JobFile,
	/// The files and directories that it was made from.
	pub inputs: Vec<PathBuf>,
	/// What was taken for granted where the file does not say, in words.
	pub notes: Vec<String>,
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
	pub fn build(mut file: JobFile, folder: &Path) -> Result<Self, DraftError> {
		let build::Built { model: built, outcome, items, verify, notes } = build::build(&file, folder)?;
		file.verify = verify.unwrap_or(file.verify);
		let flaw = |problem: String| file.flaw(file.spots.model, problem, "use a smaller model");
		fits(&built.program, memory::free()).map_err(flaw)?;
		let cpu = Cpu::new(CpuPath::Portable, 1).map_err(|error| DraftError::Backend(error.to_string()))?;
		let engine = Engine::new(built.program.clone(), built.data.clone(), Arc::new(cpu));
		let engine = engine.map_err(|error: EngineError| flaw(format!("the program cannot be run: {error}")))?;
		let initial_root = engine.state_root(&engine.initial_state());
		let initial_root = initial_root.map_err(|_| flaw("the program is too large to commit to".into()))?;
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
		let inputs = file.inputs(folder);
		Ok(Self { file, inputs, notes, program: built.program, program_bytes, data: built.data, outcome, items, spec })
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

/// Fails if the state that the job begins with, of which a second copy is hashed, does not fit in the memory that is free.
fn fits(program: &Program, free: Option<u64>) -> Result<(), String> {
	let needed = program.memory().state.saturating_mul(2);
	match free {
		Some(free) if needed > free => {
			let (needed, free) = (memory::words(needed.div_ceil(MIB)), memory::words(free / MIB));
			Err(format!("making the job takes {needed} of memory for what is trained, this machine has {free} free"))
		}
		_ => Ok(()),
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
