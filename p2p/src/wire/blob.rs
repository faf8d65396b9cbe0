//! Messages of the blob protocol.

use codec::{DecodeAll, Encode};
use libp2p::StreamProtocol;

use super::Violation;
use crate::ranges::{GroupRange, MAX_ENCODED_BYTES};

/// Name of the protocol in stream negotiation.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/assay/blob/1");
/// Longest frame from the reader.
pub(crate) const MAX_REQUEST_BYTES: usize = 64;
/// Longest frame from the provider: an encoded range with its tag and length.
pub(crate) const MAX_REPLY_BYTES: usize = MAX_ENCODED_BYTES + 16;

/// From the reader to the provider.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode)]
pub(crate) enum BlobRequest {
	/// First frame of a stream: which blob it is about.
	#[codec(index = 0)]
	Open([u8; 32]),
	/// Any later frame: send this range.
	#[codec(index = 1)]
	Read(GroupRange),
}

/// From the provider to the reader: one for each request, in order.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode)]
pub(crate) enum BlobReply {
	/// The blob is here and has this many bytes. Not to be believed before the last group is verified.
	#[codec(index = 0)]
	Opened(u64),
	/// The range, encoded with its proof.
	#[codec(index = 1)]
	Range(Vec<u8>),
	/// No, and the stream ends here.
	#[codec(index = 2)]
	Refused(BlobRefusal),
}

/// Why a provider does not serve a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, codec::Encode, codec::Decode, thiserror::Error)]
pub enum BlobRefusal {
	/// The access policy says no. Says nothing about whether the provider has the blob.
	#[codec(index = 0)]
	#[error("this peer may not read the blob")]
	NotAllowed,
	/// The provider does not have the blob.
	#[codec(index = 1)]
	#[error("the provider does not have the blob")]
	NotFound,
	/// Too many streams are open. Try again later.
	#[codec(index = 2)]
	#[error("the provider is busy")]
	Busy,
	/// The provider cannot read its own copy.
	#[codec(index = 3)]
	#[error("the provider cannot read its copy of the blob")]
	Unavailable,
}

/// Decodes a whole frame.
pub(crate) fn decode<T: DecodeAll>(frame: &[u8], what: &'static str) -> Result<T, Violation> {
	T::decode_all(&mut &frame[..]).map_err(|_| Violation::Malformed(what))
}

/// Encodes a frame.
pub(crate) fn encode(message: &impl Encode) -> Vec<u8> {
	message.encode()
}

#[cfg(test)]
mod tests {
	use proptest::prelude::*;

	use super::*;

	#[test]
	fn the_documented_bytes_are_sent() {
		let open = encode(&BlobRequest::Open([0xab; 32]));
		assert_eq!((open[0], open.len()), (0, 33));
		let read = encode(&BlobRequest::Read(GroupRange { first: 0x0102, count: 3 }));
		assert_eq!(read, [1, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
		assert_eq!(encode(&BlobReply::Opened(5)), [0, 5, 0, 0, 0, 0, 0, 0, 0]);
		assert_eq!(encode(&BlobReply::Range(vec![9])), [1, 4, 9]);
		assert_eq!(encode(&BlobReply::Refused(BlobRefusal::Busy)), [2, 2]);
	}

	proptest! {
		#[test]
		fn any_frame_decodes_or_is_a_violation(frame: Vec<u8>) {
			if let Ok(request) = decode::<BlobRequest>(&frame, "request") {
				prop_assert_eq!(encode(&request), frame.clone());
			}
			let _ = decode::<BlobReply>(&frame, "reply");
		}
	}
}
