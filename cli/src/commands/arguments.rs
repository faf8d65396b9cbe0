//! Arguments that several commands share.

use assay_agent::{
	keys::{parse_address, Account},
	KeyError, Keypair, PeerConfig,
};
use assay_cli::{units, Error};
use assay_protocol::Balance;
use std::path::{Path, PathBuf};

/// The key to sign with.
#[derive(clap::Args)]
pub(super) struct Key {
	/// Secret to sign with: a development name such as //Alice, a mnemonic or seed, or @FILE that holds one.
	#[arg(long, env = "ASSAY_KEY", hide_env_values = true, value_name = "SECRET")]
	key: String,
}

impl Key {
	pub(super) fn load(&self) -> Result<Keypair, Error> {
		Ok(match self.key.strip_prefix('@') {
			Some(path) => Keypair::from_file(Path::new(path))?,
			None => Keypair::from_uri(&self.key)?,
		})
	}
}

/// An account: an SS58 address, or a secret to derive it from.
pub(super) fn account(text: &str) -> Result<Account, Error> {
	match parse_address(text) {
		Ok(account) => Ok(account),
		Err(_) if text.starts_with("//") => Ok(Keypair::from_uri(text)?.account()),
		Err(_) => match text.strip_prefix('@') {
			Some(path) => Ok(Keypair::from_file(Path::new(path))?.account()),
			None => Err(KeyError::Malformed(format!("{text} is no account address")).into()),
		},
	}
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
	/// Folder for state, blobs and the data-plane identity [default: ~/.assay/ROLE].
	#[arg(long, value_name = "FOLDER")]
	pub(super) data_dir: Option<PathBuf>,
	/// Address to listen on, such as /ip4/0.0.0.0/udp/4201/quic-v1; may be repeated. The default serves this machine only.
	#[arg(long, value_name = "MULTIADDR")]
	listen: Vec<String>,
	/// Address to publish instead, such as that of a forwarded port; may be repeated.
	#[arg(long, value_name = "MULTIADDR")]
	announce: Vec<String>,
}

impl Reach {
	pub(super) fn config(&self, node: &str, keypair: Keypair, role: &str, port: u16) -> PeerConfig {
		let listen = match self.listen.is_empty() {
			true => vec![format!("/ip4/127.0.0.1/udp/{port}/quic-v1")],
			false => self.listen.clone(),
		};
		let folder = folder(&self.data_dir, role);
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
