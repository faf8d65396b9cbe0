//! Peers for the tests: real data planes, and raw libp2p peers that speak the protocol by hand.
#![allow(dead_code, unreachable_pub)]

use std::{future::Future, sync::Arc, time::Duration};

use assay_p2p::{
	AccessPolicy, AllowAll, BlobHash, BlobStore, CancellationToken, Config, DataPlane, Event, Identity, Provider,
};
use bao_tree::{
	io::{outboard::PreOrderMemOutboard, sync::encode_ranges_validated},
	BlockSize, ChunkNum, ChunkRanges,
};
use codec::{Decode, Encode};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
	identity::Keypair, noise, swarm::SwarmEvent, tcp, yamux, Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder,
};
use tempfile::TempDir;
use tokio::sync::broadcast;

pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub const BLOB: StreamProtocol = StreamProtocol::new("/assay/blob/1");
pub const CONTROL: StreamProtocol = StreamProtocol::new("/assay/control/1");

/// Fails the test instead of hanging it.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
	tokio::time::timeout(Duration::from_secs(120), work).await.expect("the test must not hang")
}

pub fn sample(len: usize, seed: u8) -> Vec<u8> {
	let mut bytes = vec![0; len];
	blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
	bytes
}

/// A data plane with its store in a temporary folder.
pub struct Peer {
	pub plane: DataPlane,
	/// Stops the data plane at once, from synchronous code.
	pub stop: CancellationToken,
	pub dir: TempDir,
}

pub fn config(seed: u8, listen: &str) -> Config {
	let mut config = Config::new(Identity::from_seed([seed; 32])).listen_on(listen.parse().unwrap());
	config.fetch.backoff = Duration::from_millis(10);
	config.fetch.attempts = 2;
	config.timeouts.dial = Duration::from_secs(10);
	config
}

impl Peer {
	pub async fn start(config: Config, access: Arc<dyn AccessPolicy>) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let store = BlobStore::open(dir.path()).unwrap();
		let stop = CancellationToken::new();
		let plane = soon(DataPlane::start(config, store, access, stop.clone())).await.unwrap();
		Self { plane, stop, dir }
	}

	pub async fn open(seed: u8, listen: &str) -> Self {
		Self::start(config(seed, listen), Arc::new(AllowAll)).await
	}

	pub async fn holding(seed: u8, listen: &str, bytes: &[u8]) -> (Self, BlobHash) {
		let peer = Self::open(seed, listen).await;
		let hash = peer.plane.store().put(bytes).unwrap();
		(peer, hash)
	}

	pub fn provider(&self) -> Provider {
		self.plane.provider()
	}

	pub fn blob(&self, hash: &BlobHash) -> Vec<u8> {
		self.plane.store().get(hash, u64::MAX).unwrap()
	}
}

/// Waits for an event that `pick` accepts.
pub async fn event<T>(events: &mut broadcast::Receiver<Event>, pick: impl Fn(Event) -> Option<T>) -> T {
	soon(async {
		loop {
			if let Some(found) = pick(events.recv().await.unwrap()) {
				return found;
			}
		}
	})
	.await
}

/// A libp2p peer without any of our code behind the handshake.
pub struct RawPeer {
	pub peer: PeerId,
	pub address: Multiaddr,
	pub streams: libp2p_stream::Control,
	/// Cancelled to let a [`Lie::Late`] peer go on.
	pub gate: CancellationToken,
	stop: CancellationToken,
}

impl Drop for RawPeer {
	fn drop(&mut self) {
		self.stop.cancel();
	}
}

impl RawPeer {
	/// Starts a peer, connected to `dial` if given.
	pub async fn start(dial: Option<Provider>) -> Self {
		let mut swarm = SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
			.with_tokio()
			.with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
			.unwrap()
			.with_quic()
			.with_behaviour(|_| libp2p_stream::Behaviour::new())
			.unwrap()
			.with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
			.build();
		let peer = *swarm.local_peer_id();
		let streams = swarm.behaviour().new_control();
		swarm.listen_on(TCP.parse().unwrap()).unwrap();
		let address = soon(async {
			loop {
				if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
					return address;
				}
			}
		})
		.await;
		if let Some(provider) = dial {
			let address = provider.addresses[0].clone().with_p2p(provider.peer).unwrap();
			swarm.dial(address).unwrap();
			soon(async {
				while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
			})
			.await;
		}
		let stop = CancellationToken::new();
		let token = stop.clone();
		tokio::spawn(async move {
			loop {
				tokio::select! {
					() = token.cancelled() => return,
					_ = swarm.select_next_some() => {},
				}
			}
		});
		Self { peer, address, streams, gate: CancellationToken::new(), stop }
	}

	pub fn provider(&self) -> Provider {
		Provider::new(self.peer, [self.address.clone()])
	}

	pub async fn stream(&self, to: PeerId, protocol: StreamProtocol) -> Stream {
		soon(self.streams.clone().open_stream(to, protocol)).await.unwrap()
	}
}

pub async fn send(stream: &mut Stream, body: &[u8]) {
	stream.write_all(&(body.len() as u32).to_le_bytes()).await.unwrap();
	stream.write_all(body).await.unwrap();
	stream.flush().await.unwrap();
}

/// The next frame, or `None` when the stream ends in any way.
pub async fn receive(stream: &mut Stream) -> Option<Vec<u8>> {
	soon(async {
		let mut len = [0; 4];
		stream.read_exact(&mut len).await.ok()?;
		let mut body = vec![0; u32::from_le_bytes(len) as usize];
		stream.read_exact(&mut body).await.ok()?;
		Some(body)
	})
	.await
}

/// How a dishonest provider answers.
#[derive(Clone, Copy, Debug)]
pub enum Lie {
	/// Flips a bit in the n-th range.
	FlipBit(usize),
	/// Claims one byte more than there is.
	Longer,
	/// Claims more bytes than any blob may have.
	Absurd,
	/// Answers with a frame of noise.
	Noise,
	/// Announces a frame of 4 GiB.
	HugeFrame,
	/// Serves the ranges of another blob.
	OtherBlob,
	/// Serves the first range, then lets the second wait for ever and opens its gate.
	Stall,
	/// Is honest, but answers only when its gate is open.
	Late,
}

/// Answers every blob stream of `raw` with `lie`, holding `bytes`.
pub fn lie(raw: &mut RawPeer, bytes: Vec<u8>, lie: Lie) {
	let mut incoming = raw.streams.accept(BLOB).unwrap();
	let gate = raw.gate.clone();
	tokio::spawn(async move {
		while let Some((_, mut stream)) = incoming.next().await {
			let bytes = if let Lie::OtherBlob = lie { sample(bytes.len(), 99) } else { bytes.clone() };
			let gate = gate.clone();
			tokio::spawn(async move { answer(&mut stream, &bytes, lie, gate).await });
		}
	});
}

async fn answer(stream: &mut Stream, bytes: &[u8], lie: Lie, gate: CancellationToken) -> Option<()> {
	let tree = PreOrderMemOutboard::create(bytes, BlockSize::from_chunk_log(4));
	receive(stream).await?;
	if let Lie::Late = lie {
		gate.cancelled().await;
	}
	let len = bytes.len() as u64;
	match lie {
		Lie::Noise => send(stream, &[0xee; 40]).await,
		Lie::HugeFrame => stream.write_all(&[0xff; 64]).await.ok()?,
		Lie::Longer => send(stream, &(0u8, len + 1).encode()).await,
		Lie::Absurd => send(stream, &(0u8, u64::MAX).encode()).await,
		Lie::FlipBit(_) | Lie::OtherBlob | Lie::Stall | Lie::Late => send(stream, &(0u8, len).encode()).await,
	}
	let mut number = 0;
	loop {
		let request = receive(stream).await?;
		let (1u8, first, count) = <(u8, u64, u32)>::decode(&mut &request[..]).ok()? else { return None };
		let (start, end) = (first * 16 * 1024, len.min((first + u64::from(count)) * 16 * 1024));
		let chunks = ChunkRanges::from(ChunkNum::full_chunks(start)..ChunkNum::chunks(end));
		let mut encoded = Vec::new();
		encode_ranges_validated(bytes, &tree, &chunks, &mut encoded).ok()?;
		if matches!(lie, Lie::Stall) && number == 1 {
			gate.cancel();
			std::future::pending::<()>().await;
		}
		if matches!(lie, Lie::FlipBit(at) if at == number) {
			let middle = encoded.len() / 2;
			encoded[middle] ^= 4;
		}
		number += 1;
		send(stream, &(1u8, encoded).encode()).await;
	}
}
