//! Hands verified states on.

use crate::check::Answers;
use assay_agent::{
	wire::{refusal, Reply, Request},
	Peer,
};
use assay_p2p::{BlobHash, PeerId, Refusal};
use codec::{DecodeAll, Encode};

/// Answers control requests of clients and workers.
#[derive(Clone)]
pub struct Serving {
	peer: Peer,
	answers: Answers,
}

impl Serving {
	/// Over the daemon's parts.
	pub fn new(peer: Peer, answers: Answers) -> Self {
		Self { peer, answers }
	}

	/// Answers one request.
	///
	/// # Errors
	/// A typed refusal.
	pub async fn answer(self, _: PeerId, bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
		let try_again = |error: &dyn std::fmt::Display| Refusal::new(refusal::TRY_AGAIN, error.to_string());
		let not_here = |reason: &str| Refusal::new(refusal::NOT_HERE, reason);
		let request = Request::decode_all(&mut &bytes[..])
			.map_err(|_| Refusal::new(refusal::MALFORMED, "not a request of this protocol version"))?;
		let Request::Verified { job, root } = request else {
			return Err(not_here("a verifier serves verified states only; ask the worker"));
		};
		let snapshot = self.peer.chain.finalized().await.map_err(|error| try_again(&error))?;
		let record =
			snapshot.job(job).await.map_err(|error| try_again(&error))?.ok_or_else(|| not_here("no such job"))?;
		if record.verified.root != root {
			return Err(Refusal::new(
				refusal::NOT_ENTITLED,
				"only the state that the chain has verified last is public",
			));
		}
		let checkpoint = self
			.answers
			.state_of(job, &root)
			.map_err(|error| try_again(&error))?
			.ok_or_else(|| not_here("this verifier did not check the segment that ends in that state"))?;
		self.peer.grants.publish(BlobHash::from(checkpoint));
		Ok(Reply::Verified { checkpoint }.encode())
	}
}
