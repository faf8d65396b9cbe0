//! The worker daemon: bids, executes, proves.
//!
//! One loop looks at every newest finalised state and derives from it alone what ought to happen, so a restart at any moment
//! continues where the chain and the state file stand:
//!
//! - [`bidding`]: which orders to bid on, and why not on the others;
//! - [`execution`]: runs a lease segment by segment, a checkpoint after each;
//! - [`ledger`]: what is durable about a lease: its secret, its boundaries;
//! - [`proving`]: commits milestones, opens drawn boundaries, answers challenges;
//! - [`serving`]: hands pre-states to the verifiers that were drawn for them;
//! - [`defence`]: plays the defender's side of disputes.

#[cfg(feature = "adversary")]
pub mod adversary;
pub mod bidding;
pub mod config;
pub mod defence;
pub mod error;
pub mod execution;
pub mod ledger;
pub mod proving;
pub mod service;
pub mod serving;

pub use config::{PricePolicy, WorkerConfig};
pub use error::WorkerError;
pub use service::run;
