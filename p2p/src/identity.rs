//! Who a peer is: an ed25519 key, whose public half operators publish on chain.

use std::{
	fs, io,
	path::{Path, PathBuf},
};

use libp2p::{
	identity::{ed25519, Keypair, PublicKey},
	PeerId,
};

/// The ed25519 key pair that authenticates this peer on every connection.
#[derive(Clone)]
pub struct Identity(Keypair);

/// Why an identity could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
	/// The file could not be read or written.
	#[error("identity file {path}: {source}", path = path.display())]
	Io {
		/// The identity file.
		path: PathBuf,
		/// What the operating system answered.
		source: io::Error,
	},
	/// The file is not 64 hexadecimal digits. Restore it from a backup: a new key would change the published peer id.
	#[error("identity file {path} must hold a 32-byte seed as 64 hexadecimal digits", path = .0.display())]
	Malformed(PathBuf),
	/// The 32 bytes are not a point of the ed25519 curve.
	#[error("not an ed25519 public key")]
	InvalidPublicKey,
}

impl Identity {
	/// The identity that a 32-byte ed25519 seed defines: the same seed always gives the same peer id.
	pub fn from_seed(seed: [u8; 32]) -> Self {
		let keypair = Keypair::ed25519_from_bytes(seed).expect("every 32-byte string is an ed25519 seed; qed");
		Self(keypair)
	}

	/// Reads the seed from `path`; if there is no such file, draws a seed and writes it there, readable by the owner only.
	pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, IdentityError> {
		let path = path.as_ref();
		let failed = |source| IdentityError::Io { path: path.to_owned(), source };
		match fs::read_to_string(path) {
			Ok(text) => {
				let seed =
					blake3::Hash::from_hex(text.trim()).map_err(|_| IdentityError::Malformed(path.to_owned()))?;
				Ok(Self::from_seed(*seed.as_bytes()))
			}
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				let mut seed = [0u8; 32];
				seed.copy_from_slice(ed25519::SecretKey::generate().as_ref());
				write_private(path, blake3::Hash::from_bytes(seed).to_hex().as_bytes()).map_err(failed)?;
				Ok(Self::from_seed(seed))
			}
			Err(error) => Err(failed(error)),
		}
	}

	/// The name of this peer on the network.
	pub fn peer_id(&self) -> PeerId {
		self.0.public().to_peer_id()
	}

	/// The 32-byte ed25519 public key to publish on chain.
	pub fn public(&self) -> [u8; 32] {
		let public = self.0.public().try_into_ed25519();
		public.expect("the key pair is built as ed25519 only; qed").to_bytes()
	}

	pub(crate) fn keypair(&self) -> Keypair {
		self.0.clone()
	}
}

impl std::fmt::Debug for Identity {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_tuple("Identity").field(&self.peer_id()).finish()
	}
}

/// The peer id of a 32-byte ed25519 public key, as found on chain.
pub fn peer_id_of(public: &[u8; 32]) -> Result<PeerId, IdentityError> {
	let public = ed25519::PublicKey::try_from_bytes(public).map_err(|_| IdentityError::InvalidPublicKey)?;
	Ok(PublicKey::from(public).to_peer_id())
}

/// Writes to a sibling and renames, so that a crash leaves the old file or the whole new one.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
	use std::io::Write;
	if let Some(parent) = path.parent() {
		fs::create_dir_all(parent)?;
	}
	let mut options = fs::OpenOptions::new();
	options.write(true).create(true).truncate(true);
	#[cfg(unix)]
	{
		use std::os::unix::fs::OpenOptionsExt;
		options.mode(0o600);
	}
	let draft = path.with_extension("draft");
	let mut file = options.open(&draft)?;
	file.write_all(bytes)?;
	file.sync_all()?;
	fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn seed_determines_the_peer_id() {
		let one = Identity::from_seed([1; 32]);
		assert_eq!(one.peer_id(), Identity::from_seed([1; 32]).peer_id());
		assert_ne!(one.peer_id(), Identity::from_seed([2; 32]).peer_id());
		assert_eq!(peer_id_of(&one.public()).unwrap(), one.peer_id());
	}

	#[test]
	fn identity_file_is_created_once_and_kept() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("keys/identity");
		let created = Identity::load_or_create(&path).unwrap();
		assert_eq!(Identity::load_or_create(&path).unwrap().peer_id(), created.peer_id());
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		}
		fs::write(&path, "abcd").unwrap();
		assert!(matches!(Identity::load_or_create(&path), Err(IdentityError::Malformed(_))));
	}
}
