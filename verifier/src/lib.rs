//! The verifier daemon: re-executes the segments it is drawn for, and accuses where it finds another state.
//!
//! As the worker, it looks at every newest finalised state and derives from it alone what ought to happen.
//!
//! - [`checks`]: which checks run, how far each is, and which are not wanted any more;
//! - [`check`]: fetches a pre-state, proves it against the commitment, executes the segment, remembers the answer;
//! - [`rounds`]: commits blind, reveals, and moves rounds on that a worker lets lie;
//! - [`accusation`]: plays the challenger's side of disputes;
//! - [`serving`]: hands verified states on, so that a job outlives its worker;
//! - `upkeep`: removes blobs that no job needs any more.

pub mod accusation;
#[cfg(feature = "adversary")]
pub mod adversary;
pub mod check;
pub mod checks;
pub mod config;
pub mod error;
pub mod rounds;
pub mod service;
pub mod serving;
mod upkeep;

pub use config::VerifierConfig;
pub use error::VerifierError;
pub use service::run;
