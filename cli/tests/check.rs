//! What `assay job check` prints, run as a program.

use std::{
	path::{Path, PathBuf},
	process::{Command, Output},
};

fn examples() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn assay(arguments: &[&str]) -> Output {
	let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
	command.current_dir(examples()).env_remove("ASSAY_NODE").env_remove("RUST_LOG");
	command.args(arguments).output().expect("the program runs")
}

fn out(output: &Output) -> String {
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn golden_text() {
	let text = out(&assay(&["job", "check", "--offline", "digits.yaml"]));
	let golden =
		std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/check-digits.txt")).unwrap();
	assert_eq!(text, golden, "if the change is wanted, write the new text to tests/golden/check-digits.txt");
}

#[test]
fn json_says_the_same() {
	let text = out(&assay(&["job", "check", "--offline", "digits.yaml", "--output", "json"]));
	assert_eq!(text.trim_end().lines().count(), 1);
	let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
	assert_eq!(value["work"]["milestones"], 6);
	assert_eq!(value["work"]["segments"], 24);
	assert_eq!(value["work"]["checked_segments"], 12);
	assert_eq!(value["price"]["most"], "20000000000000");
	// 12 checks, and those of one milestone more.
	assert_eq!(value["price"]["escrow"], "21400000000000");
	assert_eq!(value["price"]["collateral"], "120000000000000");
	// One of three segments is wrong, one of three is drawn.
	assert_eq!(value["detection"][0], serde_json::json!({"wrong": 1, "milestone_ppm": 333_333, "job_ppm": 912_208}));
	assert!(value["network"].is_null());
}

#[test]
fn errors_are_objects_in_json_and_sentences_in_text() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("bad.yaml");
	std::fs::write(&path, "kind: train\nmodle: {}\n").unwrap();
	let path = path.to_str().unwrap();
	let failed = assay(&["job", "check", "--offline", path, "--output", "json"]);
	assert_eq!(failed.status.code(), Some(1));
	let error: serde_json::Value = serde_json::from_slice(&failed.stderr).expect("JSON");
	assert_eq!(error["error"]["code"], "job-file");
	assert!(error["error"]["message"].as_str().unwrap().contains("bad.yaml:2:1: "));
	let failed = assay(&["job", "check", "--offline", path]);
	let text = String::from_utf8(failed.stderr).unwrap();
	assert!(text.starts_with("error: ") && text.contains("did you mean `model`"), "{text}");
	assert!(failed.stdout.is_empty());
}

#[test]
fn a_node_that_does_not_answer_is_named_with_what_to_do() {
	for arguments in [
		&["job", "list"][..],
		&["job", "watch", "0"],
		&["job", "receipt", "0"],
		&["job", "fetch", "0", "--out", "unused"],
		&["account", "balance", "//Alice"],
		&["account", "transfer", "//Bob", "1", "--key", "//Alice"],
		&["provider", "status", "//Alice"],
		&["provider", "drain", "--key", "//Alice"],
		&["verifier", "unbond", "all", "--key", "//Alice"],
	] {
		let mut arguments = arguments.to_vec();
		arguments.extend(["--node", "ws://127.0.0.1:9", "--output", "json"]);
		let failed = assay(&arguments);
		assert_eq!(failed.status.code(), Some(1), "{arguments:?}");
		let error: serde_json::Value = serde_json::from_slice(&failed.stderr).expect("JSON");
		assert_eq!(error["error"]["code"], "node-unreachable", "{arguments:?}");
		assert!(error["error"]["message"].as_str().unwrap().contains("--node"), "{arguments:?}");
	}
}

#[test]
fn reasons_are_explained_without_a_node() {
	let text = out(&assay(&["job", "explain", "LostDispute", "--node", "ws://127.0.0.1:9"]));
	assert!(text.contains("10003") && text.contains("Next:"), "{text}");
	let json = out(&assay(&["job", "explain", "20003", "--output", "json", "--node", "ws://127.0.0.1:9"]));
	let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
	assert_eq!(value["name"], "NoBids");
}
