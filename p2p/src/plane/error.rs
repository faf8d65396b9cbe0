//! What can go wrong between peers, except for fetches.

use libp2p::Multiaddr;

use crate::Refusal;

/// Why a data plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// A transport could not be set up.
	#[error("cannot set up the {transport} transport: {reason}")]
	Transport {
		/// Which one.
		transport: &'static str,
		/// What it said.
		reason: String,
	},
	/// An address cannot be listened on: it is malformed, not ours, or its port is taken.
	#[error("cannot listen on {address}: {reason}")]
	Listen {
		/// The configured address.
		address: Multiaddr,
		/// What the transport said.
		reason: String,
	},
	/// No listening address became available in time.
	#[error("the listening addresses did not become available in time")]
	ListenTimeout,
}

/// Why there is no connection with a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
	/// No address could be reached, or somebody else answered.
	#[error("cannot reach the peer: {0}")]
	Unreachable(String),
	/// The peer broke the protocol lately. The ban ends by itself.
	#[error("the peer is banned for a breach of protocol")]
	Banned,
	/// No connection within the dial timeout.
	#[error("dialing timed out")]
	Timeout,
	/// The data plane is shutting down.
	#[error("the data plane is shut down")]
	Shutdown,
}

/// Why a control request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
	/// The request is longer than [`MAX_CONTROL_REQUEST`](crate::MAX_CONTROL_REQUEST). Move the data into a blob.
	#[error("the request has {0} bytes, more than a control request may have")]
	TooLarge(usize),
	/// There is no connection to send it on.
	#[error(transparent)]
	Dial(#[from] DialError),
	/// The handler of the peer refused.
	#[error(transparent)]
	Refused(Refusal),
	/// The peer handles too many requests. Try again later.
	#[error("the peer is busy")]
	Busy,
	/// The peer has no handler, or does not speak the protocol.
	#[error("the peer does not handle control requests")]
	Unsupported,
	/// The handler of the peer gave up.
	#[error("the handler of the peer took too long")]
	HandlerTimeout,
	/// No answer in the time that the caller allowed. The peer may or may not have acted on the request.
	#[error("no answer in time")]
	Timeout,
	/// The connection ended before the answer. The peer may or may not have acted on the request.
	#[error("the connection failed: {0}")]
	Connection(String),
	/// The answer broke the protocol; the peer was banned.
	#[error("the answer broke the protocol: {0}")]
	Violation(#[from] crate::Violation),
	/// The data plane is shutting down.
	#[error("the data plane is shut down")]
	Shutdown,
}
