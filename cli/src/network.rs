//! Connecting to a node, or saying soon that there is none.

use assay_agent::{Chain, ChainError};
use std::time::Duration;
use tokio::net::TcpStream;

/// How long the node may take to accept a connection.
const PROBE: Duration = Duration::from_secs(5);
/// How long the node may take to describe itself.
const DESCRIBE: Duration = Duration::from_secs(30);

/// Connects to the node at `url`. [`Chain::connect`] alone waits for a node that is not there yet, as a daemon wants; a command's
/// user wants to know.
///
/// # Errors
/// [`ChainError::Unreachable`].
pub async fn connect(url: &str) -> Result<Chain, ChainError> {
	probe(url).await?;
	let slow = |_| unreachable(url, "it accepts connections, but does not answer");
	tokio::time::timeout(DESCRIBE, Chain::connect(url)).await.map_err(slow)?
}

/// Whether something accepts connections at `url`.
///
/// # Errors
/// [`ChainError::Unreachable`].
pub async fn probe(url: &str) -> Result<(), ChainError> {
	let address = address(url).ok_or_else(|| unreachable(url, "not an address such as ws://127.0.0.1:9944"))?;
	match tokio::time::timeout(PROBE, TcpStream::connect(address)).await {
		Ok(Ok(_)) => Ok(()),
		Ok(Err(error)) => Err(unreachable(url, &error.to_string())),
		Err(_) => Err(unreachable(url, "no answer in time")),
	}
}

fn unreachable(url: &str, reason: &str) -> ChainError {
	ChainError::Unreachable { url: url.into(), reason: reason.into() }
}

/// Host and port of a WebSocket address.
fn address(url: &str) -> Option<String> {
	let (scheme, rest) = url.split_once("://")?;
	let default_port = match scheme {
		"ws" => 80,
		"wss" => 443,
		_ => return None,
	};
	let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
	let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
	Some(if has_port { host.into() } else { format!("{host}:{default_port}") })
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn addresses_are_taken_apart() {
		assert_eq!(address("ws://127.0.0.1:9944").as_deref(), Some("127.0.0.1:9944"));
		assert_eq!(address("wss://node.example/rpc?x").as_deref(), Some("node.example:443"));
		assert_eq!(address("ws://[::1]:9944/").as_deref(), Some("[::1]:9944"));
		assert_eq!(address("http://127.0.0.1"), None);
		assert_eq!(address("127.0.0.1:9944"), None);
	}
}
