//! The provider's side of the blob protocol.

use std::{
	collections::HashMap,
	io,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};

use futures::{AsyncWriteExt, StreamExt};
use libp2p::{PeerId, Stream};
use tokio::sync::{broadcast, mpsc, OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{driver::Command, places::Reserved, Config, Event};
use crate::{
	access::AccessPolicy,
	store::{BlobStore, OpenBlob, StoreError},
	wire::{
		blob::{self, BlobRefusal, BlobReply, BlobRequest},
		frame::{read_frame, write_frame, FrameError},
	},
	BlobHash, Violation,
};

/// How long a stream beyond the limits may take to hear that we are busy.
const BUSY_REPLY: Duration = Duration::from_secs(2);

/// Serves blob streams.
pub(super) struct Server {
	pub(super) store: BlobStore,
	pub(super) access: Arc<dyn AccessPolicy>,
	pub(super) commands: mpsc::Sender<Command>,
	pub(super) events: broadcast::Sender<Event>,
	pub(super) stop: CancellationToken,
	per_peer: PeerCounts,
	peer_limit: usize,
	slots: Arc<Semaphore>,
	/// Peers that strangers cannot keep out, and the streams kept for them.
	reserved: Reserved,
	reserved_slots: Arc<Semaphore>,
	/// Streams that are being told that we are busy; beyond, streams are just dropped.
	busy_slots: Arc<Semaphore>,
	open: Duration,
	idle: Duration,
	transfer: Duration,
}

/// Why a stream was ended early.
enum ServeError {
	/// The peer broke the protocol.
	Violation(Violation),
	/// The peer went away or was too slow.
	Io(io::Error),
}

impl From<io::Error> for ServeError {
	fn from(error: io::Error) -> Self {
		Self::Io(error)
	}
}

impl From<FrameError> for ServeError {
	fn from(error: FrameError) -> Self {
		match error {
			FrameError::Io(error) => Self::Io(error),
			FrameError::Violation(violation) => Self::Violation(violation),
		}
	}
}

impl Server {
	pub(super) fn new(
		store: BlobStore,
		access: Arc<dyn AccessPolicy>,
		reserved: Reserved,
		commands: mpsc::Sender<Command>,
		events: broadcast::Sender<Event>,
		stop: CancellationToken,
		config: &Config,
	) -> Self {
		let (limits, timeouts) = (&config.limits, &config.timeouts);
		Self {
			store,
			access,
			commands,
			events,
			stop,
			per_peer: PeerCounts::default(),
			peer_limit: limits.served_streams_per_peer,
			slots: Arc::new(Semaphore::new(limits.served_streams)),
			reserved,
			reserved_slots: Arc::new(Semaphore::new(limits.reserved_streams)),
			busy_slots: Arc::new(Semaphore::new(limits.served_streams)),
			open: timeouts.open,
			idle: timeouts.idle_stream,
			transfer: timeouts.transfer,
		}
	}

	/// Accepts streams until shutdown. Never waits for a stream, since the network drops what is not accepted at once.
	pub(super) async fn run(self, mut incoming: libp2p_stream::IncomingStreams, tasks: TaskTracker) {
		let server = Arc::new(self);
		loop {
			let (peer, stream) = tokio::select! {
				() = server.stop.cancelled() => return,
				next = incoming.next() => match next {
					Some(next) => next,
					None => return,
				},
			};
			let server = server.clone();
			let admitted =
				server.per_peer.admit(peer, server.peer_limit).and_then(|count| Some((count, server.slot(&peer)?)));
			match admitted {
				Some(admitted) => {
					tasks.spawn(async move {
						let stop = server.stop.clone();
						tokio::select! {
							biased;
							() = stop.cancelled() => {},
							() = server.serve(peer, stream) => {},
						}
						drop(admitted);
					});
				}
				None => {
					let Ok(slot) = server.busy_slots.clone().try_acquire_owned() else { continue };
					tasks.spawn(async move {
						let _ = tokio::time::timeout(BUSY_REPLY, refuse(stream, BlobRefusal::Busy)).await;
						drop(slot);
					});
				}
			}
		}
	}

	fn slot(&self, peer: &PeerId) -> Option<OwnedSemaphorePermit> {
		let take = |slots: &Arc<Semaphore>| slots.clone().try_acquire_owned().ok();
		let kept = self.reserved.contains(peer).then(|| take(&self.reserved_slots)).flatten();
		kept.or_else(|| take(&self.slots))
	}

	async fn serve(&self, peer: PeerId, stream: Stream) {
		match self.exchange(peer, stream).await {
			Ok(()) => {}
			Err(ServeError::Io(error)) => tracing::debug!(%peer, %error, "blob stream ended"),
			Err(ServeError::Violation(violation)) => {
				// Fails only at shutdown.
				let _ = self.commands.send(Command::Ban { peer, violation }).await;
			}
		}
	}

	async fn exchange(&self, peer: PeerId, mut stream: Stream) -> Result<(), ServeError> {
		let Some(first) = within(self.open, read_request(&mut stream)).await? else { return Ok(()) };
		let BlobRequest::Open(hash) = first else {
			return Err(ServeError::Violation(Violation::Malformed("the first blob message must be Open")));
		};
		let hash = BlobHash::from(hash);
		// Asked before the disk is touched: a stranger must not learn what is stored here.
		if !self.access.allow(&peer, &hash) {
			return self.refuse(stream, BlobRefusal::NotAllowed).await;
		}
		let store = self.store.clone();
		let blob = match blocking(move || store.open_blob(&hash)).await? {
			Ok(blob) => Arc::new(blob),
			Err(error) => return self.refuse(stream, self.refusal_for(hash, error)).await,
		};
		let opened = blob::encode(&BlobReply::Opened(blob.geometry().len()));
		within(self.transfer, write_frame(&mut stream, &opened)).await?;

		while let Some(request) = within(self.idle, read_request(&mut stream)).await? {
			let BlobRequest::Read(range) = request else {
				return Err(ServeError::Violation(Violation::Malformed("a blob stream is opened once")));
			};
			if !blob.geometry().contains(range) {
				return Err(ServeError::Violation(Violation::RangeOutOfBounds));
			}
			if !self.access.allow(&peer, &hash) {
				return self.refuse(stream, BlobRefusal::NotAllowed).await;
			}
			let reader: Arc<OpenBlob> = blob.clone();
			let encoded = match blocking(move || reader.encode(range)).await? {
				Ok(encoded) => encoded,
				Err(error) => return self.refuse(stream, self.refusal_for(hash, error)).await,
			};
			let reply = blob::encode(&BlobReply::Range(encoded));
			within(self.transfer, write_frame(&mut stream, &reply)).await?;
		}
		Ok(())
	}

	async fn refuse(&self, stream: Stream, refusal: BlobRefusal) -> Result<(), ServeError> {
		Ok(within(self.transfer, refuse(stream, refusal)).await?)
	}

	fn refusal_for(&self, hash: BlobHash, error: StoreError) -> BlobRefusal {
		match error {
			StoreError::NotFound(_) => BlobRefusal::NotFound,
			StoreError::Corrupt(_) => {
				tracing::error!(%hash, "stored blob is corrupt");
				let _ = self.events.send(Event::BlobCorrupt(hash));
				BlobRefusal::Unavailable
			}
			error => {
				tracing::error!(%hash, %error, "stored blob cannot be read");
				BlobRefusal::Unavailable
			}
		}
	}
}

async fn refuse(mut stream: Stream, refusal: BlobRefusal) -> io::Result<()> {
	write_frame(&mut stream, &blob::encode(&BlobReply::Refused(refusal))).await?;
	stream.close().await
}

async fn read_request(stream: &mut Stream) -> Result<Option<BlobRequest>, FrameError> {
	match read_frame(stream, blob::MAX_REQUEST_BYTES).await? {
		Some(frame) => Ok(Some(blob::decode(&frame, "blob request")?)),
		None => Ok(None),
	}
}

async fn within<T, E: From<io::Error>>(
	limit: Duration,
	work: impl std::future::Future<Output = Result<T, E>>,
) -> Result<T, E> {
	tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
	tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// How many streams each peer has open.
#[derive(Clone, Default)]
struct PeerCounts(Arc<Mutex<HashMap<PeerId, usize>>>);

/// One counted stream of a peer.
struct Counted {
	counts: PeerCounts,
	peer: PeerId,
}

impl PeerCounts {
	fn admit(&self, peer: PeerId, limit: usize) -> Option<Counted> {
		let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let count = counts.entry(peer).or_default();
		if *count >= limit {
			return None;
		}
		*count += 1;
		Some(Counted { counts: self.clone(), peer })
	}
}

impl Drop for Counted {
	fn drop(&mut self) {
		let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(count) = counts.get_mut(&self.peer) {
			*count -= 1;
			if *count == 0 {
				counts.remove(&self.peer);
			}
		}
	}
}
