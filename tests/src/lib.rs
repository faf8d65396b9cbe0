//! End-to-end and adversarial tests over real processes.
