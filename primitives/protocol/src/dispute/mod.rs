//! A dispute between the worker of a segment (defender) and a verifier (challenger) as a pure state machine.
//!
//! Both agree on the state before the segment; they differ on the state after it. The defender reveals hashes of its own
//! computation inside the disputed range, the challenger names the first part that it computed differently, until one
//! micro-operation on agreed inputs, or one leaf of the state after a step, is left. The referee executes that and rules.
//!
//! ```text
//! steps ──> one step ──> trace of the step ──> one op ──> output tensor ──> one chunk ──> links ──> micro-operation
//!                                         └──> state after the step ──> one tensor of it, or its counters
//! ```
//!
//! [`step`] takes the moves, [`rule`] the evidence at the leaf, [`time_out`] ends a dispute whose side to move is silent.
//! Block numbers count only blocks in which users could transact; the caller leaves out pauses and migrations.

mod leaf;
mod moves;
pub mod player;
mod state;
#[cfg(test)]
mod tests;

pub use leaf::{rule, RuleError, MAX_EVIDENCE};
pub use moves::{step, time_out};
pub use state::{
	points, ChunkClaim, Clocks, Context, Descent, DisputeState, Ground, LeafClaim, LinkSpan, Move, OpClaim, Outcome,
	Phase, Points, Proof, Revealed, Side, StepClaim, StepSpan, TraceClaim,
};
