//! `assay job fetch`.

use super::{
	super::arguments::folder,
	destination,
	written::{self, Written},
};
use crate::console::Console;
use assay_agent::{artifacts, memory::Allowance, store::Store, Chain};
use assay_cli::{job_file::Draft, network, post::Keep, states, watch, Error};
use assay_engine::{Cpu, Engine, Path as CpuPath, State};
use assay_p2p::{BlobStore, CancellationToken, Config, DataPlane, DenyAll, Identity, StoreError};
use assay_protocol::{Hash, JobId};
use serde::Serialize;
use std::{
	fmt,
	path::{Path, PathBuf},
	sync::Arc,
};

/// Download the weights of the last verified milestone, check them against the chain, and write them as safetensors.
#[derive(clap::Args)]
pub(crate) struct Fetch {
	/// The job.
	job: JobId,
	/// Folder to write to; made if it is missing.
	#[arg(long, value_name = "FOLDER")]
	out: PathBuf,
	/// The job file: also show how well the result does on what it holds out, and write it in the form that other programs
	/// read: a model as a directory `model`, what was made of texts or rows as `outputs.jsonl`.
	#[arg(long, value_name = "FILE")]
	evaluate: Option<PathBuf>,
	/// The client's folder, whose kept states are used [default: ~/.assay/client].
	#[arg(long, value_name = "FOLDER")]
	data_dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Fetched {
	job: JobId,
	genesis: String,
	program_root: String,
	state_root: String,
	verified_milestones: u32,
	milestones: u32,
	steps: u64,
	files: Vec<Written>,
	accuracy: Option<f32>,
	loss: Option<f32>,
	held_out: Option<u32>,
	/// Path of the result in the form that other programs read.
	result: Option<String>,
}

impl Fetch {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let draft = self.evaluate.as_deref().map(Draft::load).transpose()?;
		destination::prepare(&self.out, draft.as_ref().map_or(&[], |draft| &draft.inputs))?;
		let chain = network::connect(node).await?;
		let stop = CancellationToken::new();
		let (plane, keep) = open(&folder(&self.data_dir, "client"), &chain, stop.clone()).await?;
		let fetched = self.with(&chain, &plane, keep.as_ref(), draft.as_ref(), console).await;
		plane.shutdown().await;
		console.show(&fetched?);
		Ok(())
	}

	async fn with(
		&self,
		chain: &Chain,
		plane: &DataPlane,
		keep: Option<&Keep>,
		draft: Option<&Draft>,
		console: &Console,
	) -> Result<Fetched, Error> {
		let snapshot = chain.finalized().await?;
		let record = watch::job(&snapshot, self.job).await?;
		let spec = watch::spec(&snapshot, self.job).await?;
		if record.verified.milestones == 0 {
			return Err(Error::NothingVerified(self.job));
		}
		let root = record.verified.root;
		let providers = states::providers(&snapshot, &record, &spec).await?;
		let cpu = Arc::new(Cpu::new(CpuPath::Auto, 1).map_err(|error| Error::Evaluate(error.to_string()))?);
		console.progress("fetching the program and its data");
		let engine = artifacts::prepare(plane, &spec, &providers, cpu.clone(), Allowance::UNLIMITED).await?;
		console.progress("fetching the state");
		let state = match kept(plane, &engine, keep, self.job, &root)? {
			Some(state) => state,
			None => states::verified(plane, &engine, self.job, &root, &providers).await?.state,
		};
		let evaluation = match draft {
			Some(draft) => states::evaluation(draft, self.job, &engine, &state, cpu)?,
			None => None,
		};
		let mut fetched = Fetched {
			job: self.job,
			genesis: hex::encode(chain.genesis()),
			program_root: hex::encode(spec.program.root()),
			state_root: hex::encode(root),
			verified_milestones: record.verified.milestones,
			milestones: record.milestones,
			steps: state.step(),
			files: Vec::new(),
			accuracy: evaluation.and_then(|evaluation| evaluation.accuracy),
			loss: evaluation.and_then(|evaluation| evaluation.loss),
			held_out: evaluation.map(|evaluation| evaluation.held_out),
			result: None,
		};
		let metadata = [
			("job", fetched.job.to_string()),
			("genesis", fetched.genesis.clone()),
			("state_root", fetched.state_root.clone()),
		];
		let outcome = draft.map(|draft| &draft.outcome);
		(fetched.files, fetched.result) = written::write(&self.out, &engine, &state, outcome, &metadata)?;
		written::manifest(&self.out, &fetched)?;
		Ok(fetched)
	}
}

fn kept(
	plane: &DataPlane,
	engine: &Engine,
	keep: Option<&Keep>,
	job: JobId,
	root: &Hash,
) -> Result<Option<State>, Error> {
	let Some(kept) = keep.map(|keep| keep.get(job, root)).transpose()?.flatten() else { return Ok(None) };
	Ok(states::stored(plane, engine, &kept.checkpoint, root))
}

/// A data plane that only fetches, over the client's own store; over one beside it while `assay job submit` uses that.
async fn open(folder: &Path, chain: &Chain, stop: CancellationToken) -> Result<(DataPlane, Option<Keep>), Error> {
	let beside = folder.join("fetch");
	let (blobs, keep, identity) = match BlobStore::open(folder.join("blobs")) {
		Ok(blobs) => {
			let keep = Keep::new(Store::open(&folder.join("state.redb"))?, chain.genesis());
			(blobs, Some(keep), folder.join("peer.key"))
		}
		Err(StoreError::Locked(_)) => (BlobStore::open(beside.join("blobs"))?, None, beside.join("peer.key")),
		Err(error) => return Err(error.into()),
	};
	let peer = |error: assay_agent::PeerError| Error::Peer(error);
	let identity = Identity::load_or_create(identity).map_err(|error| peer(error.into()))?;
	let plane = DataPlane::start(Config::new(identity), blobs, Arc::new(DenyAll), stop)
		.await
		.map_err(|error| peer(error.into()))?;
	Ok((plane, keep))
}

impl fmt::Display for Fetched {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(
			f,
			"State after {} of {} milestones ({} steps) of job {}",
			self.verified_milestones, self.milestones, self.steps, self.job
		)?;
		write!(f, "Its root is the one on chain: {}", self.state_root)?;
		for file in &self.files {
			write!(f, "\n{}: {} tensors, {} bytes", file.path, file.tensors.len(), file.bytes)?;
		}
		if let Some(rows) = self.held_out {
			let loss = written::loss(self.loss);
			match self.accuracy {
				Some(accuracy) => write!(f, "\nAccuracy {:.2} %{loss}, on {rows} rows", accuracy * 100.0)?,
				None => write!(f, "\nHeld-out{} nats per token, on {rows} sequences", loss.trim_start_matches(','))?,
			}
		}
		match &self.result {
			Some(path) => write!(f, "\nResult for other programs: {path}"),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let text = || String::from("text");
		let tensors = vec![written::Named { name: text(), rows: 0, cols: 0 }];
		let fetched = Fetched {
			job: 0,
			genesis: text(),
			program_root: text(),
			state_root: text(),
			verified_milestones: 0,
			milestones: 0,
			steps: 0,
			files: vec![Written { path: text(), bytes: 0, blake3: text(), tensors }],
			accuracy: None,
			loss: None,
			held_out: None,
			result: None,
		};
		assert_documented("job fetch", &fetched);
	}
}
