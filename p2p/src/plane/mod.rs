//! The running data plane: connections, serving, control requests.

mod bans;
mod behaviour;
mod config;
mod driver;
mod error;
mod event;
mod handler;
mod places;
mod reach;
mod serve;

use std::{
	collections::{HashMap, HashSet},
	sync::{Arc, Mutex, PoisonError, Weak},
	time::Duration,
};

use libp2p::{multiaddr::Protocol, Multiaddr, PeerId, Stream};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use config::{Config, FetchPolicy, Limits, Timeouts};
pub use error::{DialError, RequestError, StartError};
pub use event::Event;
pub use handler::ControlHandler;

use self::{
	driver::{Channels, Command, Driver},
	handler::HandlerSlot,
	places::Reserved,
	serve::Server,
};
use crate::{
	fetch::{self, FetchError, FetchOptions, Fetched},
	wire::{blob, control::ControlReply},
	AccessPolicy, BlobHash, BlobStore, Provider, Violation, MAX_CONTROL_REQUEST,
};

/// Commands that may wait for the network task; beyond, callers wait.
const COMMAND_QUEUE: usize = 64;
/// Events that a slow subscriber may lag behind before it loses the oldest.
const EVENT_QUEUE: usize = 1024;
/// How long a start waits for the listening addresses.
const LISTEN_WAIT: Duration = Duration::from_secs(10);

/// A running peer of the data plane. Clones share it; it stops on [`Self::shutdown`] or when the last clone is dropped.
#[derive(Clone)]
pub struct DataPlane(Arc<Inner>);

struct Inner {
	peer: PeerId,
	config: Config,
	store: BlobStore,
	commands: mpsc::Sender<Command>,
	streams: libp2p_stream::Control,
	events: broadcast::Sender<Event>,
	listening: watch::Receiver<Vec<Multiaddr>>,
	handler: HandlerSlot,
	reserved: Reserved,
	tasks: TaskTracker,
	stop: CancellationToken,
	/// One fetch per blob at a time: others wait for it and find the blob in the store.
	fetching: Mutex<HashMap<BlobHash, Weak<tokio::sync::Mutex<()>>>>,
}

impl Drop for Inner {
	fn drop(&mut self) {
		self.stop.cancel();
	}
}

impl DataPlane {
	/// Starts a peer that serves `store` to whom `access` allows, and returns when it is reachable on every address of
	/// the configuration. `stop` stops it from outside, as [`Self::shutdown`] does. Must run inside a Tokio runtime.
	pub async fn start(
		config: Config,
		store: BlobStore,
		access: Arc<dyn AccessPolicy>,
		stop: CancellationToken,
	) -> Result<Self, StartError> {
		// A child, so that dropping the last handle stops this peer and not its owner.
		let stop = stop.child_token();
		let reserved = Reserved::default();
		let mut swarm = behaviour::build_swarm(&config, reserved.clone())?;
		let mut streams = swarm.behaviour().streams.new_control();
		let incoming = streams.accept(blob::PROTOCOL).expect("a new swarm accepts no protocol yet; qed");
		for address in &config.listen {
			swarm
				.listen_on(address.clone())
				.map_err(|error| StartError::Listen { address: address.clone(), reason: error.to_string() })?;
		}
		for address in &config.announce {
			swarm.add_external_address(address.clone());
		}

		let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
		let (events, _) = broadcast::channel(EVENT_QUEUE);
		let (listening_sender, mut listening) = watch::channel(Vec::new());
		let (handler, tasks) = (HandlerSlot::default(), TaskTracker::new());
		let channels = Channels {
			commands: command_queue,
			to_self: commands.clone(),
			events: events.clone(),
			listening: listening_sender,
			reserved: reserved.clone(),
		};
		let driver = Driver::new(swarm, channels, handler.clone(), tasks.clone(), stop.clone(), &config);
		tasks.spawn(driver.run());
		let to_driver = commands.clone();
		let server =
			Server::new(store.clone(), access, reserved.clone(), to_driver, events.clone(), stop.clone(), &config);
		tasks.spawn(server.run(incoming, tasks.clone()));

		let wanted = config.listen.len();
		let inner = Inner {
			peer: config.identity.peer_id(),
			config,
			store,
			commands,
			streams,
			events,
			listening: listening.clone(),
			handler,
			reserved,
			tasks,
			stop,
			fetching: Mutex::default(),
		};
		let plane = Self(Arc::new(inner));
		let reachable = listening.wait_for(|addresses| addresses.len() >= wanted);
		let reachable = tokio::time::timeout(LISTEN_WAIT, reachable).await.is_ok_and(|addresses| addresses.is_ok());
		reachable.then_some(plane).ok_or(StartError::ListenTimeout)
	}

	/// The name of this peer.
	pub fn peer_id(&self) -> PeerId {
		self.0.peer
	}

	/// The store that this peer serves and fetches into.
	pub fn store(&self) -> &BlobStore {
		&self.0.store
	}

	/// The addresses to publish, as multiaddr text ending in `/p2p/PEER_ID`: the announced ones if configured, otherwise those
	/// that are listened on. The first is the best: loopback addresses come after those that others can reach.
	pub fn listen_addresses(&self) -> Vec<String> {
		let provider = self.provider();
		let peer = Protocol::P2p(self.0.peer);
		provider.addresses.into_iter().map(|address| address.with(peer.clone()).to_string()).collect()
	}

	/// This peer as others dial it, the best address first.
	pub fn provider(&self) -> Provider {
		let mut addresses = self.0.config.announce.clone();
		if addresses.is_empty() {
			addresses = self.0.listening.borrow().clone();
			reach::farthest_first(&mut addresses);
		}
		Provider::new(self.0.peer, addresses)
	}

	/// Keeps the reserved places for `peers` from now on, in place of those named before. A crowd of strangers cannot lock
	/// them out: places for connections, blob streams and control requests are kept beside the public ones. Who is not named any
	/// more keeps the connections that it has.
	pub fn reserve_for(&self, peers: HashSet<PeerId>) {
		self.0.reserved.replace(peers);
	}

	/// What happens from now on.
	pub fn events(&self) -> broadcast::Receiver<Event> {
		self.0.events.subscribe()
	}

	/// Answers control requests with `handler` from now on.
	pub fn set_handler(&self, handler: impl ControlHandler) {
		self.0.handler.set(Arc::new(handler));
	}

	/// Connects to a peer; returns at once if there is a connection.
	pub async fn dial(&self, provider: &Provider) -> Result<(), DialError> {
		let (done, outcome) = oneshot::channel();
		let command = Command::Dial { provider: provider.clone(), done };
		let dial = async {
			self.0.commands.send(command).await.map_err(|_| DialError::Shutdown)?;
			outcome.await.map_err(|_| DialError::Shutdown)?
		};
		tokio::select! {
			biased;
			() = self.0.stop.cancelled() => Err(DialError::Shutdown),
			outcome = tokio::time::timeout(self.0.config.timeouts.dial, dial) => outcome.unwrap_or(Err(DialError::Timeout)),
		}
	}

	/// Sends a control request, connecting first if needed, and waits for the answer. Retrying is left to the caller,
	/// who knows whether the request may be acted on twice.
	pub async fn request(
		&self,
		provider: &Provider,
		bytes: Vec<u8>,
		timeout: Duration,
	) -> Result<Vec<u8>, RequestError> {
		if bytes.len() > MAX_CONTROL_REQUEST {
			return Err(RequestError::TooLarge(bytes.len()));
		}
		let exchange = async {
			self.dial(provider).await?;
			let (done, reply) = oneshot::channel();
			let command = Command::Request { peer: provider.peer, bytes, done };
			self.0.commands.send(command).await.map_err(|_| RequestError::Shutdown)?;
			match reply.await.map_err(|_| RequestError::Shutdown)?? {
				ControlReply::Answer(bytes) => Ok(bytes),
				ControlReply::Refused(refusal) => Err(RequestError::Refused(refusal)),
				ControlReply::Busy => Err(RequestError::Busy),
				ControlReply::NoHandler => Err(RequestError::Unsupported),
				ControlReply::TimedOut => Err(RequestError::HandlerTimeout),
			}
		};
		tokio::select! {
			biased;
			() = self.0.stop.cancelled() => Err(RequestError::Shutdown),
			answer = tokio::time::timeout(timeout, exchange) => answer.unwrap_or(Err(RequestError::Timeout)),
		}
	}

	/// Brings the blob `hash`, of at most `max_len` bytes, into the store, from any of `providers`. Continues where an
	/// interrupted fetch of the same blob stopped. Returns at once if the store has the blob. Dropping the future stops
	/// the fetch and keeps what was verified.
	pub async fn fetch(&self, hash: BlobHash, providers: &[Provider], max_len: u64) -> Result<Fetched, FetchError> {
		self.fetch_with(hash, providers, FetchOptions::new(max_len)).await
	}

	/// As [`Self::fetch`], with progress reports.
	pub async fn fetch_with(
		&self,
		hash: BlobHash,
		providers: &[Provider],
		options: FetchOptions,
	) -> Result<Fetched, FetchError> {
		let work = async {
			let turn = self.turn_to_fetch(hash);
			let _turn = turn.lock().await;
			fetch::run(self, hash, providers, options).await
		};
		tokio::select! {
			biased;
			() = self.0.stop.cancelled() => Err(FetchError::Shutdown),
			fetched = work => fetched,
		}
	}

	/// Stops serving, closes every connection and waits until all tasks have ended.
	pub async fn shutdown(&self) {
		self.0.stop.cancel();
		self.0.tasks.close();
		self.0.tasks.wait().await;
	}

	pub(crate) fn config(&self) -> &Config {
		&self.0.config
	}

	/// Opens a blob stream to a connected peer.
	pub(crate) async fn open_blob_stream(&self, peer: PeerId) -> Result<Stream, libp2p_stream::OpenStreamError> {
		self.0.streams.clone().open_stream(peer, blob::PROTOCOL).await
	}

	/// Disconnects `peer` and refuses it for a while.
	pub(crate) async fn ban(&self, peer: PeerId, violation: Violation) {
		// Fails only at shutdown.
		let _ = self.0.commands.send(Command::Ban { peer, violation }).await;
	}

	fn turn_to_fetch(&self, hash: BlobHash) -> Arc<tokio::sync::Mutex<()>> {
		let mut turns = self.0.fetching.lock().unwrap_or_else(PoisonError::into_inner);
		turns.retain(|_, turn| turn.strong_count() > 0);
		if let Some(turn) = turns.get(&hash).and_then(Weak::upgrade) {
			return turn;
		}
		let turn = Arc::default();
		turns.insert(hash, Arc::downgrade(&turn));
		turn
	}
}
