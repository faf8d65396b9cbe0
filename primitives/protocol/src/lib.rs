//! Protocol rules as pure functions: no FRAME, no I/O.
//!
//! The chain, the daemons, the simulator and the fuzzers call the same code. Words are those of `docs/protocol.md`.
//!
//! | Module | Rules |
//! |---|---|
//! | [`job`], [`plan`] | the order, its validation, its division into segments, milestones and payments, clearing |
//! | [`economics`] | detection probability, collateral, slashes |
//! | [`sampling`] | which segments are checked, and by whom |
//! | [`round`] | one milestone's verification |
//! | [`holding`] | proof that a worker holds a state |
//! | [`dispute`] | from a disputed segment to one micro-operation, and players for both sides |
//! | [`reason`] | why something was closed, refused, slashed or decided |
//! | [`parameters`], [`records`], [`interfaces`] | tunable numbers, what pallets store, how they reach each other |
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bounded;
pub mod dispute;
pub mod economics;
pub mod holding;
pub mod interfaces;
pub mod job;
pub mod parameters;
pub mod plan;
pub mod reason;
pub mod records;
pub mod round;
pub mod sampling;

pub use reason::Reason;

/// Money, in the chain's smallest unit (10^-12 UNIT).
pub type Balance = u128;
/// Chain time, blocks.
pub type BlockNumber = u32;
/// A job's number, counted from 0 by the chain.
pub type JobId = u64;
/// A milestone's index in its job, from 0.
pub type MilestoneIndex = u32;
/// A segment's index in its job, from 0.
pub type SegmentIndex = u32;
/// BLAKE3 output.
pub type Hash = [u8; 32];
