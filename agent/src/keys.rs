//! Signing keys.

use std::{fs, io, path::Path, str::FromStr};
use subxt_signer::{sr25519, SecretUri};

/// An account's public key.
pub type Account = [u8; 32];

/// Errors of loading a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
	/// The secret URI is malformed.
	#[error("not a secret URI: {0}; use a mnemonic, a 0x seed, or a development name such as //Alice")]
	Malformed(String),
	/// The key file cannot be read.
	#[error("cannot read the key file {path}: {source}")]
	File {
		/// The file.
		path: String,
		/// What the system said.
		source: io::Error,
	},
}

/// An sr25519 signing key.
#[derive(Clone)]
pub struct Keypair(sr25519::Keypair);

impl Keypair {
	/// From a secret URI: a mnemonic, a hex seed, or a development name such as `//Alice`.
	///
	/// # Errors
	/// [`KeyError::Malformed`].
	pub fn from_uri(uri: &str) -> Result<Self, KeyError> {
		let uri = SecretUri::from_str(uri.trim()).map_err(|error| KeyError::Malformed(error.to_string()))?;
		sr25519::Keypair::from_uri(&uri).map(Self).map_err(|error| KeyError::Malformed(error.to_string()))
	}

	/// From a file that holds a secret URI.
	///
	/// # Errors
	/// [`KeyError`].
	pub fn from_file(path: &Path) -> Result<Self, KeyError> {
		let text =
			fs::read_to_string(path).map_err(|source| KeyError::File { path: path.display().to_string(), source })?;
		Self::from_uri(&text)
	}

	/// The account this key signs for.
	pub fn account(&self) -> Account {
		self.0.public_key().0
	}

	/// The account in SS58 text.
	pub fn address(&self) -> String {
		address(&self.account())
	}

	pub(crate) fn signer(&self) -> &sr25519::Keypair {
		&self.0
	}
}

/// An account in SS58 text, generic Substrate prefix.
pub fn address(account: &Account) -> String {
	subxt::utils::AccountId32(*account).to_string()
}

/// An account from SS58 text.
///
/// # Errors
/// [`KeyError::Malformed`].
pub fn parse_address(text: &str) -> Result<Account, KeyError> {
	subxt::utils::AccountId32::from_str(text).map(|id| id.0).map_err(|error| KeyError::Malformed(error.to_string()))
}
