//! What every daemon and the command line share.
//!
//! - [`chain`]: a connection to a node that survives the node's restarts; typed reads at one finalised block; calls.
//! - [`submitter`]: one per key: its own nonce, mortal transactions, success only from finalised blocks.
//! - [`follower`]: every finalised block once, in order, also after an interruption.
//! - [`store`]: small durable state in one file.
//! - [`keys`]: signing keys from secret URIs and key files.
//! - [`views`] and [`calls`]: the chain's records and calls by name.
//! - [`wire`]: what daemons ask each other over the data plane.
//! - [`actions`]: what a daemon sends in answer to the chain's state, each once at a time, with back-off after a refusal.
//! - [`background`]: actions that take a computation first, such as the moves of disputes.
//! - [`concurrent`]: the same work for many, a few at once.
//! - [`device`]: what jobs are computed on.
//! - [`memory`]: what a program takes, and what the machine has.
//! - [`specs`]: orders, which never change, read once.
//! - [`error`]: what can go wrong in every daemon.
//! - [`peer`]: the parts that every daemon starts with.
//! - [`upkeep`]: disk space given back.
//! - [`artifacts`]: a job's program and data, fetched and checked once, ready to run.

pub mod actions;
pub mod artifacts;
pub mod background;
pub mod calls;
pub mod chain;
pub mod concurrent;
pub mod device;
pub mod error;
pub mod follower;
pub mod keys;
pub mod memory;
pub mod peer;
pub mod specs;
pub mod store;
pub mod submitter;
pub mod upkeep;
pub mod views;
pub mod wire;

pub use actions::Actions;
pub use background::Background;
pub use chain::{Chain, ChainError, Snapshot};
pub use error::DaemonError;
pub use keys::{Account, KeyError, Keypair};
pub use peer::{Peer, PeerConfig, PeerError};
pub use specs::Specs;
pub use submitter::{SubmitError, Submitter};
pub use upkeep::Upkeep;
