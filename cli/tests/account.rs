//! Keys and accounts, run as a program.

mod program;

use program::{assay, command, err, out};

#[test]
fn a_new_account_keeps_its_secret_unless_asked() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("my.key");
	let path = path.to_str().unwrap();
	let made = out(&assay(&["account", "new", "--out", path, "--output", "json"]));
	let value: serde_json::Value = serde_json::from_str(&made).expect("JSON");
	assert_eq!(value["key_file"], path);
	assert!(value["account"].as_str().unwrap().starts_with('5') && value.get("mnemonic").is_none(), "{value}");
	let phrase = std::fs::read_to_string(path).unwrap();
	assert!(!made.contains(phrase.trim()), "{made}");
	let again = assay(&["account", "new", "--out", path]);
	assert!(!again.status.success());
	assert!(err(&again).contains("exists and is left as it is"));
	assert_eq!(std::fs::read_to_string(path).unwrap(), phrase);
	let home = folder.path().join("home");
	let mut command = command(&["account", "new", "--show-mnemonic"]);
	command.env("HOME", &home).env_remove("XDG_CONFIG_HOME");
	let shown = out(&command.output().expect("the program runs"));
	let phrase = std::fs::read_to_string(home.join(".config/assay/account.key")).expect("the default place");
	assert!(shown.contains(phrase.trim()), "{shown}");
}

#[test]
fn a_bad_key_is_answered_with_a_way_to_make_one() {
	let failed = assay(&["account", "balance", "ferdie"]);
	let text = err(&failed);
	assert!(text.contains("`ferdie` is no account") && text.contains("@FILE") && text.contains("//Alice"), "{text}");
	let failed = assay(&["account", "transfer", "//Bob", "1", "--key", "@/nowhere/my.key", "--output", "json"]);
	let error: serde_json::Value = serde_json::from_slice(&failed.stderr).expect("JSON");
	assert_eq!(error["error"]["code"], "key");
	assert!(error["error"]["message"].as_str().unwrap().contains("assay account new --out /nowhere/my.key"));
}
