//! Data plane: BLAKE3-verified blobs between peers.

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
pub use store::{BlobStore, StoreError};
pub use tokio_util::sync::CancellationToken;
pub use wire::{
	blob::BlobRefusal,
	control::{Refusal, MAX_CONTROL_REPLY, MAX_CONTROL_REQUEST, MAX_REASON_BYTES},
	Violation,
};
