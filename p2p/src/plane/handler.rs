//! Who answers control requests.

use std::{
	future::Future,
	sync::{Arc, PoisonError, RwLock},
};

use futures::future::BoxFuture;
use libp2p::PeerId;

use crate::{
	wire::control::{ControlReply, Refusal},
	MAX_CONTROL_REPLY,
};

/// Answers control requests. The peer id is authenticated. Implemented by every
/// `async fn(PeerId, Vec<u8>) -> Result<Vec<u8>, Refusal>`.
pub trait ControlHandler: Send + Sync + 'static {
	/// Answers `request`, which has at most [`MAX_CONTROL_REQUEST`](crate::MAX_CONTROL_REQUEST) bytes, with at most
	/// [`MAX_CONTROL_REPLY`] bytes. Dropped when it takes longer than the configured timeout.
	fn handle(&self, peer: PeerId, request: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, Refusal>>;
}

impl<F, Answer> ControlHandler for F
where
	F: Fn(PeerId, Vec<u8>) -> Answer + Send + Sync + 'static,
	Answer: Future<Output = Result<Vec<u8>, Refusal>> + Send + 'static,
{
	fn handle(&self, peer: PeerId, request: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, Refusal>> {
		Box::pin(self(peer, request))
	}
}

/// The registered handler, if any; replaceable while the data plane runs.
#[derive(Clone, Default)]
pub(super) struct HandlerSlot(Arc<RwLock<Option<Arc<dyn ControlHandler>>>>);

impl HandlerSlot {
	pub(super) fn get(&self) -> Option<Arc<dyn ControlHandler>> {
		self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
	}

	pub(super) fn set(&self, handler: Arc<dyn ControlHandler>) {
		*self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(handler);
	}
}

/// The reply for a handler's answer; `None` if it ran out of time. An overlong answer is our own fault, so it becomes a
/// refusal instead of a breach of protocol.
pub(super) fn reply_from(answer: Option<Result<Vec<u8>, Refusal>>) -> ControlReply {
	match answer {
		None => ControlReply::TimedOut,
		Some(Ok(bytes)) if bytes.len() > MAX_CONTROL_REPLY => {
			tracing::error!(len = bytes.len(), "the handler's answer is too long; serve it as a blob");
			ControlReply::Refused(Refusal::new(0, "the answer is longer than a control reply may be"))
		}
		Some(Ok(bytes)) => ControlReply::Answer(bytes),
		Some(Err(refusal)) => ControlReply::Refused(Refusal::new(refusal.code, refusal.reason)),
	}
}
