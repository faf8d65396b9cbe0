//! What `assay job check` prints, run as a program.

mod program;

use program::{assay, err, examples, out};
use std::path::Path;

#[test]
fn golden_text() {
	let text = out(&assay(&["job", "check", "--offline", "digits.yaml"]));
	let golden =
		std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/check-digits.txt")).unwrap();
	// The machine's time is another each time.
	let (time, text): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("Time  "));
	assert!(time.len() == 1 && time[0].contains("a verifier has 20 s for a segment"), "{time:?}");
	assert_eq!(
		format!("{}\n", text.join("\n")),
		golden,
		"if the change is wanted, write the new text to tests/golden/check-digits.txt"
	);
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
	assert!(value["network"].is_null() && value["node"].is_null());
	assert_eq!(value["notes"], serde_json::json!(["line 1 of the data names the columns"]));
	let time = &value["time"];
	let (segment, job) = (time["segment_seconds"].as_f64().unwrap(), time["job_seconds"].as_f64().unwrap());
	assert!(segment > 0.0 && (job / segment - 24.0).abs() < 1e-6, "{time}");
	assert_eq!((&time["blind_window_seconds"], &time["deadline_seconds"]), (&20.into(), &1_000.into()));
}

#[test]
fn an_estimate_without_an_answer_says_so_and_names_the_node() {
	let nobody = "ws://127.0.0.1:9";
	let text = out(&assay(&["job", "check", "digits.yaml", "--node", nobody]));
	let network = text.split("Network ").nth(1).expect("a line about the network");
	assert!(
		network.contains(nobody) && network.contains("offline estimate") && network.contains("--node"),
		"{network}"
	);
	let json = out(&assay(&["job", "check", "digits.yaml", "--node", nobody, "--output", "json"]));
	let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
	assert_eq!(value["node"], nobody);
	assert!(value["network"].is_null());
}

#[test]
fn prices_are_words_about_the_worker() {
	let text = out(&assay(&["job", "check", "--offline", "digits-ramp.yaml"]));
	let price = text.lines().find(|line| line.starts_with("Price")).expect("a line about the price");
	assert!(price.contains("at most 8 UNIT for the worker; it rises from 2 UNIT over "), "{price}");
}

#[test]
fn one_segment_a_milestone_is_always_checked() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("one.yaml");
	let data = examples().join("data/digits.csv");
	let text = |verify: &str| {
		format!(
			"kind: train\nmodel: {{type: mlp, layers: [64, 16, 10]}}\ndata: {{file: {}}}\ntrain: {{steps: 20}}\n\
			 verify: {{milestones: 2, {verify}}}\noffer: {{max: 20 UNIT}}\n",
			data.display()
		)
	};
	let path_text = path.to_str().unwrap();
	std::fs::write(&path, text("segments: 1")).unwrap();
	let shown = out(&assay(&["job", "check", "--offline", path_text]));
	assert!(shown.contains("every segment is checked"), "{shown}");
	let json = out(&assay(&["job", "check", "--offline", path_text, "--output", "json"]));
	let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
	let certain = serde_json::json!([{"wrong": 1, "milestone_ppm": 1_000_000, "job_ppm": 1_000_000}]);
	assert_eq!(value["detection"], certain);
	std::fs::write(&path, text("segments: 1, drawn: 1")).unwrap();
	let failed = assay(&["job", "check", "--offline", path_text]);
	let shown = err(&failed);
	assert!(shown.contains("one.yaml:5:") && shown.contains("remove `drawn`"), "{shown}");
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
	let text = err(&failed);
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
