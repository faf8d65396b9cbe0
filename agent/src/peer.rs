//! The parts that every daemon starts with: chain, key, state file, data plane.

use crate::{
	store::{Store, StoreError},
	Actions, Chain, ChainError, KeyError, Keypair, Submitter,
};
use assay_p2p::{
	BlobStore, CancellationToken, Config, DataPlane, Grants, Identity, IdentityError, Multiaddr, StartError,
};
use assay_protocol::records::operators::Contact;
use std::{path::PathBuf, sync::Arc, time::Duration};
use subxt::rpcs::rpc_params;
use tokio_util::task::TaskTracker;

/// How often a chain without blocks is asked for its first.
const FIRST_BLOCK_POLL: Duration = Duration::from_millis(500);

/// What a daemon is started with.
#[derive(Clone)]
pub struct PeerConfig {
	/// The node's WebSocket address.
	pub node: String,
	/// The key it signs with.
	pub keypair: Keypair,
	/// Folder for state, blobs and the data-plane identity.
	pub folder: PathBuf,
	/// Data-plane addresses to listen on.
	pub listen: Vec<String>,
	/// Addresses to publish instead of those listened on, the preferred first.
	pub announce: Vec<String>,
}

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
	/// The node.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The key.
	#[error(transparent)]
	Key(#[from] KeyError),
	/// The state file.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The blob store.
	#[error("cannot open the blob store: {0}")]
	Blobs(#[from] assay_p2p::StoreError),
	/// The data-plane identity.
	#[error("cannot load the data-plane identity: {0}")]
	Identity(#[from] IdentityError),
	/// An address to listen on.
	#[error("{0} is not a multiaddr; write for example /ip4/0.0.0.0/udp/4001/quic-v1")]
	Address(String),
	/// The data plane.
	#[error("the data plane cannot start: {0}")]
	Plane(#[from] StartError),
	/// The folder holds the records of another chain; they would be taken for answers on this one.
	#[error("the folder {folder} belongs to another chain; start with an empty --data-dir, or move this one away")]
	OtherChain {
		/// The folder.
		folder: String,
	},
	/// The published address is too long for the chain.
	#[error("the address {0} is longer than the chain takes; publish a shorter one with --announce")]
	Contact(String),
	/// Nothing is listened on.
	#[error("there is no address to publish: every one that was listened on is gone; pass --listen or --announce")]
	NoAddress,
}

/// The running parts.
#[derive(Clone)]
pub struct Peer {
	/// The chain.
	pub chain: Chain,
	/// Named actions of this daemon's key.
	pub actions: Actions,
	/// Durable records.
	pub store: Store,
	/// The data plane.
	pub plane: DataPlane,
	/// Who may fetch what.
	pub grants: Arc<Grants>,
	/// Background tasks; awaited at the end.
	pub tasks: TaskTracker,
	/// Ends everything.
	pub stop: CancellationToken,
}

impl Peer {
	/// Starts them.
	///
	/// # Errors
	/// [`PeerError`], each naming what to change.
	pub async fn start(config: &PeerConfig, stop: CancellationToken) -> Result<Self, PeerError> {
		let store = Store::open(&config.folder.join("state.redb"))?;
		let blobs = BlobStore::open(config.folder.join("blobs"))?;
		let identity = Identity::load_or_create(config.folder.join("peer.key"))?;
		let mut plane = Config::new(identity);
		plane.listen = addresses(&config.listen)?;
		plane.announce = addresses(&config.announce)?;
		let grants = Arc::new(Grants::new());
		let plane = DataPlane::start(plane, blobs, grants.clone(), stop.clone()).await?;
		let chain = Chain::connect(&config.node).await?;
		bind(&store, &chain, config).await?;
		let tasks = TaskTracker::new();
		let actions = Actions::new(Submitter::new(chain.clone(), config.keypair.clone()), tasks.clone());
		Ok(Self { chain, actions, store, plane, grants, tasks, stop })
	}

	/// The account it signs for.
	pub fn account(&self) -> [u8; 32] {
		self.actions.submitter().keypair().account()
	}

	/// What to publish on chain: one address. The configured one if there is one, else one that others can reach, a loopback
	/// address only if there is nothing else.
	///
	/// # Errors
	/// [`PeerError::Contact`], [`PeerError::NoAddress`].
	pub fn contact(&self) -> Result<Contact, PeerError> {
		contact(&self.plane.listen_addresses(), &self.plane.peer_id().to_bytes())
	}

	/// Ends every task and the data plane.
	pub async fn shutdown(&self) {
		self.stop.cancel();
		self.tasks.close();
		self.tasks.wait().await;
		self.plane.shutdown().await;
	}
}

/// The first of `addresses`, the best first, that the chain takes.
fn contact(addresses: &[String], peer_id: &[u8]) -> Result<Contact, PeerError> {
	let best = addresses.first().ok_or(PeerError::NoAddress)?;
	let too_long = || PeerError::Contact(best.clone());
	let endpoint = addresses.iter().find_map(|address| address.clone().into_bytes().try_into().ok());
	Ok(Contact {
		endpoint: endpoint.ok_or_else(too_long)?,
		peer_id: peer_id.to_vec().try_into().map_err(|_| too_long())?,
	})
}

/// Ties the folder to the chain at the first start and refuses another chain after that. Block 1 names the chain: a
/// development chain that is started anew has the same genesis, but not the same first block.
async fn bind(store: &Store, chain: &Chain, config: &PeerConfig) -> Result<(), PeerError> {
	let first = loop {
		let hash: Option<String> = chain.request("chain_getBlockHash", rpc_params![1u32]).await?;
		match hash {
			Some(hash) => break hash,
			None => tokio::time::sleep(FIRST_BLOCK_POLL).await,
		}
	};
	match store.get::<String>("chain")? {
		None => Ok(store.put("chain", &first)?),
		Some(known) if known == first => Ok(()),
		Some(_) => Err(PeerError::OtherChain { folder: config.folder.display().to_string() }),
	}
}

fn addresses(texts: &[String]) -> Result<Vec<Multiaddr>, PeerError> {
	texts.iter().map(|text| text.parse().map_err(|_| PeerError::Address(text.clone()))).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_protocol::job::MAX_ENDPOINT;

	#[test]
	fn the_best_address_that_the_chain_takes_is_published() {
		let (long, fits) = ("x".repeat(MAX_ENDPOINT as usize + 1), "y".repeat(MAX_ENDPOINT as usize));
		let published = contact(&[long.clone(), fits.clone(), "z".into()], &[7; 38]).unwrap();
		assert_eq!(published.endpoint[..], *fits.as_bytes());
		assert_eq!(published.peer_id[..], [7; 38]);
		assert!(matches!(contact(&[long], &[7; 38]), Err(PeerError::Contact(_))));
		assert!(matches!(contact(&[], &[7; 38]), Err(PeerError::NoAddress)));
	}
}
