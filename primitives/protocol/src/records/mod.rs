//! What the pallets store, as plain types: the chain writes them, the daemons read them.

pub mod disputes;
pub mod market;
pub mod operators;
pub mod verification;
