//! Blind commitments: a verifier fixes its answer before the worker or a colleague shows theirs.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{domains::Domain, Hash};

/// A verifier's answer for one segment. It names the verifier, so a copied commitment cannot be revealed by another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct BlindAnswer {
	/// Account of the verifier.
	pub verifier: [u8; 32],
	/// Random, and secret until the reveal.
	pub nonce: Hash,
	/// The job.
	pub job: u64,
	/// The milestone in the job.
	pub milestone: u32,
	/// The segment, counted from 0 over the job.
	pub segment: u32,
	/// State root that the verifier started from.
	pub pre_root: Hash,
	/// State root that the verifier computed.
	pub post_root: Hash,
}

impl BlindAnswer {
	/// The hash to post first: `H(blind, fields in order, SCALE encoded)`.
	pub fn commitment(&self) -> Hash {
		Domain::Blind.hash(&[&self.encode()])
	}
}
