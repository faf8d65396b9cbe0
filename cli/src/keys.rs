//! Signing keys: of a development account, or in a file that only its owner can read.

use assay_agent::{
	keys::{parse_address, Account},
	KeyError, Keypair,
};
use std::{
	fs::{DirBuilder, File, OpenOptions},
	io::{self, Write},
	os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
	path::{Path, PathBuf},
};
use subxt_signer::bip39::Mnemonic;

/// Bytes of randomness in a key: twelve words.
const ENTROPY: usize = 16;
/// Digits of a hexadecimal seed with its prefix: what is as long may be one, and is not repeated in messages.
const SEED_DIGITS: usize = 66;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
	/// The value of `--key`. It is not repeated: it may be a secret with a slip in it.
	#[error(
		"--key is not a key ({reason}); make one with `assay account new` and pass --key @FILE, or on a development chain \
		 use a name such as //Alice"
	)]
	Value {
		/// What is wrong.
		reason: String,
	},
	/// The file cannot be read.
	#[error("cannot read the key file {path}: {source}; `assay account new --out {path}` makes one")]
	Unreadable {
		/// The file.
		path: String,
		/// What the system said.
		source: io::Error,
	},
	/// The file holds something else.
	#[error("{path} holds no key ({reason}); a key file holds one line, the phrase that `assay account new` wrote")]
	Content {
		/// The file.
		path: String,
		/// What is wrong.
		reason: String,
	},
	/// The file is there already.
	#[error("{path} exists and is left as it is: it may be the only copy of a key; name another file with --out")]
	Exists {
		/// The file.
		path: String,
	},
	/// The file cannot be written.
	#[error("cannot write the key file {path}: {source}; name another file with --out")]
	Unwritable {
		/// The file.
		path: String,
		/// What the system said.
		source: io::Error,
	},
	/// No account.
	#[error(
		"{text} is no account; pass its address, which looks like 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY, @FILE with \
		 a key that `assay account new` made, or on a development chain a name such as //Alice"
	)]
	Account {
		/// What was written, if it cannot be a secret.
		text: String,
	},
}

/// The key that `--key` names: `@FILE`, or a secret itself such as `//Alice`.
///
/// # Errors
/// [`KeyProblem`].
pub fn load(text: &str) -> Result<Keypair, KeyProblem> {
	match text.strip_prefix('@') {
		Some(path) => from_file(&expanded(path)),
		None => Keypair::from_uri(text).map_err(|error| KeyProblem::Value { reason: reason(error) }),
	}
}

/// The account that a text names: an address, `@FILE` with a key, or a development name.
///
/// # Errors
/// [`KeyProblem`].
pub fn account(text: &str) -> Result<Account, KeyProblem> {
	if let Ok(account) = parse_address(text) {
		return Ok(account);
	}
	if text.starts_with("//") || text.starts_with('@') {
		return Ok(load(text)?.account());
	}
	let secret = text.trim().contains(char::is_whitespace) || text.len() >= SEED_DIGITS;
	let text = if secret { "this".into() } else { format!("`{text}`") };
	Err(KeyProblem::Account { text })
}

/// A path with a leading `~/` put in the home folder: shells leave it alone behind an `@`.
fn expanded(path: &str) -> PathBuf {
	match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
		(Some(rest), Some(home)) => Path::new(&home).join(rest),
		_ => path.into(),
	}
}

fn from_file(path: &Path) -> Result<Keypair, KeyProblem> {
	let shown = path.display().to_string();
	let keypair = Keypair::from_file(path).map_err(|error| match error {
		KeyError::File { source, .. } => KeyProblem::Unreadable { path: shown.clone(), source },
		other => KeyProblem::Content { path: shown.clone(), reason: reason(other) },
	})?;
	if path.metadata().is_ok_and(|data| data.permissions().mode() & 0o077 != 0) {
		tracing::warn!("other users of this machine may read the key file {shown}: chmod 600 {shown}");
	}
	Ok(keypair)
}

fn reason(error: KeyError) -> String {
	match error {
		KeyError::Malformed(reason) => reason,
		other => other.to_string(),
	}
}

/// A key that was made.
pub struct NewKey {
	/// The account that it signs for.
	pub keypair: Keypair,
	/// The secret: twelve words.
	pub phrase: String,
}

/// Makes a key and writes its phrase to a new file that only its owner can read. Missing folders are made.
///
/// # Errors
/// [`KeyProblem::Exists`], [`KeyProblem::Unwritable`].
pub fn create(path: &Path) -> Result<NewKey, KeyProblem> {
	let unwritable = |source| KeyProblem::Unwritable { path: path.display().to_string(), source };
	let phrase = Mnemonic::from_entropy(&rand::random::<[u8; ENTROPY]>())
		.map_err(|error| unwritable(io::Error::other(error)))?
		.to_string();
	let keypair = Keypair::from_uri(&phrase).map_err(|error| unwritable(io::Error::other(error)))?;
	if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
		DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable)?;
	}
	let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
	let file = file.map_err(|error| match error.kind() {
		io::ErrorKind::AlreadyExists => KeyProblem::Exists { path: path.display().to_string() },
		_ => unwritable(error),
	})?;
	write(file, &phrase).map_err(|error| {
		// Half a phrase is worth nothing, and would be in the way of the next attempt.
		let _ = std::fs::remove_file(path);
		unwritable(error)
	})?;
	Ok(NewKey { keypair, phrase })
}

fn write(mut file: File, phrase: &str) -> io::Result<()> {
	writeln!(file, "{phrase}")?;
	file.sync_all()
}

/// Where a key goes unless said otherwise: beside other settings of the user, not into the folders that belong to one chain.
pub fn default_path() -> PathBuf {
	let settings = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
	let settings = settings.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
	settings.unwrap_or_default().join("assay").join("account.key")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_new_key_is_private_and_loads_as_the_same_account() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("new/deep/my.key");
		let made = create(&path).unwrap();
		assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
		assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", made.phrase));
		assert_eq!(made.phrase.split(' ').count(), 12);
		let named = format!("@{}", path.display());
		assert_eq!(load(&named).unwrap().account(), made.keypair.account());
		assert_eq!(account(&named).unwrap(), made.keypair.account());
		assert_eq!(account(&made.keypair.address()).unwrap(), made.keypair.account());
	}

	#[test]
	fn no_two_keys_are_the_same_and_none_is_overwritten() {
		let folder = tempfile::tempdir().unwrap();
		let (one, two) = (folder.path().join("1"), folder.path().join("2"));
		let first = create(&one).unwrap();
		assert_ne!(first.keypair.account(), create(&two).unwrap().keypair.account());
		assert!(matches!(create(&one), Err(KeyProblem::Exists { .. })));
		assert_eq!(std::fs::read_to_string(&one).unwrap().trim(), first.phrase);
		let inside = create(&one.join("file")).err().unwrap();
		assert!(matches!(inside, KeyProblem::Unwritable { .. }), "{inside}");
	}

	#[test]
	fn errors_repeat_no_secret_and_say_what_to_do() {
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit wlak";
		let text = load(phrase).err().unwrap().to_string();
		assert!(!text.contains("bottom") && !text.contains("wlak") && text.contains("assay account new"), "{text}");
		let text = account(phrase).err().unwrap().to_string();
		assert!(!text.contains("bottom") && text.contains("//Alice") && text.contains("@FILE"), "{text}");
		let text = account(&format!("0x{}", "ab".repeat(32))).err().unwrap().to_string();
		assert!(!text.contains("abab"), "{text}");
		let text = account("alice").err().unwrap().to_string();
		assert!(text.contains("`alice`"), "{text}");
		let text = load("@/nowhere/my.key").err().unwrap().to_string();
		assert!(text.contains("/nowhere/my.key") && text.contains("assay account new --out"), "{text}");
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("bad.key");
		std::fs::write(&path, phrase).unwrap();
		let text = load(&format!("@{}", path.display())).err().unwrap().to_string();
		assert!(!text.contains("bottom") && text.contains("bad.key"), "{text}");
	}

	#[test]
	fn development_names_are_the_well_known_accounts() {
		assert_eq!(load("//Alice").unwrap().address(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
	}
}
