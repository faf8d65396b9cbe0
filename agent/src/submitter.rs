//! Sends transactions of one key, one nonce after the other.

use crate::{
	chain::{Call, ChainEvent},
	Chain, ChainError, Keypair,
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	error::{DispatchError, TransactionEventsError},
	tx::TransactionStatus,
};
use tokio::sync::Mutex;

/// Blocks a transaction stays valid for.
const MORTALITY: u64 = 64;
/// Longest wait for finality; a transaction not seen final by then is looked up again by state.
const FINALITY_TIMEOUT: Duration = Duration::from_secs(180);

/// Why a transaction did not have its effect.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
	/// The runtime executed the call and refused it.
	#[error("{call} was refused: {error}")]
	Refused {
		/// The call.
		call: String,
		/// `Pallet::Error` as the runtime names it.
		error: String,
	},
	/// The node did not take the transaction.
	#[error("{call} was not accepted by the node: {reason}")]
	NotAccepted {
		/// The call.
		call: String,
		/// What the node said.
		reason: String,
	},
	/// The transaction's fate is unknown: the connection broke or finality took too long. Look at the state, then repeat.
	#[error("{call}: its fate is unknown ({reason}); the state will tell")]
	Unknown {
		/// The call.
		call: String,
		/// What happened.
		reason: String,
	},
	/// The same action is on its way already.
	#[error("{0} is on its way already")]
	InFlight(String),
	/// The node cannot be read.
	#[error(transparent)]
	Chain(#[from] ChainError),
}

/// A call's finalised effect.
#[derive(Clone, Debug)]
pub struct Finalized {
	/// Hash of the block that holds it.
	pub block: [u8; 32],
	/// Number of that block.
	pub number: u64,
	/// Events the call caused.
	pub events: Vec<ChainEvent>,
	/// Length of the signed transaction, bytes.
	pub size: usize,
}

impl Finalized {
	/// The first event `pallet.name` the call caused.
	pub fn event(&self, pallet: &str, name: &str) -> Option<&ChainEvent> {
		self.events.iter().find(|event| event.pallet == pallet && event.name == name)
	}
}

/// Sends transactions of one key. Cheap to clone; clones take turns.
#[derive(Clone)]
pub struct Submitter {
	chain: Chain,
	keypair: Keypair,
	/// Held from asking for a nonce until the node has taken the transaction with it.
	turn: Arc<Mutex<()>>,
	in_flight: Arc<std::sync::Mutex<HashSet<String>>>,
}

impl Submitter {
	/// A submitter for `keypair`. Make one per key and process.
	pub fn new(chain: Chain, keypair: Keypair) -> Self {
		Self { chain, keypair, turn: Arc::default(), in_flight: Arc::default() }
	}

	/// The key it signs with.
	pub fn keypair(&self) -> &Keypair {
		&self.keypair
	}

	/// The chain it sends to.
	pub fn chain(&self) -> &Chain {
		&self.chain
	}

	/// Submits `call` unless an action named `action` is on its way already.
	///
	/// # Errors
	/// [`SubmitError::InFlight`], else as [`Submitter::submit`].
	pub async fn submit_once(&self, action: &str, call: Call) -> Result<Finalized, SubmitError> {
		let _guard = InFlight::enter(&self.in_flight, action).ok_or_else(|| SubmitError::InFlight(action.into()))?;
		self.submit(call).await
	}

	/// Whether an action of that name is on its way.
	pub fn is_in_flight(&self, action: &str) -> bool {
		self.in_flight.lock().is_ok_and(|set| set.contains(action))
	}

	/// Signs and sends `call` and waits until a finalised block holds it.
	///
	/// # Errors
	/// [`SubmitError`]; after `Unknown` the state tells whether the call had its effect.
	pub async fn submit(&self, call: Call) -> Result<Finalized, SubmitError> {
		let label = call.label();
		let (mut progress, size) = self.send(&call).await?;
		let unknown = |reason: String| SubmitError::Unknown { call: label.clone(), reason };
		let wait = async {
			loop {
				match progress.next().await {
					Some(Ok(TransactionStatus::InFinalizedBlock(block))) => return Ok(block),
					Some(Ok(TransactionStatus::Invalid { message } | TransactionStatus::Dropped { message })) => {
						return Err(SubmitError::NotAccepted { call: label.clone(), reason: message })
					}
					Some(Ok(TransactionStatus::Error { message })) => return Err(unknown(message)),
					Some(Ok(_)) => {}
					Some(Err(error)) => return Err(unknown(error.to_string())),
					None => return Err(unknown("the connection ended".into())),
				}
			}
		};
		let block = tokio::time::timeout(FINALITY_TIMEOUT, wait)
			.await
			.map_err(|_| unknown("finality took too long".into()))??;
		let hash = block.block_hash().0;
		let number = block.at().await.map_err(|error| unknown(error.to_string()))?.block_number();
		match block.wait_for_success().await {
			Ok(events) => {
				let events = events
					.iter()
					.filter_map(Result::ok)
					.map(|event| ChainEvent {
						pallet: event.pallet_name().into(),
						name: event.event_name().into(),
						fields: event.field_bytes().to_vec(),
						extrinsic: None,
					})
					.collect();
				Ok(Finalized { block: hash, number, events, size })
			}
			Err(TransactionEventsError::ExtrinsicFailed(error)) => {
				Err(SubmitError::Refused { call: label, error: refusal(&error) })
			}
			Err(error) => Err(unknown(error.to_string())),
		}
	}

	async fn send(
		&self,
		call: &Call,
	) -> Result<
		(
			subxt::tx::TransactionProgress<
				crate::chain::Config,
				subxt::client::OnlineClientAtBlockImpl<crate::chain::Config>,
			>,
			usize,
		),
		SubmitError,
	> {
		let refused = |reason: String| SubmitError::NotAccepted { call: call.label(), reason };
		let _turn = self.turn.lock().await;
		let account = subxt::utils::AccountId32(self.keypair.account());
		// The pool's view counts pending transactions; a restarted node may have lost some of ours, so its word goes.
		let nonce = self.chain.next_nonce(&account).await?;
		let snapshot = self.chain.finalized().await?;
		let params = DefaultExtrinsicParamsBuilder::new().mortal(MORTALITY).nonce(nonce).build();
		let transaction = snapshot
			.client()
			.tx()
			.create_signed(call, self.keypair.signer(), params)
			.await
			.map_err(|error| refused(error.to_string()))?;
		let size = transaction.encoded().len();
		let progress = transaction.submit_and_watch().await.map_err(|error| refused(error.to_string()))?;
		Ok((progress, size))
	}
}

fn refusal(error: &DispatchError) -> String {
	match error {
		DispatchError::Module(module) => module.details_string(),
		other => other.to_string(),
	}
}

/// Marks an action as on its way until dropped.
struct InFlight {
	set: Arc<std::sync::Mutex<HashSet<String>>>,
	action: String,
}

impl InFlight {
	fn enter(set: &Arc<std::sync::Mutex<HashSet<String>>>, action: &str) -> Option<Self> {
		let inserted = set.lock().ok()?.insert(action.into());
		inserted.then(|| Self { set: set.clone(), action: action.into() })
	}
}

impl Drop for InFlight {
	fn drop(&mut self) {
		if let Ok(mut set) = self.set.lock() {
			set.remove(&self.action);
		}
	}
}
