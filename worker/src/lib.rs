//! The worker daemon: bids, executes, proves.
//!
//! One loop looks at every newest finalised state and derives from it alone what ought to happen, so a restart at any moment
//! continues where the chain and the state file stand:
//!
//! - [`orders`]: finds orders in the background; [`bidding`]: which to bid on, and why not on the others;
//! - [`leases`]: takes leases up, and ends what is not wanted any more;
//! - [`execution`]: runs a lease segment by segment, a checkpoint after each;
//! - [`patience`]: how long a lease waits for its program and data;
//! - [`ledger`]: what is durable about a lease: its secret, its boundaries;
//! - [`proving`]: commits milestones, opens drawn boundaries, answers challenges;
//! - [`serving`]: hands pre-states to the verifiers that were drawn for them; [`reservation`]: keeps places for them;
//! - [`defence`]: plays the defender's side of disputes;
//! - `upkeep`: removes blobs that no job needs any more.

#[cfg(feature = "adversary")]
pub mod adversary;
pub mod bidding;
pub mod config;
pub mod defence;
pub mod error;
pub mod execution;
pub mod leases;
pub mod ledger;
pub mod orders;
mod overdue;
pub mod patience;
pub mod proving;
pub mod reservation;
pub mod service;
pub mod serving;
mod upkeep;

pub use config::{PricePolicy, WorkerConfig};
pub use error::WorkerError;
pub use service::run;
