//! The verifier daemon.
