//! Messages of the control protocol and their codec.

use std::{io, sync::Arc};

use codec::{DecodeAll, Encode};
use futures::{AsyncRead, AsyncWrite};
use libp2p::{request_response, StreamProtocol};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
	frame::{read_body, read_frame, read_len, write_frame, FrameError},
	Violation,
};

/// Name of the protocol in stream negotiation.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/assay/control/1");
/// Longest request, in bytes.
pub const MAX_CONTROL_REQUEST: usize = 1 << 20;
/// Longest answer to a request, in bytes.
pub const MAX_CONTROL_REPLY: usize = 4 << 20;
/// Longest reason text of a [`Refusal`], in bytes; a longer one is cut.
pub const MAX_REASON_BYTES: usize = 256;
/// Room for the tag and the length of an answer.
const REPLY_OVERHEAD: usize = 16;
/// Requests up to this length take no part of the budget: streams are bounded, so they cannot add up, and strangers who fill
/// the budget with long ones do not hold them up.
const SMALL_REQUEST: usize = 1024;
/// Unit in which memory for requests is accounted.
const BUDGET_UNIT: usize = 1024;

/// A handler's answer when it will not do what was asked. The code is a typed reason of the protocol that the upper
/// layer runs, with a text for people.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode, thiserror::Error)]
#[error("refused with code {code}: {reason}")]
pub struct Refusal {
	/// Reason code of the upper layer.
	pub code: u32,
	/// What happened and what to do.
	pub reason: String,
}

impl Refusal {
	/// A refusal; `reason` is cut at [`MAX_REASON_BYTES`].
	pub fn new(code: u32, reason: impl Into<String>) -> Self {
		let mut reason = reason.into();
		let end = (0..=MAX_REASON_BYTES.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
		reason.truncate(end.unwrap_or(0));
		Self { code, reason }
	}
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode)]
pub(crate) enum ControlReply {
	/// What the handler answered.
	#[codec(index = 0)]
	Answer(Vec<u8>),
	/// The handler refused.
	#[codec(index = 1)]
	Refused(Refusal),
	/// Too many requests are being handled.
	#[codec(index = 2)]
	Busy,
	/// No handler is registered.
	#[codec(index = 3)]
	NoHandler,
	/// The handler took too long.
	#[codec(index = 4)]
	TimedOut,
}

/// A request as read from, or written to, the wire.
#[derive(Debug)]
pub(crate) enum ControlRequest {
	/// The bytes of the upper layer.
	Message {
		/// The request.
		bytes: Vec<u8>,
		/// Memory that this request holds until it is answered; none for small ones and for our own.
		budget: Option<OwnedSemaphorePermit>,
	},
	/// The peer broke the protocol. Reported as a message because the behaviour swallows read errors.
	Violation(Violation),
}

/// Reads and writes the frames of the control protocol. Clones share one memory budget for requests.
#[derive(Clone, Debug)]
pub(crate) struct ControlCodec {
	budget: Arc<Semaphore>,
}

impl ControlCodec {
	/// A codec that holds at most `budget_bytes` of unanswered requests of all peers together; reading waits for room.
	pub(crate) fn new(budget_bytes: usize) -> Self {
		Self { budget: Arc::new(Semaphore::new(budget_bytes.max(MAX_CONTROL_REQUEST).div_ceil(BUDGET_UNIT))) }
	}
}

impl request_response::Codec for ControlCodec {
	type Protocol = StreamProtocol;
	type Request = ControlRequest;
	type Response = Result<ControlReply, Violation>;

	async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<ControlRequest>
	where
		T: AsyncRead + Unpin + Send,
	{
		let len = match read_len(io, MAX_CONTROL_REQUEST).await {
			Ok(Some(len)) => len,
			// An honest peer may give up between opening the stream and writing to it.
			Ok(None) => return Err(io::ErrorKind::UnexpectedEof.into()),
			Err(FrameError::Violation(violation)) => return Ok(ControlRequest::Violation(violation)),
			Err(FrameError::Io(error)) => return Err(error),
		};
		let mut budget = None;
		if len > SMALL_REQUEST {
			let units = len.div_ceil(BUDGET_UNIT) as u32;
			budget = Some(self.budget.clone().acquire_many_owned(units).await.map_err(io::Error::other)?);
		}
		let bytes = read_body(io, len).await?;
		Ok(ControlRequest::Message { bytes, budget })
	}

	async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Self::Response>
	where
		T: AsyncRead + Unpin + Send,
	{
		match read_frame(io, MAX_CONTROL_REPLY + REPLY_OVERHEAD).await {
			Ok(Some(frame)) => Ok(decode_reply(&frame)),
			Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
			Err(FrameError::Violation(violation)) => Ok(Err(violation)),
			Err(FrameError::Io(error)) => Err(error),
		}
	}

	async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: ControlRequest) -> io::Result<()>
	where
		T: AsyncWrite + Unpin + Send,
	{
		match request {
			ControlRequest::Message { bytes, .. } => write_frame(io, &bytes).await,
			ControlRequest::Violation(_) => Err(io::ErrorKind::InvalidInput.into()),
		}
	}

	async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, reply: Self::Response) -> io::Result<()>
	where
		T: AsyncWrite + Unpin + Send,
	{
		match reply {
			Ok(reply) => write_frame(io, &reply.encode()).await,
			Err(_) => Err(io::ErrorKind::InvalidInput.into()),
		}
	}
}

fn decode_reply(frame: &[u8]) -> Result<ControlReply, Violation> {
	let reply = ControlReply::decode_all(&mut &frame[..]).map_err(|_| Violation::Malformed("control reply"))?;
	match &reply {
		ControlReply::Refused(refusal) if refusal.reason.len() > MAX_REASON_BYTES => {
			Err(Violation::Malformed("refusal with an overlong reason"))
		}
		ControlReply::Answer(bytes) if bytes.len() > MAX_CONTROL_REPLY => {
			Err(Violation::Malformed("overlong control reply"))
		}
		_ => Ok(reply),
	}
}

#[cfg(test)]
mod tests {
	use proptest::prelude::*;

	use super::*;

	#[test]
	fn a_long_reason_is_cut_at_a_character() {
		let refusal = Refusal::new(10_001, "é".repeat(MAX_REASON_BYTES));
		assert_eq!(refusal.reason.len(), MAX_REASON_BYTES);
		assert!(decode_reply(&ControlReply::Refused(refusal).encode()).is_ok());
		let long = Refusal { code: 1, reason: "a".repeat(MAX_REASON_BYTES + 1) };
		assert!(decode_reply(&ControlReply::Refused(long).encode()).is_err());
	}

	proptest! {
		#[test]
		fn any_reply_frame_decodes_or_is_a_violation(frame: Vec<u8>) {
			let _ = decode_reply(&frame);
		}
	}
}
