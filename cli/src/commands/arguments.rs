//! Arguments that several commands share.

use assay_agent::{keys::Account, Keypair, PeerConfig};
use assay_cli::{keys, units, Error};
use assay_protocol::Balance;
use std::path::PathBuf;

/// The key to sign with.
#[derive(clap::Args)]
pub(super) struct Key {
	/// Key to sign with: @FILE as `assay account new` makes it, or on a development chain a name such as //Alice. A phrase itself
	/// works too, but every process of this machine can read it there.
	#[arg(long, env = "ASSAY_KEY", hide_env_values = true, value_name = "KEY")]
	key: String,
}

impl Key {
	pub(super) fn load(&self) -> Result<Keypair, Error> {
		Ok(keys::load(&self.key)?)
	}
}

/// An account: an SS58 address, or a key to derive it from.
pub(super) fn account(text: &str) -> Result<Account, Error> {
	Ok(keys::account(text)?)
}

/// Parses an amount for clap.
pub(super) fn amount(text: &str) -> Result<Balance, String> {
	units::parse_amount(text).map_err(|error| error.to_string())
}

/// Where a program keeps its state.
pub(super) fn folder(given: &Option<PathBuf>, role: &str) -> PathBuf {
	match given {
		Some(folder) => folder.clone(),
		None => std::env::var_os("HOME").map_or_else(PathBuf::new, PathBuf::from).join(".assay").join(role),
	}
}

/// How others reach this program.
#[derive(clap::Args)]
pub(super) struct Reach {
	/// Address to listen on, such as /ip4/0.0.0.0/udp/4201/quic-v1; may be repeated. The default is of this machine only:
	/// /ip4/127.0.0.1/udp/PORT/quic-v1 with port 4101 for a client, 4201 for a provider, 4301 for a verifier.
	#[arg(long, value_name = "MULTIADDR")]
	listen: Vec<String>,
	/// Address to publish instead, such as that of a forwarded port; may be repeated: the chain lists the first that fits, peers
	/// learn all.
	#[arg(long, value_name = "MULTIADDR")]
	announce: Vec<String>,
}

impl Reach {
	pub(super) fn config(&self, node: &str, keypair: Keypair, folder: PathBuf, port: u16) -> PeerConfig {
		let listen = match self.listen.is_empty() {
			true => vec![format!("/ip4/127.0.0.1/udp/{port}/quic-v1")],
			false => self.listen.clone(),
		};
		PeerConfig { node: node.into(), keypair, folder, listen, announce: self.announce.clone() }
	}
}

/// Resolves at the first interrupt or termination signal.
pub(super) async fn interrupted() {
	use tokio::signal::unix::{signal, SignalKind};
	let terminated = async {
		match signal(SignalKind::terminate()) {
			Ok(mut signal) => {
				signal.recv().await;
			}
			Err(_) => std::future::pending().await,
		}
	};
	tokio::select! {
		_ = tokio::signal::ctrl_c() => {},
		() = terminated => {},
	}
}
