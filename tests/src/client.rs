//! A client inside the test: posts jobs, follows them block by block, fetches and evaluates results.

use anyhow::{bail, Context, Result};
use assay_agent::{
	keys::{Account, Keypair},
	Peer, PeerConfig, Snapshot,
};
use assay_cli::{
	history::{DisputeEnded, Entry, Happening},
	job_file::{Draft, Evaluated},
	post::{self, Keep, Posted},
	states,
	watch::Watch,
};
use assay_engine::{Cpu, Engine, Path as CpuPath, State};
use assay_protocol::{
	dispute::Outcome,
	records::{
		disputes::LeafKind,
		market::{Closing, Job, JobState},
	},
	JobId, Reason, SegmentIndex,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// A client and its data plane.
pub struct Client {
	/// Chain, key, blobs, data plane.
	pub peer: Peer,
	keep: Keep,
}

/// A dispute that was ruled.
#[derive(Clone, Debug)]
pub struct Ruling {
	/// Its number.
	pub id: u64,
	/// The segment.
	pub segment: SegmentIndex,
	/// Who was right, and why.
	pub outcome: Outcome,
	/// The same as a stable code.
	pub reason: Reason,
	/// Moves, evidence included.
	pub moves: u32,
	/// Bytes that all moves took in blocks.
	pub bytes: u32,
	/// What the referee executed.
	pub leaf: Option<LeafKind>,
	/// Weight of the referee's work, picoseconds of a validator.
	pub referee_picoseconds: u64,
}

/// A closed job.
#[derive(Clone, Debug)]
pub struct Closed {
	/// Its number.
	pub id: JobId,
	/// Its record.
	pub job: Job<Account>,
	/// Everything that happened, in order.
	pub entries: Vec<Entry>,
	/// Disputes that were ruled.
	pub rulings: Vec<Ruling>,
}

impl Closed {
	/// Why and when it closed.
	pub fn closing(&self) -> Option<Closing> {
		match self.job.state {
			JobState::Closed(closing) => Some(closing),
			_ => None,
		}
	}

	/// Checks that verified milestones rest on.
	pub fn checks(&self) -> u32 {
		self.entries
			.iter()
			.map(|entry| match entry.event {
				Happening::Verified { checks, .. } => checks,
				_ => 0,
			})
			.sum()
	}

	/// Segments that verifiers were drawn for, over all leases.
	pub fn segments_drawn(&self) -> usize {
		self.entries
			.iter()
			.map(|entry| match &entry.event {
				Happening::Drawn { segments, .. } => segments.len(),
				_ => 0,
			})
			.sum()
	}
}

impl Client {
	/// Starts a client with its own folder.
	///
	/// # Errors
	/// When the node or the data plane cannot be reached.
	pub async fn start(url: &str, key: &str, folder: &Path) -> Result<Self> {
		let config = PeerConfig {
			node: url.into(),
			keypair: Keypair::from_uri(key)?,
			folder: folder.into(),
			listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()],
			announce: Vec::new(),
		};
		let peer = Peer::start(&config, CancellationToken::new()).await?;
		let keep = Keep::new(peer.store.clone(), peer.chain.genesis());
		keep.answer_requests(&peer);
		Ok(Self { peer, keep })
	}

	/// Serves and posts a job.
	///
	/// # Errors
	/// When the chain refuses it.
	pub async fn post(&self, draft: &Draft) -> Result<Posted> {
		post::serve(&self.peer, draft).await?;
		Ok(post::post(&self.peer, draft, false, |_| {}).await?)
	}

	/// Follows a job until it is closed. `look` sees every finalised block and what happened in it.
	///
	/// # Errors
	/// When `limit` passes, with the last thing that happened.
	pub async fn follow(
		&self,
		posted: &Posted,
		limit: Duration,
		mut look: impl FnMut(&Snapshot, &[Entry]) -> Result<()>,
	) -> Result<Closed> {
		let mut watch = Watch::new(self.peer.chain.clone(), posted.job, posted.block);
		let mut entries: Vec<Entry> = Vec::new();
		let mut rulings = Vec::new();
		let end = tokio::time::Instant::now() + limit;
		loop {
			let Ok(next) = tokio::time::timeout_at(end, watch.next()).await else {
				let last: Vec<String> = entries.iter().rev().take(6).map(ToString::to_string).collect();
				bail!("job {} is not closed after {} s; last: {}", posted.job, limit.as_secs(), last.join(" | "));
			};
			let Some((snapshot, found)) = next? else { break };
			if found.iter().any(|entry| matches!(entry.event, Happening::DisputeEnded { .. })) {
				rulings.extend(rulings_in(&snapshot, posted.job).await?);
			}
			look(&snapshot, &found)?;
			entries.extend(found);
		}
		let job = self.peer.chain.finalized().await?.job(posted.job).await?.context("the job is gone")?;
		Ok(Closed { id: posted.job, job, entries, rulings })
	}

	/// Fetches the verified state from the network, checks it against the chain, and evaluates it on what was held out.
	///
	/// # Errors
	/// When nobody serves it.
	pub async fn evaluate(&self, draft: &Draft, job: JobId) -> Result<Evaluated> {
		let (engine, state) = self.result(draft, job).await?;
		let cpu = Arc::new(Cpu::new(CpuPath::Auto, 1)?);
		states::evaluation(draft, job, &engine, &state, cpu)?.context("the job holds nothing out")
	}

	/// Fetches the verified state from the network and checks it against the chain.
	///
	/// # Errors
	/// When nobody serves it.
	pub async fn result(&self, draft: &Draft, job: JobId) -> Result<(Engine, State)> {
		let cpu = Arc::new(Cpu::new(CpuPath::Auto, 1)?);
		let engine = Engine::new(draft.program.clone(), draft.data.clone(), cpu)?;
		let kept = self.keep.fetch(&self.peer, &engine, job).await?;
		let root = self.peer.chain.finalized().await?.job(job).await?.context("the job is gone")?.verified.root;
		let state =
			states::stored(&self.peer.plane, &engine, &kept.checkpoint, &root).context("the fetched state is gone")?;
		Ok((engine, state))
	}

	/// Ends the data plane.
	pub async fn shutdown(self) {
		self.peer.shutdown().await;
	}
}

/// The disputes of a job that ended in a block.
async fn rulings_in(snapshot: &Snapshot, of: JobId) -> Result<Vec<Ruling>> {
	let mut found = Vec::new();
	for event in snapshot.events().await? {
		if event.pallet != "Disputes" || event.name != "Ended" {
			continue;
		}
		let (id, job, _, segment, outcome, reason, moves, bytes, leaf, (time, _)): DisputeEnded = event.decode()?;
		if job == of {
			found.push(Ruling { id, segment, outcome, reason, moves, bytes, leaf, referee_picoseconds: time.0 });
		}
	}
	Ok(found)
}

/// The state root that the job ends in, by executing all of it here.
///
/// # Errors
/// When the program cannot be run.
pub fn expected_root(draft: &Draft) -> Result<[u8; 32]> {
	let engine = Engine::new(draft.program.clone(), draft.data.clone(), Arc::new(Cpu::new(CpuPath::Auto, 1)?))?;
	let mut state = engine.initial_state();
	engine.run(&mut state, draft.program.header.steps, &mut |_| std::ops::ControlFlow::Continue(()))?;
	Ok(engine.state_root(&state)?)
}
