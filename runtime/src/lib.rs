//! The Assay chain runtime.
//!
//! - [`configs`]: one file per pallet or group of pallets.
//! - [`apis`]: what the node asks the runtime.
//! - [`genesis`]: the presets from which chains start.
//! - [`constants`]: units of money and time.
//!
//! Blocks are authored by BABE, with a VRF output in every one, and finalised by GRANDPA from genesis. The length of a
//! slot and of an epoch are genesis values held by `ValidatorSet`, so one runtime serves chains of any speed.
#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "512"]
// The construction macro makes public functions without documentation.
#![allow(missing_docs)]

extern crate alloc;

/// The WebAssembly build of this runtime, absent when built with `SKIP_WASM_BUILD`.
#[cfg(feature = "std")]
mod wasm {
	#![allow(dead_code, unreachable_pub)]
	include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}
#[cfg(feature = "std")]
pub use wasm::{WASM_BINARY, WASM_BINARY_BLOATY};

pub mod apis;
pub mod configs;
pub mod constants;
pub mod genesis;

#[cfg(not(feature = "std"))]
use alloc::vec::Vec;
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::{runtime_version, RuntimeVersion};

/// Signatures: sr25519, ed25519 or ECDSA.
pub type Signature = MultiSignature;
/// An account, by its 32 bytes.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount of money in the smallest unit; see [`constants::UNIT`].
pub type Balance = u128;
/// How many transactions an account has sent.
pub type Nonce = u32;
/// A hash of a block or of state.
pub type Hash = sp_core::H256;
/// A block's height.
pub type BlockNumber = u32;
/// Accounts as transactions name them.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A transaction as it comes from the network.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a signature signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// What a transaction carries besides its call. `WeightReclaim` returns weight and therefore comes last.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// Executes blocks.
pub type Executive =
	frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// The types a node needs without knowing the transaction format.
pub mod opaque {
	use super::*;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// A block's header.
	pub type Header = super::Header;
	/// A block of opaque transactions.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// The identity of a block.
	pub type BlockId = generic::BlockId<Block>;
}

impl_opaque_keys! {
	/// The keys a validator signs with.
	pub struct SessionKeys {
		/// Authors blocks; its VRF draws the slots.
		pub babe: Babe,
		/// Votes on finality.
		pub grandpa: Grandpa,
		/// Announces the node's addresses.
		pub authority_discovery: AuthorityDiscovery,
	}
}

/// This runtime's version. `spec_version` rises with every change of behaviour, `transaction_version` with every change
/// of the encoding of an existing call or of [`TxExtension`].
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: alloc::borrow::Cow::Borrowed("assay"),
	impl_name: alloc::borrow::Cow::Borrowed("assay"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 3,
};

/// The pallets, in the order in which their hooks run: `Babe` before everything that reads its randomness at the end
/// of a block, and at genesis `Balances` before `ValidatorSet`, which holds bonds, before `Session`, which asks it.
#[allow(missing_docs, unreachable_pub)]
#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Babe = pallet_babe;
	#[runtime::pallet_index(3)]
	pub type Authorship = pallet_authorship;
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;

	#[runtime::pallet_index(10)]
	pub type ValidatorSet = pallet_validator_set;
	#[runtime::pallet_index(11)]
	pub type Offences = pallet_offences;
	#[runtime::pallet_index(12)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(13)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(14)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(15)]
	pub type AuthorityDiscovery = pallet_authority_discovery;

	#[runtime::pallet_index(20)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(21)]
	pub type Multisig = pallet_multisig;
	#[runtime::pallet_index(22)]
	pub type Proxy = pallet_proxy;

	#[runtime::pallet_index(30)]
	pub type Sudo = pallet_sudo;
	#[runtime::pallet_index(31)]
	pub type SafeMode = pallet_safe_mode;
	#[runtime::pallet_index(32)]
	pub type TxPause = pallet_tx_pause;
	#[runtime::pallet_index(33)]
	pub type MultiBlockMigrations = pallet_migrations;

	#[runtime::pallet_index(39)]
	pub type Clock = pallet_clock;
	#[runtime::pallet_index(40)]
	pub type Operators = pallet_operators;
	#[runtime::pallet_index(41)]
	pub type Market = pallet_market;
	#[runtime::pallet_index(42)]
	pub type Verification = pallet_verification;
	#[runtime::pallet_index(43)]
	pub type Disputes = pallet_disputes;
}

#[cfg(feature = "runtime-benchmarks")]
mod benches {
	frame_benchmarking::define_benchmarks!(
		[pallet_balances, Balances]
		[pallet_timestamp, Timestamp]
		[pallet_validator_set, ValidatorSet]
		[pallet_operators, Operators]
		[pallet_market, Market]
		[pallet_verification, Verification]
		[pallet_disputes, Disputes]
		[pallet_utility, Utility]
		[pallet_multisig, Multisig]
		[pallet_proxy, Proxy]
		[pallet_sudo, Sudo]
		[pallet_safe_mode, SafeMode]
		[pallet_tx_pause, TxPause]
		[pallet_migrations, MultiBlockMigrations]
	);
}
