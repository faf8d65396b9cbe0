//! How each pallet is configured.
//!
//! Pallets of the SDK are grouped by purpose; each of ours has a file of its own name.

#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
mod consensus;
mod control;
mod disputes;
mod fees;
mod market;
mod operators;
mod system;
mod validator_set;
mod verification;
mod wallets;

pub use consensus::{EpochLength, EquivocationReportPeriod, BABE_GENESIS_EPOCH_CONFIG};
pub use control::{NeverFiltered, NeverPaused};
pub use fees::ToAuthor;
pub use system::{BlockLength, BlockWeights, Version};
pub use verification::AuthorVrf;
pub use wallets::ProxyType;
