//! One file per call, on a chain of real pallets with a real program.

mod court;
mod play;
mod submit_evidence;
mod timeout;
