//! Boundaries: salted state roots at segment ends.
//!
//! The salt keeps the next answer hidden from verifiers until the worker opens it. Boundary `i` is the state after
//! segment `i - 1`; boundary 0 is the initial state, public, and has no salted form.

use codec::Encode;

use crate::{domains::Domain, Hash};

/// Boundary `index` of a job: `keyed_hash(salt, "assay/v1/boundary" || job || index || state_root)`.
pub fn boundary(salt: &Hash, job: u64, index: u32, state_root: &Hash) -> Hash {
	let mut hasher = blake3::Hasher::new_keyed(salt);
	hasher.update(Domain::Boundary.context().as_bytes());
	hasher.update(&(job, index).encode()).update(state_root);
	*hasher.finalize().as_bytes()
}

/// A salt for boundary `index` from the worker's secret. Anyone who knows one salt learns nothing about the others.
pub fn derive_salt(secret: &Hash, job: u64, index: u32) -> Hash {
	let mut hasher = blake3::Hasher::new_keyed(secret);
	hasher.update(b"assay/v1/salt").update(&(job, index).encode());
	*hasher.finalize().as_bytes()
}
