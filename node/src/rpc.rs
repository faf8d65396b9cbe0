//! What the node answers beyond the standard calls: nonces, fees, BABE and GRANDPA.

use crate::service::{Client, FullBackend, FullPool, SelectChain};
use assay_runtime::{opaque::Block, AccountId, Balance, BlockNumber, Hash, Nonce};
use jsonrpsee::RpcModule;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState};
use sc_rpc::SubscriptionTaskExecutor;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// What BABE's calls need.
#[derive(Clone)]
pub(crate) struct BabeDeps {
	pub(crate) worker: BabeWorkerHandle<Block>,
	pub(crate) keystore: KeystorePtr,
	pub(crate) select_chain: SelectChain,
}

/// What GRANDPA's calls need.
#[derive(Clone)]
pub(crate) struct GrandpaDeps {
	pub(crate) voter_state: SharedVoterState,
	pub(crate) authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	pub(crate) justifications: GrandpaJustificationStream<Block>,
	pub(crate) finality_proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// Builds the module that serves the calls.
pub(crate) fn module(
	client: Arc<Client>,
	pool: Arc<FullPool>,
	executor: SubscriptionTaskExecutor,
	babe: BabeDeps,
	grandpa: GrandpaDeps,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
	use sc_consensus_babe_rpc::{Babe, BabeApiServer};
	use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
	use substrate_frame_rpc_system::{System, SystemApiServer};

	let mut module = RpcModule::new(());
	module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(System::new(client.clone(), pool)))?;
	module.merge(
		TransactionPaymentApiServer::<Hash, pallet_transaction_payment::RuntimeDispatchInfo<Balance>>::into_rpc(
			TransactionPayment::new(client.clone()),
		),
	)?;
	module.merge(Babe::new(client, babe.worker, babe.keystore, babe.select_chain).into_rpc())?;
	module.merge(
		Grandpa::new(
			executor,
			grandpa.authority_set,
			grandpa.voter_state,
			grandpa.justifications,
			grandpa.finality_proofs,
		)
		.into_rpc(),
	)?;
	Ok(module)
}
