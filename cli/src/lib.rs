//! Client SDK of Assay: what the command line does, as functions.
//!
//! | Module | Content |
//! |---|---|
//! | [`job_file`] | YAML job files, and the program, data and specification made of them |
//! | [`estimate`] | cost and detection probability of a job, and [who could take it](bidders) |
//! | [`post`] | posts a job exactly once, serves its blobs, keeps its verified states |
//! | [`watch`], [`history`] | what happens to a job, live and looking back |
//! | [`explain`] | why a job is where it is; what a reason code means |
//! | [`receipt`] | checkable records of closed jobs |
//! | [`states`], [`safetensors`] | fetching a result, checking, evaluating and writing it |
//! | [`conformance`] | whether this machine computes the right bits |
//! | [`network`], [`clock`] | connecting to a node; its times as blocks |
//! | [`keys`] | key files, and the accounts that texts name |
//! | [`operator`] | what a worker or verifier earned, lost and missed |
//! | [`timing`] | how long a job takes on a machine like this one |
//! | [`units`] | amounts of money as text |

pub mod bidders;
pub mod clock;
pub mod conformance;
mod error;
pub mod estimate;
pub mod explain;
pub mod history;
pub mod job_file;
pub mod keys;
mod memory;
pub mod network;
pub mod operator;
pub mod post;
pub mod receipt;
pub mod safetensors;
pub mod states;
mod suggestion;
#[cfg(test)]
mod tests_support;
pub mod timing;
pub mod units;
pub mod watch;

pub use error::Error;
