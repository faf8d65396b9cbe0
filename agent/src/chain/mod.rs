//! A connection to a node.

mod call;
mod error;
mod key;
mod snapshot;

pub use call::Call;
pub use error::ChainError;
pub use key::{Hasher, StorageKey};
pub use snapshot::{ChainEvent, Snapshot};

use std::{sync::Arc, time::Duration};
use subxt::{
	backend::LegacyBackend,
	client::OnlineClientAtBlockImpl,
	config::RpcConfigFor,
	rpcs::{
		client::{reconnecting_rpc_client::ExponentialBackoff, ReconnectingRpcClient},
		methods::LegacyRpcMethods,
		RpcClient,
	},
	OnlineClient, SubstrateConfig,
};

/// Longest wait before a lost node is tried again: a dispute's clock runs while a daemon waits.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

pub(crate) type Config = SubstrateConfig;
pub(crate) type AtBlock = subxt::client::ClientAtBlock<Config, OnlineClientAtBlockImpl<Config>>;
pub(crate) type Rpc = LegacyRpcMethods<RpcConfigFor<Config>>;

/// A connection to one node. Cheap to clone; reconnects by itself when the node comes back.
#[derive(Clone)]
pub struct Chain {
	client: OnlineClient<Config>,
	rpc: Arc<Rpc>,
	raw: RpcClient,
	url: Arc<str>,
}

impl Chain {
	/// Connects to the node at `url`, such as `ws://127.0.0.1:9944`.
	///
	/// # Errors
	/// [`ChainError::Unreachable`] when no node answers there.
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		let unreachable = |reason: String| ChainError::Unreachable { url: url.into(), reason };
		let inner = ReconnectingRpcClient::builder()
			.retry_policy(ExponentialBackoff::from_millis(10).max_delay(LONGEST_RETRY))
			.build(url.to_string())
			.await
			.map_err(|error| unreachable(error.to_string()))?;
		let raw = RpcClient::new(inner);
		let backend = LegacyBackend::builder().build(raw.clone());
		let client =
			OnlineClient::from_backend(Arc::new(backend)).await.map_err(|error| unreachable(error.to_string()))?;
		Ok(Self { client, rpc: Arc::new(Rpc::new(raw.clone())), raw, url: url.into() })
	}

	/// Where the node is.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Hash of the chain's first block: names the chain.
	pub fn genesis(&self) -> [u8; 32] {
		self.client.genesis_hash().0
	}

	/// The state at the newest finalised block.
	///
	/// # Errors
	/// [`ChainError`] when the node does not answer.
	pub async fn finalized(&self) -> Result<Snapshot, ChainError> {
		Ok(Snapshot::new(self.client.at_current_block().await.map_err(ChainError::read)?))
	}

	/// The state at finalised block `number`.
	///
	/// # Errors
	/// [`ChainError`] when the node does not answer or does not keep that block.
	pub async fn at(&self, number: u64) -> Result<Snapshot, ChainError> {
		Ok(Snapshot::new(self.client.at_block(number).await.map_err(ChainError::read)?))
	}

	/// The nonce after every transaction of `account` that the node knows, pending ones included.
	pub(crate) async fn next_nonce(&self, account: &subxt::utils::AccountId32) -> Result<u64, ChainError> {
		self.rpc.system_account_next_index(account).await.map_err(ChainError::read)
	}

	/// A raw JSON-RPC request, for methods that have no wrapper here.
	///
	/// # Errors
	/// [`ChainError`] when the node does not answer or refuses.
	pub async fn request<T: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: subxt::rpcs::client::RpcParams,
	) -> Result<T, ChainError> {
		self.raw.request(method, params).await.map_err(ChainError::read)
	}
}
