//! One blob stream, from the reader's side.

use std::{future::Future, io, time::Duration};

use libp2p::Stream;

use super::ProviderError;
use crate::{
	ranges::{Geometry, GroupRange},
	wire::{
		blob::{self, BlobReply, BlobRequest},
		frame::{read_frame, write_frame, FrameError},
	},
	BlobHash, DataPlane, Provider, Violation,
};

/// An open blob stream. Requests may be sent ahead; ranges arrive in the order they were asked for.
pub(super) struct Session {
	stream: Stream,
	transfer: Duration,
	/// The length that the provider claims, which is within bounds but proves nothing.
	pub(super) claimed: Geometry,
}

impl Session {
	/// Connects to `provider` and opens `hash` there.
	pub(super) async fn open(plane: &DataPlane, provider: &Provider, hash: BlobHash) -> Result<Self, ProviderError> {
		let timeouts = &plane.config().timeouts;
		plane.dial(provider).await?;
		let open = async {
			let stream = plane.open_blob_stream(provider.peer).await;
			let mut stream = stream.map_err(|error| match error {
				libp2p_stream::OpenStreamError::UnsupportedProtocol(_) => ProviderError::Unsupported,
				libp2p_stream::OpenStreamError::Io(error) => ProviderError::Connection(error),
				error => ProviderError::Connection(io::Error::other(error.to_string())),
			})?;
			let request = blob::encode(&BlobRequest::Open(hash.into()));
			write_frame(&mut stream, &request).await.map_err(ProviderError::Connection)?;
			match receive(&mut stream).await? {
				BlobReply::Opened(len) => {
					let claimed = Geometry::new(len).ok_or(Violation::Malformed("blob length above the limit"))?;
					Ok(Self { stream, transfer: timeouts.transfer, claimed })
				}
				BlobReply::Refused(refusal) => Err(refusal.into()),
				BlobReply::Range(_) => Err(Violation::Malformed("a range before it was asked for").into()),
			}
		};
		within(timeouts.open, open).await
	}

	/// Asks for a range.
	pub(super) async fn ask(&mut self, range: GroupRange) -> Result<(), ProviderError> {
		let request = blob::encode(&BlobRequest::Read(range));
		let send = async { write_frame(&mut self.stream, &request).await.map_err(ProviderError::Connection) };
		within(self.transfer, send).await
	}

	/// Receives the encoding of the next range that was asked for.
	pub(super) async fn receive(&mut self) -> Result<Vec<u8>, ProviderError> {
		match within(self.transfer, receive(&mut self.stream)).await? {
			BlobReply::Range(encoded) => Ok(encoded),
			BlobReply::Refused(refusal) => Err(refusal.into()),
			BlobReply::Opened(_) => Err(Violation::Malformed("a blob stream is opened once").into()),
		}
	}
}

async fn receive(stream: &mut Stream) -> Result<BlobReply, ProviderError> {
	match read_frame(stream, blob::MAX_REPLY_BYTES).await {
		Ok(Some(frame)) => Ok(blob::decode(&frame, "blob reply")?),
		Ok(None) => Err(ProviderError::Connection(io::ErrorKind::UnexpectedEof.into())),
		Err(FrameError::Io(error)) => Err(ProviderError::Connection(error)),
		Err(FrameError::Violation(violation)) => Err(violation.into()),
	}
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
	tokio::time::timeout(limit, work).await.unwrap_or(Err(ProviderError::Timeout))
}
