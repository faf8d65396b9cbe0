//! Runs programs: steps, checkpoints, traces.
