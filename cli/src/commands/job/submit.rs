//! `assay job submit`.

use super::{
	super::arguments::{self, interrupted, Key, Reach},
	written,
};
use crate::console::Console;
use assay_agent::Peer;
use assay_cli::{
	estimate::{per_cent, Estimate},
	history::Happening,
	job_file::Draft,
	network,
	post::{self, Keep, Kept, Posted},
	states,
	units::amount,
	watch::{self, Watch},
	Error,
};
use assay_engine::{Cpu, Engine, Path as CpuPath};
use assay_protocol::JobId;
use serde::Serialize;
use std::{fmt, path::PathBuf, sync::Arc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Data-plane port of a client.
const PORT: u16 = 4101;

/// Post a job, serve its program and data, keep its verified states, and follow it to its end.
///
/// Running the same command again, also after a crash, continues with the same job and never posts or pays twice.
#[derive(clap::Args)]
pub(crate) struct Submit {
	/// The job file.
	file: PathBuf,
	#[command(flatten)]
	key: Key,
	/// Folder for state, blobs and the data-plane identity [default: ~/.assay/client].
	#[arg(long, value_name = "FOLDER")]
	data_dir: Option<PathBuf>,
	#[command(flatten)]
	reach: Reach,
	/// End after posting. Program and data must be served until the first milestone is committed: run the command again for that.
	#[arg(long)]
	detach: bool,
	/// Post and pay once more although this file was posted before and that job is closed.
	#[arg(long)]
	again: bool,
}

#[derive(Serialize)]
struct PostedText {
	event: &'static str,
	job: JobId,
	block: u64,
	resumed: bool,
	endpoint: String,
}

#[derive(Serialize)]
struct KeptText {
	event: &'static str,
	job: JobId,
	milestones: u32,
	checkpoint: String,
}

#[derive(Serialize)]
struct Summary {
	event: &'static str,
	job: JobId,
	reason_code: u16,
	reason: &'static str,
	verified: u32,
	milestones: u32,
	result_root: String,
	/// Text of the smallest unit, as are the next two.
	paid: String,
	fees: String,
	refunded: String,
	accuracy: Option<f32>,
	loss: Option<f32>,
	#[serde(skip)]
	text: String,
}

impl Submit {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		console.progress("building the program");
		let draft = Draft::load(&self.file)?;
		let folder = arguments::folder(&self.data_dir, "client");
		let config = self.reach.config(node, self.key.load()?, folder, PORT);
		network::probe(node).await?;
		let peer = Peer::start(&config, CancellationToken::new()).await?;
		let done = self.with(&peer, draft, console).await;
		peer.shutdown().await;
		done
	}

	async fn with(&self, peer: &Peer, draft: Draft, console: &Console) -> Result<(), Error> {
		let snapshot = peer.chain.finalized().await?;
		let estimate = Estimate::of(&draft, &snapshot.parameters().await?)?;
		post::serve(peer, &draft).await?;
		let keep = Keep::new(peer.store.clone(), peer.chain.genesis());
		keep.answer_requests(peer);
		console.progress("posting");
		let posted = tokio::select! {
			posted = post::post(peer, &draft, self.again, |text| console.note(text)) => posted?,
			() = interrupted() => {
				console.note("interrupted while posting; the same command continues and does not post twice");
				return Err(Error::Interrupted);
			},
		};
		self.tell(peer, &posted, &estimate, console);
		if self.detach {
			console.note(format!(
				"nobody serves program and data now: until the first milestone is committed, run the same command without --detach \
				 (it continues job {}), or no worker can start",
				posted.job
			));
			return Ok(());
		}
		let cpu = Cpu::new(CpuPath::Auto, 1).map_err(|error| Error::Evaluate(error.to_string()))?;
		let engine = Engine::new(draft.program.clone(), draft.data.clone(), Arc::new(cpu));
		let engine = Arc::new(engine.map_err(|error| Error::Evaluate(error.to_string()))?);
		tokio::select! {
			followed = follow(peer, &keep, &engine, &posted, console) => followed?,
			() = interrupted() => {
				console.note(format!(
					"job {} goes on; until its first milestone is committed someone must serve its data: run the same command again",
					posted.job
				));
				return Ok(());
			},
		}
		summary(peer, &keep, &engine, &draft, posted.job, console).await
	}

	fn tell(&self, peer: &Peer, posted: &Posted, estimate: &Estimate, console: &Console) {
		let endpoint = String::from_utf8_lossy(&posted.spec.endpoint).into_owned();
		if !peer.plane.listen_addresses().contains(&endpoint) {
			console.note(format!(
				"job {} names {endpoint}, but this program listens elsewhere; workers that have not fetched yet cannot: pass --listen with that address",
				posted.job
			));
		}
		let (job, block, resumed) = (posted.job, posted.block, posted.resumed);
		console.show(&PostedText { event: "submitted", job, block, resumed, endpoint });
		if !resumed {
			let detection = estimate.detection.first().map_or(0, |row| row.milestone_ppm);
			console.note(format!(
				"{} in escrow; a worker that fakes one segment of a milestone is caught with {} there and loses {}",
				amount(estimate.price.escrow),
				per_cent(detection),
				amount(estimate.price.collateral)
			));
		}
		console.note("serving program and data; they are needed until the first milestone is committed");
	}
}

/// Shows everything that happens until the job is closed, and keeps each verified state.
async fn follow(
	peer: &Peer,
	keep: &Keep,
	engine: &Arc<Engine>,
	posted: &Posted,
	console: &Console,
) -> Result<(), Error> {
	let mut watch = Watch::new(peer.chain.clone(), posted.job, posted.block);
	let mut fetches: JoinSet<Result<Kept, Error>> = JoinSet::new();
	loop {
		tokio::select! {
			Some(done) = fetches.join_next() => match done {
				Ok(Ok(kept)) => tell_kept(posted.job, &kept, console),
				Ok(Err(error)) => console.note(format!("a verified state is not kept here yet: {error}")),
				Err(_) => {},
			},
			step = watch.next() => {
				let Some((snapshot, entries)) = step? else { break };
				entries.iter().for_each(|entry| console.show(entry));
				console.progress(format!("block {}", snapshot.number()));
				let paid = entries.iter().any(|entry| matches!(entry.event, Happening::Paid { .. }));
				if paid && fetches.is_empty() {
					let (peer, keep, engine, job) = (peer.clone(), keep.clone(), engine.clone(), posted.job);
					fetches.spawn(async move { keep.fetch(&peer, &engine, job).await });
				}
			},
		}
	}
	while let Some(done) = fetches.join_next().await {
		if let Ok(Ok(kept)) = done {
			tell_kept(posted.job, &kept, console);
		}
	}
	Ok(())
}

fn tell_kept(job: JobId, kept: &Kept, console: &Console) {
	console.show(&KeptText {
		event: "kept",
		job,
		milestones: kept.milestones,
		checkpoint: hex::encode(kept.checkpoint),
	});
}

/// What came of it, with the accuracy on held-out rows when the result can be had.
async fn summary(
	peer: &Peer,
	keep: &Keep,
	engine: &Arc<Engine>,
	draft: &Draft,
	job: JobId,
	console: &Console,
) -> Result<(), Error> {
	let snapshot = peer.chain.finalized().await?;
	let record = watch::job(&snapshot, job).await?;
	let reason = match &record.state {
		assay_protocol::records::market::JobState::Closed(closing) => closing.reason,
		_ => return Err(Error::NotClosed(job)),
	};
	let mut evaluation = None;
	if record.verified.milestones > 0 {
		match keep.fetch(peer, engine, job).await {
			Ok(kept) => {
				if let Some(state) = states::stored(&peer.plane, engine, &kept.checkpoint, &record.verified.root) {
					let cpu = Arc::new(Cpu::new(CpuPath::Auto, 1).map_err(|error| Error::Evaluate(error.to_string()))?);
					evaluation = states::evaluation(draft, job, engine, &state, cpu)?;
				}
			}
			Err(error) => console.note(format!("the result is not here: {error}")),
		}
	}
	let account = &record.account;
	let mut text = format!("Job {job} closed: {} ({}). {}\n", reason.title(), reason.code(), reason.advice());
	text += &format!(
		"{} of {} milestones verified; {} to workers, {} to verifiers, {} returned\n",
		record.verified.milestones,
		record.milestones,
		amount(account.paid),
		amount(account.fees_paid),
		amount(account.refunded)
	);
	if let Some(evaluation) = evaluation {
		text += &match evaluation.accuracy {
			Some(accuracy) => {
				format!("Accuracy {:.2} %{}\n", accuracy * 100.0, written::loss(evaluation.loss))
			}
			None => format!("Held-out loss {:.4} nats per token\n", evaluation.loss.unwrap_or(f32::NAN)),
		};
	}
	text += &format!("Weights: `assay job fetch {job} --out FOLDER`. Receipt: `assay job receipt {job}`");
	console.show(&Summary {
		event: "summary",
		job,
		reason_code: reason.code(),
		reason: reason.name(),
		verified: record.verified.milestones,
		milestones: record.milestones,
		result_root: hex::encode(record.verified.root),
		paid: account.paid.to_string(),
		fees: account.fees_paid.to_string(),
		refunded: account.refunded.to_string(),
		accuracy: evaluation.and_then(|evaluation| evaluation.accuracy),
		loss: evaluation.and_then(|evaluation| evaluation.loss),
		text,
	});
	Ok(())
}

impl fmt::Display for PostedText {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let how = if self.resumed { "was posted before" } else { "posted" };
		write!(f, "Job {} {how} in block {}; served from {}", self.job, self.block, self.endpoint)
	}
}

impl fmt::Display for KeptText {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "         state after {} milestones checked and kept here", self.milestones)
	}
}

impl fmt::Display for Summary {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.text)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let text = || String::from("text");
		let posted = PostedText { event: "submitted", job: 0, block: 0, resumed: false, endpoint: text() };
		assert_documented(posted.event, &posted);
		let kept = KeptText { event: "kept", job: 0, milestones: 0, checkpoint: text() };
		assert_documented(kept.event, &kept);
		let summary = Summary {
			event: "summary",
			job: 0,
			reason_code: 0,
			reason: "",
			verified: 0,
			milestones: 0,
			result_root: text(),
			paid: text(),
			fees: text(),
			refunded: text(),
			accuracy: None,
			loss: None,
			text: text(),
		};
		assert_documented(summary.event, &summary);
	}
}
