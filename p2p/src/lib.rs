//! Data plane: BLAKE3-verified blobs and control messages between peers.
//!
//! # Participants
//!
//! Workers, verifiers, clients and mirrors are **peers**. A peer is an ed25519 key pair; its public half is published
//! on chain, and [`peer_id_of`] turns it into the name that the handshake of every connection proves. In one exchange
//! one peer is the **provider**, which serves a blob from its [`BlobStore`], and the other is the **reader**.
//!
//! # Goals
//!
//! - A reader ends up with exactly the bytes that the hash names, or with a typed error that says what to do.
//! - Bytes are checked against the hash in groups of 16 KiB as they arrive, before anything is kept. A lie costs the
//!   liar its connection and a ban, and costs the reader at most one range.
//! - A download survives the loss of a provider, of the connection and of the reader's process: verified ranges stay on
//!   disk and any provider can supply the rest, several at once.
//! - A provider serves a blob only to whom its [`AccessPolicy`] allows, and does not tell others whether it has it.
//! - Nothing a peer sends makes this side panic, allocate without bound or wait without limit.
//! - A crowd of peers cannot keep out those that the owner waits for.
//!
//! # Non-goals
//!
//! - Discovery: who holds a blob, and where, comes from the chain.
//! - NAT traversal: peers dial each other directly for now. Relay client, hole punching and port mapping join the
//!   network behaviour in `plane/behaviour.rs`; dials keep the default port reuse for their sake.
//! - Secrecy of blobs from the peers that may read them.
//!
//! # Connections
//!
//! QUIC, or TCP with Noise and Yamux; then multistream-select, identify and ping as in every libp2p network. Two
//! protocols run on top. Every message is a **frame**: its length as an unsigned 32-bit little-endian number, then that
//! many bytes. Messages are SCALE-encoded. A frame longer than its kind allows, or one that does not decode to its last
//! byte, is a [`Violation`].
//!
//! # Places
//!
//! Peer ids are free, so connections that others begin are bounded as a whole ([`Limits::connections`]) and per address, and
//! some places, blob streams and control requests are kept for peers that the owner names ([`DataPlane::reserve_for`]):
//! a worker names the verifiers drawn for it. Connections that this side begins have places of their own. A handshake does
//! not say who it is before its end; handshakes in progress are bounded per address, and who has many addresses can still
//! delay others by the time that a handshake may take ([`Timeouts::dial`]).
//!
//! # Blob protocol `/assay/blob/1`
//!
//! A blob of `n` bytes is cut into chunk groups of 16 KiB ([`GROUP_BYTES`]); an empty blob has one empty group. A
//! stream is about one blob. The reader sends
//!
//! | message | bytes | meaning |
//! |---|---|---|
//! | `Open` | `00`, hash (32) | first message, once |
//! | `Read` | `01`, first group (u64), number of groups (u32) | any number of times, without waiting for answers |
//!
//! and the provider answers each, in order:
//!
//! | message | bytes | meaning |
//! |---|---|---|
//! | `Opened` | `00`, length of the blob (u64) | to `Open` |
//! | `Range` | `01`, compact length, encoding | to `Read` |
//! | `Refused` | `02`, reason ([`BlobRefusal`], one byte) | to either; the stream ends |
//!
//! A `Read` asks for 1 to 64 groups ([`PIECE_GROUPS`]) inside the blob. The **encoding** is the bao encoding of the
//! range with chunk groups of 16 KiB and without a length prefix: the nodes of the BLAKE3 tree that lead to the range,
//! in pre-order, each as the two 32-byte chaining values of its children, and in place of each group in the range its
//! bytes. The reader recomputes every node down from the hash. Frames of the reader have at most 64 bytes, those of the
//! provider at most 1 MiB and the size of the proof.
//!
//! The length in `Opened` is a claim. A reader first asks for the last group: the last chunk proves its own size and its
//! place, hence the length. Only then does it reserve space and ask for the rest.
//!
//! # Control protocol `/assay/control/1`
//!
//! A stream is one exchange. The caller sends one frame of at most 1 MiB ([`MAX_CONTROL_REQUEST`]) whose bytes belong to
//! the layer above. The other answers with one frame of at most 4 MiB ([`MAX_CONTROL_REPLY`]) and a few bytes: `00` and
//! the answer as a byte vector; `01` and a [`Refusal`]; `02` busy; `03` no handler; `04` the handler took too long.
//!
//! # Breaches
//!
//! What no honest peer does is a [`Violation`]: the peer is disconnected, new connections are refused for a while, and
//! [`Event::Banned`] says why. Losing the connection, being slow, or not having a blob is no breach. Bytes that fail
//! before the handshake is complete end the connection without a ban, since nobody is accountable for them.
//!
//! # Example
//!
//! A verifier reads a pre-state that a worker granted to it alone, after asking for its hash.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use assay_p2p::{BlobHash, BlobStore, CancellationToken, Config, DataPlane, DenyAll, Grants, Identity, Provider};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let stop = CancellationToken::new();
//! let listen = "/ip4/127.0.0.1/udp/0/quic-v1".parse()?;
//!
//! let grants = Arc::new(Grants::new());
//! let config = Config::new(Identity::from_seed([1; 32])).listen_on(listen);
//! let store = BlobStore::open(dir.path().join("worker"))?;
//! let worker = DataPlane::start(config, store, grants.clone(), stop.clone()).await?;
//!
//! let config = Config::new(Identity::from_seed([2; 32]));
//! let store = BlobStore::open(dir.path().join("verifier"))?;
//! let verifier = DataPlane::start(config, store, Arc::new(DenyAll), stop.clone()).await?;
//!
//! let pre_state = worker.store().put(b"weights and optimiser state")?;
//! grants.grant(verifier.peer_id(), pre_state);
//! worker.set_handler(move |_peer, _request: Vec<u8>| async move { Ok(pre_state.as_bytes().to_vec()) });
//!
//! // What the worker publishes is all that the verifier needs.
//! let worker_address: Provider = worker.listen_addresses()[0].parse()?;
//! let answer = verifier.request(&worker_address, b"segment 7".to_vec(), Duration::from_secs(10)).await?;
//! let hash = BlobHash::from(<[u8; 32]>::try_from(&answer[..])?);
//! let fetched = verifier.fetch(hash, &[worker_address], 1 << 20).await?;
//! assert_eq!(fetched.len, 27);
//! assert_eq!(verifier.store().get(&hash, 1 << 20)?, b"weights and optimiser state");
//!
//! verifier.shutdown().await;
//! worker.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod access;
mod fetch;
mod hash;
mod identity;
mod plane;
mod provider;
mod ranges;
mod store;
mod wire;

pub use access::{AccessPolicy, AllowAll, DenyAll, Grants};
pub use fetch::{FetchError, FetchOptions, Fetched, Progress, ProgressCallback, ProviderError};
pub use hash::{BlobHash, InvalidHash};
pub use identity::{peer_id_of, Identity, IdentityError};
pub use libp2p::{Multiaddr, PeerId};
pub use plane::{
	Config, ControlHandler, DataPlane, DialError, Event, FetchPolicy, Limits, RequestError, StartError, Timeouts,
};
pub use provider::{InvalidProvider, Provider};
pub use ranges::{Geometry, GroupRange, GROUP_BYTES, MAX_BLOB_LEN, PIECE_GROUPS};
pub use store::{BlobStore, Hold, StoreError, Swept};
pub use tokio_util::sync::CancellationToken;
pub use wire::{
	blob::BlobRefusal,
	control::{Refusal, MAX_CONTROL_REPLY, MAX_CONTROL_REQUEST, MAX_REASON_BYTES},
	Violation,
};
