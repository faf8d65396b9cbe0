//! Downloading a blob from several providers.
//!
//! Each provider is worked by its own loop, which takes pieces from a shared [`plan::Plan`] and gives them back when
//! it fails. The first provider that answers proves the length with the last group; from then on the rest of the blob
//! is fetched in pieces, in parallel.

mod error;
mod plan;
mod session;

use std::{
	collections::VecDeque,
	fmt,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

use futures::{stream, StreamExt};
use libp2p::PeerId;
use tokio::sync::Notify;

pub use error::{FetchError, ProviderError};

use self::{plan::Plan, session::Session};
use crate::{
	plane::FetchPolicy,
	store::{PartialBlob, WriteError},
	BlobHash, DataPlane, Provider, StoreError, Violation,
};

/// How far a fetch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
	/// Verified bytes on disk, those of earlier attempts included.
	pub verified: u64,
	/// Proved length of the blob, in bytes.
	pub total: u64,
}

/// Called after each verified piece, from an async task: it must return quickly.
pub type ProgressCallback = Box<dyn Fn(Progress) + Send + Sync>;

/// Bounds and reports of a fetch.
pub struct FetchOptions {
	/// Longest acceptable blob, in bytes.
	pub max_len: u64,
	/// Where to report progress.
	pub progress: Option<ProgressCallback>,
}

impl FetchOptions {
	/// A fetch of at most `max_len` bytes, without reports.
	pub fn new(max_len: u64) -> Self {
		Self { max_len, progress: None }
	}

	/// Reports progress to `callback`.
	pub fn on_progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
		self.progress = Some(Box::new(callback));
		self
	}
}

impl fmt::Debug for FetchOptions {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("FetchOptions").field("max_len", &self.max_len).finish_non_exhaustive()
	}
}

/// A blob that is now in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
	/// Length of the blob in bytes.
	pub len: u64,
	/// Bytes of the blob that this fetch transferred; the rest was there before.
	pub transferred: u64,
	/// Providers that delivered verified bytes.
	pub sources: Vec<PeerId>,
}

/// State that the loops of all providers share.
struct Download<'a> {
	plane: &'a DataPlane,
	hash: BlobHash,
	options: FetchOptions,
	state: Mutex<State>,
	/// Wakes loops that wait for a piece, or for the end.
	changed: Notify,
}

#[derive(Default)]
struct State {
	/// `None` until the length is proved.
	open: Option<Open>,
	transferred: u64,
	sources: Vec<PeerId>,
}

struct Open {
	partial: Arc<PartialBlob>,
	plan: Plan,
	verified: u64,
}

/// Why the loop of a provider ended.
enum Outcome {
	/// Nothing is left to fetch.
	Finished,
	/// The provider is given up; others go on.
	GivenUp(PeerId, ProviderError),
	/// The fetch cannot succeed with any provider.
	Fatal(FetchError),
}

/// How one attempt with a provider ended.
enum Attempt {
	/// Nothing is left to fetch.
	Finished,
	/// There was nothing to do for a while, but now there is. The stream may have been closed meanwhile.
	Rested,
}

/// Why one attempt with a provider ended early.
enum AttemptError {
	Provider(ProviderError),
	Fatal(FetchError),
}

impl<E: Into<ProviderError>> From<E> for AttemptError {
	fn from(error: E) -> Self {
		Self::Provider(error.into())
	}
}

/// Runs a fetch. The caller makes sure that only one runs per blob.
pub(crate) async fn run(
	plane: &DataPlane,
	hash: BlobHash,
	providers: &[Provider],
	options: FetchOptions,
) -> Result<Fetched, FetchError> {
	let max = options.max_len;
	let too_large = |len| FetchError::TooLarge { hash, len, max };
	match plane.store().len(&hash) {
		Ok(len) if len > max => return Err(too_large(len)),
		Ok(len) => return Ok(Fetched { len, transferred: 0, sources: Vec::new() }),
		Err(StoreError::NotFound(_)) => {}
		Err(error) => return Err(error.into()),
	}
	let store = plane.store().clone();
	let resumed = blocking(move || PartialBlob::resume(&store, hash)).await??;
	let patience = plane.config().fetch.patience;
	let open = resumed.map(|(partial, missing)| Open::resume(partial, missing, patience));
	if let Some(len) = open.as_ref().map(|open| open.partial.geometry().len()).filter(|len| *len > max) {
		return Err(too_large(len));
	}
	let state = Mutex::new(State { open, ..State::default() });
	let download = Download { plane, hash, options, state, changed: Notify::new() };
	if !download.is_finished() {
		download.fetch_missing(providers).await?;
	}
	download.finish().await
}

impl Open {
	fn resume(partial: PartialBlob, missing: Vec<u64>, patience: Duration) -> Self {
		let geometry = partial.geometry();
		let absent: u64 = missing.iter().map(|piece| span(&partial, *piece)).sum();
		Self { partial: Arc::new(partial), plan: Plan::new(missing, patience), verified: geometry.len() - absent }
	}
}

/// Bytes in a piece.
fn span(partial: &PartialBlob, piece: u64) -> u64 {
	let geometry = partial.geometry();
	let bytes = geometry.bytes_of(geometry.piece(piece));
	bytes.end - bytes.start
}

impl Download<'_> {
	/// Works through the providers, some at once, until nothing is missing or all have failed.
	async fn fetch_missing(&self, providers: &[Provider]) -> Result<(), FetchError> {
		let mut merged: Vec<Provider> = Vec::new();
		for provider in providers.iter().filter(|provider| provider.peer != self.plane.peer_id()) {
			match merged.iter_mut().find(|known| known.peer == provider.peer) {
				Some(known) => known.addresses.extend(provider.addresses.iter().cloned()),
				None => merged.push(provider.clone()),
			}
		}
		if merged.is_empty() {
			return Err(FetchError::NoProviders(self.hash));
		}
		let parallel = self.plane.config().fetch.parallel_providers.max(1);
		let mut loops = stream::iter(merged).map(|provider| self.work(provider)).buffer_unordered(parallel);
		let mut failures = Vec::new();
		while let Some(outcome) = loops.next().await {
			match outcome {
				// Dropping the other loops drops their streams.
				Outcome::Finished => return Ok(()),
				Outcome::GivenUp(peer, error) => failures.push((peer, error)),
				Outcome::Fatal(error) => return Err(error),
			}
		}
		Err(FetchError::Exhausted { hash: self.hash, failures })
	}

	/// Uses one provider until nothing is missing, it breaks the protocol, or it fails too often in a row.
	async fn work(&self, provider: Provider) -> Outcome {
		let policy = &self.plane.config().fetch;
		let mut failures = 0;
		loop {
			let mut progressed = false;
			let error = match self.attempt(&provider, &mut progressed).await {
				Ok(Attempt::Finished) => return Outcome::Finished,
				Ok(Attempt::Rested) => {
					failures = 0;
					continue;
				}
				Err(AttemptError::Fatal(error)) => return Outcome::Fatal(error),
				Err(AttemptError::Provider(error)) => error,
			};
			if let ProviderError::Violation(violation) = &error {
				self.plane.ban(provider.peer, violation.clone()).await;
			}
			failures = if progressed { 1 } else { failures + 1 };
			if failures >= policy.attempts || !error.is_transient() {
				return Outcome::GivenUp(provider.peer, error);
			}
			tracing::debug!(peer = %provider.peer, %error, failures, "retrying provider");
			let wait = tokio::time::sleep(backoff(policy, &provider.peer, failures));
			tokio::pin!(wait);
			if self.until_finished_or(wait).await {
				return Outcome::Finished;
			}
		}
	}

	/// One stream with one provider. Sets `progressed` when a verified range arrived.
	async fn attempt(&self, provider: &Provider, progressed: &mut bool) -> Result<Attempt, AttemptError> {
		let mut session = Session::open(self.plane, provider, self.hash).await?;
		let partial = match self.partial() {
			Some(partial) if partial.geometry() == session.claimed => partial,
			// The proved length is another: the claim was a lie.
			Some(_) => return Err(Violation::Unverifiable(self.hash).into()),
			None => self.prove_length(&mut session, provider.peer).await?,
		};
		let mut taken = Taken { download: self, pieces: VecDeque::new() };
		loop {
			while taken.pieces.len() < self.plane.config().fetch.pipeline.max(1) {
				let Some(piece) = taken.take() else { break };
				session.ask(partial.geometry().piece(piece)).await?;
			}
			let Some(piece) = taken.pieces.front().copied() else {
				let finished = self.wait_for_work().await;
				return Ok(if finished { Attempt::Finished } else { Attempt::Rested });
			};
			let encoded = session.receive().await?;
			let (target, range) = (partial.clone(), partial.geometry().piece(piece));
			let written = blocking(move || target.write_range(range, &encoded)).await.map_err(AttemptError::Fatal)?;
			written.map_err(|error| self.write_error(error))?;
			taken.pieces.pop_front();
			*progressed = true;
			self.complete(piece, provider.peer);
		}
	}

	/// Fetches and verifies the last group, which proves the length that the provider claims.
	async fn prove_length(&self, session: &mut Session, peer: PeerId) -> Result<Arc<PartialBlob>, AttemptError> {
		let claimed = session.claimed;
		session.ask(claimed.last_group()).await?;
		let encoded = session.receive().await?;
		// Another provider may have proved it meanwhile; starting over would lose its pieces.
		let mut state = self.state();
		if let Some(open) = &state.open {
			let known = open.partial.clone();
			return if known.geometry() == claimed {
				Ok(known)
			} else {
				Err(Violation::Unverifiable(self.hash).into())
			};
		}
		let partial = PartialBlob::begin(self.plane.store(), self.hash, claimed, &encoded);
		let partial = Arc::new(partial.map_err(|error| self.write_error(error))?);
		if claimed.len() > self.options.max_len {
			let error = FetchError::TooLarge { hash: self.hash, len: claimed.len(), max: self.options.max_len };
			return Err(AttemptError::Fatal(partial.discard().err().map_or(error, FetchError::Store)));
		}
		let missing = if claimed.is_empty() { Vec::new() } else { (0..claimed.pieces()).collect() };
		let plan = Plan::new(missing, self.plane.config().fetch.patience);
		state.open = Some(Open { partial: partial.clone(), plan, verified: 0 });
		state.sources.push(peer);
		drop(state);
		self.changed.notify_waiters();
		Ok(partial)
	}

	fn write_error(&self, error: WriteError) -> AttemptError {
		match error {
			WriteError::Unverifiable => Violation::Unverifiable(self.hash).into(),
			WriteError::Store(error) => AttemptError::Fatal(error.into()),
		}
	}

	fn complete(&self, piece: u64, peer: PeerId) {
		let mut state = self.state();
		let State { open: Some(open), sources, .. } = &mut *state else { return };
		if !open.plan.complete(piece) {
			return;
		}
		if !sources.contains(&peer) {
			sources.push(peer);
		}
		let bytes = span(&open.partial, piece);
		open.verified += bytes;
		let progress = Progress { verified: open.verified, total: open.partial.geometry().len() };
		let finished = open.plan.is_finished();
		state.transferred += bytes;
		drop(state);
		if finished {
			self.changed.notify_waiters();
		}
		if let Some(report) = &self.options.progress {
			report(progress);
		}
	}

	/// Waits until a piece can be taken (`false`) or nothing is missing (`true`).
	async fn wait_for_work(&self) -> bool {
		loop {
			let changed = self.changed.notified();
			tokio::pin!(changed);
			// Registered before looking, so that no change in between is missed.
			changed.as_mut().enable();
			if self.is_finished() {
				return true;
			}
			let now = Instant::now();
			let available = self.state().open.as_ref().and_then(|open| open.plan.available_at(now));
			match available {
				Some(at) if at <= now => return false,
				Some(at) => {
					// Either wakes the next look.
					let _ = tokio::time::timeout_at(at.into(), changed).await;
				}
				None => changed.await,
			}
		}
	}

	/// Waits for `other`; returns whether everything was finished before.
	async fn until_finished_or(&self, other: impl std::future::Future<Output = ()> + Unpin) -> bool {
		let finished = async {
			loop {
				let changed = self.changed.notified();
				tokio::pin!(changed);
				changed.as_mut().enable();
				if self.is_finished() {
					return;
				}
				changed.await;
			}
		};
		tokio::select! {
			() = finished => true,
			() = other => false,
		}
	}

	fn is_finished(&self) -> bool {
		self.state().open.as_ref().is_some_and(|open| open.plan.is_finished())
	}

	fn partial(&self) -> Option<Arc<PartialBlob>> {
		self.state().open.as_ref().map(|open| open.partial.clone())
	}

	async fn finish(self) -> Result<Fetched, FetchError> {
		let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
		let State { open: Some(open), transferred, sources } = state else {
			return Err(FetchError::Exhausted { hash: self.hash, failures: Vec::new() });
		};
		let partial = open.partial;
		let len = partial.geometry().len();
		blocking(move || partial.finish()).await??;
		Ok(Fetched { len, transferred, sources })
	}

	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// The pieces that one attempt has asked for. Gives back those that did not arrive, also when it is dropped midway.
struct Taken<'a, 'b> {
	download: &'a Download<'b>,
	pieces: VecDeque<u64>,
}

impl Taken<'_, '_> {
	fn take(&mut self) -> Option<u64> {
		let piece = self.download.state().open.as_mut()?.plan.take(&self.pieces, Instant::now())?;
		self.pieces.push_back(piece);
		Some(piece)
	}
}

impl Drop for Taken<'_, '_> {
	fn drop(&mut self) {
		if self.pieces.is_empty() {
			return;
		}
		if let Some(open) = &mut self.download.state().open {
			// Backwards, so that the next taker gets them in order.
			self.pieces.drain(..).rev().for_each(|piece| open.plan.give_back(piece));
		}
		self.download.changed.notify_waiters();
	}
}

/// The wait before attempt `failures + 1`: doubling, bounded, and spread by up to half so that many readers of one
/// provider do not come back at the same moment.
fn backoff(policy: &FetchPolicy, peer: &PeerId, failures: u32) -> Duration {
	let doubled = policy.backoff.saturating_mul(1 << failures.saturating_sub(1).min(16));
	let wait = doubled.min(policy.max_backoff);
	let mut hasher = blake3::Hasher::new();
	hasher.update(&peer.to_bytes()).update(&failures.to_le_bytes()).update(&std::process::id().to_le_bytes());
	wait - wait / 512 * u32::from(hasher.finalize().as_bytes()[0])
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FetchError> {
	// The runtime drops blocking work only when it shuts down.
	tokio::task::spawn_blocking(work).await.map_err(|_| FetchError::Shutdown)
}
