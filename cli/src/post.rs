//! Posting a job: its blobs served, its order posted exactly once whatever crashes, its verified states kept.

use crate::{clock::Clock, job_file::Draft, states, watch, Error};
use assay_agent::{
	calls,
	keys::Account,
	store::Store,
	wire::{refusal, Reply, Request},
	Chain, ChainError, Peer, Snapshot, SubmitError,
};
use assay_engine::Engine;
use assay_p2p::{BlobHash, BlobStore, PeerId, Refusal};
use assay_protocol::{
	job::JobSpec,
	records::market::{Job, JobState},
	BlockNumber, Hash, JobId,
};
use codec::{Decode, DecodeAll, Encode};
use std::{sync::Arc, time::Duration};

/// Blocks in which a transaction may still be included after it was signed, and some to be safe.
const IN_DOUBT: u64 = 72;
/// How often a posting in doubt is looked up.
const POLL: Duration = Duration::from_millis(500);

/// What is durable about a posting.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
enum Record {
	/// About to be sent; the newest finalised block then.
	Intended {
		/// Its number.
		block: u64,
		/// Its time by the protocol's clock.
		time: BlockNumber,
	},
	/// On chain.
	Posted {
		/// The job.
		job: JobId,
	},
}

/// A posted job.
#[derive(Clone, Debug)]
pub struct Posted {
	/// Its number.
	pub job: JobId,
	/// Block that posted it.
	pub block: u64,
	/// The specification on chain.
	pub spec: JobSpec,
	/// Whether an earlier run posted it.
	pub resumed: bool,
}

/// Stores and publishes the blobs that workers and verifiers fetch: the program and its data. Call at every start.
///
/// # Errors
/// [`Error::Blobs`].
pub async fn serve(peer: &Peer, draft: &Draft) -> Result<(), Error> {
	let store = peer.plane.store().clone();
	let program = draft.program_bytes.clone();
	let data: Vec<_> = draft.data.iter().map(|(_, tensor)| tensor.clone()).collect();
	let hashes = tokio::task::spawn_blocking(move || {
		let mut hashes = vec![store.put(&program)?];
		for tensor in data {
			hashes.push(store.put(&tensor.to_canonical())?);
		}
		Ok::<_, assay_p2p::StoreError>(hashes)
	})
	.await
	.map_err(|_| Error::Interrupted)??;
	hashes.into_iter().for_each(|hash| peer.grants.publish(hash));
	Ok(())
}

/// Posts the draft, unless an earlier run with this folder and key already did: then returns that job. `again` posts once more
/// although the earlier job is closed. `note` is told what is waited for.
///
/// # Errors
/// [`Error::PostedBefore`], [`Error::Submit`] when the chain refuses, and errors of reading.
pub async fn post(peer: &Peer, draft: &Draft, again: bool, note: impl Fn(String)) -> Result<Posted, Error> {
	let endpoint = peer.plane.listen_addresses().into_iter().next().unwrap_or_default();
	let spec = draft.serve_from(&endpoint);
	let key = record_key(peer, &spec);
	match peer.store.get::<Record>(&key)? {
		None => {}
		Some(Record::Posted { job }) => {
			let snapshot = peer.chain.finalized().await?;
			match snapshot.job(job).await? {
				Some(record) if !matches!(record.state, JobState::Closed(_)) => {
					return posted(&peer.chain, &snapshot, job, &record).await
				}
				_ if !again => return Err(Error::PostedBefore(job)),
				_ => {}
			}
		}
		Some(Record::Intended { block, time }) => {
			note(format!("an earlier run may have posted this job after block {block}; looking for it"));
			if let Some(job) = in_doubt(peer, &spec, block, time, &note).await? {
				return adopt(peer, &key, job).await;
			}
		}
	}
	let snapshot = peer.chain.finalized().await?;
	let (block, time) = (snapshot.number(), snapshot.clock().await?);
	peer.store.put(&key, &Record::Intended { block, time })?;
	match peer.actions.submitter().submit(calls::post_job(&spec)).await {
		Ok(done) => {
			let (job, _, _): (JobId, Account, u128) = done
				.event("Market", "JobPosted")
				.ok_or_else(|| ChainError::Decode { what: "the events of post_job".into() })?
				.decode()?;
			peer.store.put(&key, &Record::Posted { job })?;
			Ok(Posted { job, block: done.number, spec, resumed: false })
		}
		Err(error @ SubmitError::Unknown { .. }) => {
			note(error.to_string());
			match in_doubt(peer, &spec, block, time, &note).await? {
				Some(job) => adopt(peer, &key, job).await,
				None => Err(error.into()),
			}
		}
		Err(error) => {
			peer.store.remove(&key)?;
			Err(error.into())
		}
	}
}

fn record_key(peer: &Peer, spec: &JobSpec) -> String {
	let (chain, who) = (hex::encode(peer.chain.genesis()), hex::encode(peer.account()));
	let terms = JobSpec { endpoint: Vec::new(), ..spec.clone() };
	format!("posting/{chain}/{who}/{}", blake3::hash(&terms.encode()).to_hex())
}

async fn adopt(peer: &Peer, key: &str, job: JobId) -> Result<Posted, Error> {
	peer.store.put(key, &Record::Posted { job })?;
	let snapshot = peer.chain.finalized().await?;
	let record = watch::job(&snapshot, job).await?;
	posted(&peer.chain, &snapshot, job, &record).await
}

async fn posted(chain: &Chain, snapshot: &Snapshot, job: JobId, record: &Job<Account>) -> Result<Posted, Error> {
	let spec = watch::spec(snapshot, job).await?;
	let block = watch::first_block(record, &Clock::read(chain, snapshot).await?).await?;
	Ok(Posted { job, block, spec, resumed: true })
}

/// The job that a transaction signed at block `since`, at `time`, posted, once it is certain whether there is one.
async fn in_doubt(
	peer: &Peer,
	spec: &JobSpec,
	since: u64,
	time: BlockNumber,
	note: &impl Fn(String),
) -> Result<Option<JobId>, Error> {
	let mut told = false;
	loop {
		let snapshot = peer.chain.finalized().await?;
		for (job, record) in snapshot.jobs().await? {
			if record.client != peer.account() || record.posted_at <= time {
				continue;
			}
			let same = |found: JobSpec| JobSpec { endpoint: spec.endpoint.clone(), ..found } == *spec;
			if snapshot.spec(job).await?.is_some_and(same) {
				return Ok(Some(job));
			}
		}
		let certain = since.saturating_add(IN_DOUBT);
		if snapshot.number() > certain {
			return Ok(None);
		}
		if !told {
			note(format!("it can still be included until block {certain}; waiting, so that it is not paid twice"));
			told = true;
		}
		tokio::time::sleep(POLL).await;
	}
}

/// A state that was verified and is kept here.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Kept {
	/// Verified milestones then.
	pub milestones: u32,
	/// Blob of the state.
	pub checkpoint: Hash,
}

/// Verified states kept in the client's folder. Cheap to clone.
#[derive(Clone)]
pub struct Keep {
	store: Store,
	chain: Hash,
}

impl Keep {
	/// Over the client's state file, for the chain with this genesis hash.
	pub fn new(store: Store, chain: Hash) -> Self {
		Self { store, chain }
	}

	fn key(&self, job: JobId, root: &Hash) -> String {
		format!("verified/{}/{job:020}/{}", hex::encode(self.chain), hex::encode(root))
	}

	/// The kept state with this root.
	///
	/// # Errors
	/// [`Error::Store`].
	pub fn get(&self, job: JobId, root: &Hash) -> Result<Option<Kept>, Error> {
		Ok(self.store.get(&self.key(job, root))?)
	}

	/// Fetches the job's last verified state from whoever has it, checks it and keeps it instead of the ones before it.
	///
	/// # Errors
	/// [`Error::ResultUnavailable`], [`Error::Chain`], [`Error::Store`].
	pub async fn fetch(&self, peer: &Peer, engine: &Engine, job: JobId) -> Result<Kept, Error> {
		let snapshot = peer.chain.finalized().await?;
		let record = watch::job(&snapshot, job).await?;
		if let Some(kept) = self.get(job, &record.verified.root)? {
			return Ok(kept);
		}
		let spec = watch::spec(&snapshot, job).await?;
		let providers = states::providers(&snapshot, &record, &spec).await?;
		let verified = states::verified(&peer.plane, engine, job, &record.verified.root, &providers).await?;
		let kept = Kept { milestones: record.verified.milestones, checkpoint: verified.checkpoint };
		self.store.put(&self.key(job, &record.verified.root), &kept)?;
		if let Err(error) = self.drop_before(peer.plane.store(), job, &kept) {
			tracing::warn!(job, %error, "states that are not needed stay");
		}
		Ok(kept)
	}

	/// Drops the job's states of fewer verified milestones: nobody resumes from them.
	fn drop_before(&self, blobs: &BlobStore, job: JobId, newest: &Kept) -> Result<(), Error> {
		let all = self.store.scan::<Kept>("verified/")?;
		let of_job = format!("verified/{}/{job:020}/", hex::encode(self.chain));
		let is_old = |key: &str, kept: &Kept| key.starts_with(&of_job) && kept.milestones < newest.milestones;
		let (old, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, kept)| is_old(key, kept));
		for (key, kept) in old {
			// The record last, or nobody would know of the blob after a crash.
			if !rest.iter().any(|(_, other)| other.checkpoint == kept.checkpoint) {
				blobs.remove(&BlobHash::from(kept.checkpoint))?;
			}
			self.store.remove(&key)?;
		}
		Ok(())
	}

	/// Answers requests for kept states from now on, so that a job outlives its worker.
	pub fn answer_requests(&self, peer: &Peer) {
		let (keep, grants) = (self.clone(), Arc::downgrade(&peer.grants));
		peer.plane.set_handler(move |_: PeerId, bytes: Vec<u8>| {
			let (keep, grants) = (keep.clone(), grants.clone());
			async move {
				let not_here = || Refusal::new(refusal::NOT_HERE, "this client does not hold that state");
				let (job, root) = match Request::decode_all(&mut &bytes[..]) {
					Ok(Request::Verified { job, root }) => (job, root),
					Ok(Request::PreState { .. } | Request::Claims { .. }) => return Err(not_here()),
					Err(_) => return Err(Refusal::new(refusal::MALFORMED, "not a request of this protocol version")),
				};
				let kept = keep.get(job, &root).map_err(|error| Refusal::new(refusal::TRY_AGAIN, error.to_string()))?;
				let checkpoint = kept.ok_or_else(not_here)?.checkpoint;
				grants.upgrade().ok_or_else(not_here)?.publish(BlobHash::from(checkpoint));
				Ok(Reply::Verified { checkpoint }.encode())
			}
		});
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_newest_state_of_a_job_replaces_the_ones_before_it() {
		let folder = tempfile::tempdir().unwrap();
		let keep = Keep::new(Store::open(&folder.path().join("state.redb")).unwrap(), [1; 32]);
		let blobs = BlobStore::open(folder.path().join("blobs")).unwrap();
		let [first, second, shared] = [1u8, 2, 3].map(|byte| *blobs.put(&[byte]).unwrap().as_bytes());
		let mut kept = Vec::new();
		for (job, milestones, checkpoint) in [(7, 1, first), (7, 2, shared), (7, 3, second), (8, 1, shared)] {
			let state = Kept { milestones, checkpoint };
			keep.store.put(&keep.key(job, &[milestones as u8; 32]), &state).unwrap();
			kept.push(state);
		}
		keep.drop_before(&blobs, 7, &kept[2]).unwrap();
		assert_eq!([1, 2, 3].map(|at: u8| keep.get(7, &[at; 32]).unwrap().is_some()), [false, false, true]);
		assert!(keep.get(8, &[1; 32]).unwrap().is_some());
		assert_eq!([first, second, shared].map(|blob| blobs.has(&blob.into())), [false, true, true]);
	}
}
