//! The task that owns the swarm.

use std::{
	collections::HashMap,
	sync::Arc,
	time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{
	ping,
	request_response::{self, OutboundFailure, OutboundRequestId, ResponseChannel},
	swarm::{
		dial_opts::{DialOpts, PeerCondition},
		DialError as SwarmDialError, SwarmEvent,
	},
	Multiaddr, PeerId, Swarm,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
	bans::Bans,
	behaviour::{Behaviour, BehaviourEvent},
	handler::HandlerSlot,
	places::Reserved,
	Config, DialError, Event, RequestError,
};
use crate::{
	wire::control::{ControlReply, ControlRequest},
	Provider, Violation,
};

/// How long a shutdown waits for connections to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

type ReplyChannel = ResponseChannel<Result<ControlReply, Violation>>;

/// What other tasks ask of the swarm.
pub(super) enum Command {
	/// Connect, unless connected.
	Dial { provider: Provider, done: oneshot::Sender<Result<(), DialError>> },
	/// Send a control request to a connected peer.
	Request { peer: PeerId, bytes: Vec<u8>, done: oneshot::Sender<Result<ControlReply, RequestError>> },
	/// Answer a control request.
	Respond { channel: ReplyChannel, reply: ControlReply },
	/// Disconnect and refuse a peer for a while.
	Ban { peer: PeerId, violation: Violation },
}

/// Owns the swarm: carries out commands and turns network events into ours.
pub(super) struct Driver {
	pub(super) swarm: Swarm<Behaviour>,
	pub(super) commands: mpsc::Receiver<Command>,
	/// Handed to the tasks that run the handler.
	pub(super) to_self: mpsc::Sender<Command>,
	pub(super) events: broadcast::Sender<Event>,
	pub(super) listening: watch::Sender<Vec<Multiaddr>>,
	pub(super) handler: HandlerSlot,
	pub(super) tasks: TaskTracker,
	pub(super) stop: CancellationToken,
	dials: HashMap<PeerId, Vec<oneshot::Sender<Result<(), DialError>>>>,
	requests: HashMap<OutboundRequestId, oneshot::Sender<Result<ControlReply, RequestError>>>,
	bans: Bans,
	ban_period: Duration,
	handler_timeout: Duration,
	handler_slots: Arc<Semaphore>,
	reserved: Reserved,
	reserved_slots: Arc<Semaphore>,
}

/// What a driver shares with others.
pub(super) struct Channels {
	pub(super) commands: mpsc::Receiver<Command>,
	pub(super) to_self: mpsc::Sender<Command>,
	pub(super) events: broadcast::Sender<Event>,
	pub(super) listening: watch::Sender<Vec<Multiaddr>>,
	pub(super) reserved: Reserved,
}

impl Driver {
	pub(super) fn new(
		swarm: Swarm<Behaviour>,
		channels: Channels,
		handler: HandlerSlot,
		tasks: TaskTracker,
		stop: CancellationToken,
		config: &Config,
	) -> Self {
		let Channels { commands, to_self, events, listening, reserved } = channels;
		Self {
			swarm,
			commands,
			to_self,
			events,
			listening,
			handler,
			tasks,
			stop,
			dials: HashMap::new(),
			requests: HashMap::new(),
			bans: Bans::new(config.limits.banned_peers),
			ban_period: config.timeouts.ban,
			handler_timeout: config.timeouts.handler,
			handler_slots: Arc::new(Semaphore::new(config.limits.control_requests)),
			reserved,
			reserved_slots: Arc::new(Semaphore::new(config.limits.reserved_requests)),
		}
	}

	/// Runs until the token is cancelled, then closes every connection.
	pub(super) async fn run(mut self) {
		let stop = self.stop.clone();
		loop {
			let next_end = self.bans.next_end();
			let ban_ends = async {
				match next_end {
					Some(end) => tokio::time::sleep_until(end.into()).await,
					None => futures::future::pending().await,
				}
			};
			tokio::select! {
				() = stop.cancelled() => break,
				event = self.swarm.select_next_some() => self.on_swarm_event(event),
				Some(command) = self.commands.recv() => self.on_command(command),
				() = ban_ends => self.end_bans(),
			}
		}
		self.close_connections().await;
	}

	/// Says goodbye, so that peers notice at once instead of after their idle timeout.
	async fn close_connections(&mut self) {
		let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
		for peer in peers {
			let _ = self.swarm.disconnect_peer_id(peer);
		}
		let _ = tokio::time::timeout(FAREWELL, async {
			while self.swarm.connected_peers().next().is_some() {
				self.swarm.select_next_some().await;
			}
		})
		.await;
	}

	fn on_command(&mut self, command: Command) {
		match command {
			Command::Dial { provider, done } => self.dial(provider, done),
			Command::Request { peer, bytes, done } => {
				let message = ControlRequest::Message { bytes, budget: None };
				let id = self.swarm.behaviour_mut().control.send_request(&peer, message);
				self.requests.insert(id, done);
			}
			Command::Respond { channel, reply } => {
				// Fails only if the peer has gone.
				let _ = self.swarm.behaviour_mut().control.send_response(channel, Ok(reply));
			}
			Command::Ban { peer, violation } => self.ban(peer, violation),
		}
	}

	fn dial(&mut self, provider: Provider, done: oneshot::Sender<Result<(), DialError>>) {
		let peer = provider.peer;
		let verdict = if self.bans.contains(&peer) {
			Err(DialError::Banned)
		} else if self.swarm.is_connected(&peer) {
			Ok(())
		} else {
			let options = DialOpts::peer_id(peer)
				.addresses(provider.addresses)
				.condition(PeerCondition::DisconnectedAndNotDialing)
				.build();
			match self.swarm.dial(options) {
				// Ours, or one under way: the outcome comes as an event.
				Ok(()) | Err(SwarmDialError::DialPeerConditionFalse(_)) => {
					let waiting = self.dials.entry(peer).or_default();
					waiting.retain(|done| !done.is_closed());
					waiting.push(done);
					return;
				}
				Err(error) => Err(DialError::Unreachable(error.to_string())),
			}
		};
		let _ = done.send(verdict);
	}

	fn end_dials(&mut self, peer: &PeerId, outcome: Result<(), DialError>) {
		for done in self.dials.remove(peer).unwrap_or_default() {
			let _ = done.send(outcome.clone());
		}
	}

	fn ban(&mut self, peer: PeerId, violation: Violation) {
		tracing::warn!(%peer, %violation, "peer banned");
		if let Some(evicted) = self.bans.add(peer, Instant::now() + self.ban_period) {
			self.unban(evicted);
		}
		self.swarm.behaviour_mut().banned.block_peer(peer);
		let _ = self.swarm.disconnect_peer_id(peer);
		self.end_dials(&peer, Err(DialError::Banned));
		self.emit(Event::Banned { peer, violation, period: self.ban_period });
	}

	fn end_bans(&mut self) {
		while let Some(peer) = self.bans.expire(Instant::now()) {
			self.unban(peer);
		}
	}

	fn unban(&mut self, peer: PeerId) {
		self.swarm.behaviour_mut().banned.unblock_peer(peer);
		self.emit(Event::Unbanned(peer));
	}

	/// Nobody listening is fine.
	fn emit(&self, event: Event) {
		let _ = self.events.send(event);
	}

	fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
		match event {
			SwarmEvent::NewListenAddr { address, .. } => {
				self.listening.send_modify(|addresses| addresses.push(address.clone()));
				self.emit(Event::Listening(address));
			}
			SwarmEvent::ExpiredListenAddr { address, .. } => {
				self.listening.send_modify(|addresses| addresses.retain(|known| *known != address));
			}
			SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
				self.end_dials(&peer_id, Ok(()));
				if num_established.get() == 1 {
					self.emit(Event::Connected(peer_id));
				}
			}
			SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
				tracing::debug!(peer = %peer_id, ?cause, "disconnected");
				self.emit(Event::Disconnected(peer_id));
			}
			SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
				self.end_dials(&peer, Err(DialError::Unreachable(error.to_string())));
			}
			SwarmEvent::Behaviour(BehaviourEvent::Control(event)) => self.on_control_event(event),
			// A peer that stopped answering pings is gone, whatever the socket says.
			SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
				connection,
				result: Err(ping::Failure::Timeout),
				..
			})) => {
				self.swarm.close_connection(connection);
			}
			_ => {}
		}
	}

	fn on_control_event(&mut self, event: request_response::Event<ControlRequest, Result<ControlReply, Violation>>) {
		use request_response::{Event, Message};
		match event {
			Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => match request {
				ControlRequest::Message { bytes, budget } => self.handle(peer, bytes, budget, channel),
				ControlRequest::Violation(violation) => self.ban(peer, violation),
			},
			Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
				let outcome = response.map_err(|violation| {
					self.ban(peer, violation.clone());
					RequestError::Violation(violation)
				});
				self.end_request(request_id, outcome);
			}
			Event::OutboundFailure { request_id, error, .. } => {
				let error = match error {
					OutboundFailure::DialFailure => DialError::Unreachable("the connection has ended".into()).into(),
					OutboundFailure::Timeout => RequestError::Timeout,
					OutboundFailure::UnsupportedProtocols => RequestError::Unsupported,
					error => RequestError::Connection(error.to_string()),
				};
				self.end_request(request_id, Err(error));
			}
			Event::InboundFailure { peer, error, .. } => tracing::debug!(%peer, %error, "control request not answered"),
			Event::ResponseSent { .. } => {}
		}
	}

	fn end_request(&mut self, id: OutboundRequestId, outcome: Result<ControlReply, RequestError>) {
		if let Some(done) = self.requests.remove(&id) {
			let _ = done.send(outcome);
		}
	}

	/// Runs the handler on its own task. `budget` is the memory of the request, given back when it is answered.
	fn handle(
		&mut self,
		peer: PeerId,
		bytes: Vec<u8>,
		budget: Option<tokio::sync::OwnedSemaphorePermit>,
		channel: ReplyChannel,
	) {
		let refuse = |swarm: &mut Swarm<Behaviour>, channel, reply| {
			let _ = swarm.behaviour_mut().control.send_response(channel, Ok(reply));
		};
		let Some(handler) = self.handler.get() else {
			return refuse(&mut self.swarm, channel, ControlReply::NoHandler);
		};
		let kept =
			self.reserved.contains(&peer).then(|| self.reserved_slots.clone().try_acquire_owned().ok()).flatten();
		let Some(slot) = kept.or_else(|| self.handler_slots.clone().try_acquire_owned().ok()) else {
			return refuse(&mut self.swarm, channel, ControlReply::Busy);
		};
		let (to_swarm, stop, limit) = (self.to_self.clone(), self.stop.clone(), self.handler_timeout);
		self.tasks.spawn(async move {
			let answer = tokio::select! {
				() = stop.cancelled() => return,
				answer = tokio::time::timeout(limit, handler.handle(peer, bytes)) => answer,
			};
			drop((slot, budget));
			let reply = super::handler::reply_from(answer.ok());
			let respond = to_swarm.send(Command::Respond { channel, reply });
			tokio::select! {
				() = stop.cancelled() => {},
				// Fails only when the driver has gone.
				_ = respond => {},
			}
		});
	}
}
