//! What is said of wrong job files, word by word: tests/golden/job-errors.txt.

use assay_cli::job_file::{Draft, JobFile};
use std::path::{Path, PathBuf};

const MLP: &str = "\
kind: train
model: {type: mlp, layers: [64, 128, 10]}
data: {file: data/digits.csv}
train: {steps: 1200}
offer: {max: 20 UNIT}
";
const CNN: &str = "\
kind: train
model: {type: cnn, image: [8, 8]}
data: {file: data/digits.csv}
train: {steps: 1200}
offer: {max: 20 UNIT}
";
const TEXTS: &str = "\
kind: infer-batch
model: {directory: models/sums}
data: {lines: data/prompts.txt}
infer: {task: generate}
verify: {milestones: 1, segments: 4}
offer: {max: 20 UNIT}
";
const ROWS: &str = "\
kind: infer-batch
model: {directory: models/digits}
data: {rows: data/digits.csv, label: label}
infer: {task: classify}
offer: {max: 20 UNIT}
";

/// A valid file, what is changed of it, and into what.
const CASES: [(&str, &str, &str); 61] = [
	// Fields by other names.
	(MLP, "steps: 1200", "steps: 1200, learning_rate: 0.1"),
	(MLP, "steps: 1200", "steps: 1200, lr: 0.1"),
	(MLP, "steps: 1200", "epochs: 3"),
	(MLP, "steps: 1200", "steps: 1200, batch_size: 32"),
	(MLP, "steps: 1200", "steps: 1200, optimizer: adamw"),
	(MLP, "file: ", "path: "),
	(MLP, "train:", "training:"),
	(MLP, "layers", "hidden_layers"),
	(MLP, "layers", "layrs"),
	(TEXTS, "task: generate", "task: generate, max_new_tokens: 5"),
	(TEXTS, "task: generate", "task: generate, stop: x"),
	(ROWS, "rows: data/digits.csv", "rows: data/digits.csv, target: 3"),
	// Fields of another section or kind.
	(MLP, "type: mlp", "type: mlp, heads: 4"),
	(MLP, "steps: 1200", "steps: 1200, tokens: 5"),
	(MLP, "type: mlp", "type: mlp, steps: 3"),
	(MLP, "data/digits.csv", "data/digits.csv, tokenizer: bytes"),
	(CNN, "type: cnn", "type: cnn, layers: [64, 10]"),
	(TEXTS, "directory: models/sums", "onnx: models/digits/model.onnx"),
	(TEXTS, "task: generate", "task: embed, end_token: none"),
	(ROWS, "task: classify", "task: classify, temperature: 1"),
	(MLP, "offer: {max", "offer: {colour: red, max"),
	// Missing.
	(MLP, "steps: 1200", ""),
	(MLP, "data: {file: data/digits.csv}\n", ""),
	(TEXTS, "lines: data/prompts.txt", ""),
	(ROWS, "directory: models/digits", ""),
	(CNN, ", image: [8, 8]", ""),
	(MLP, "type: mlp, ", ""),
	// Bounds.
	(MLP, "[64, 128, 10]", "[64, 4000000000, 10]"),
	(MLP, "[64, 128, 10]", "[64, 5000000000, 10]"),
	(CNN, "[8, 8]", "[8, 9000]"),
	(CNN, "[8, 8]", "[8]"),
	(CNN, "[8, 8]", "[8, 8], convolutions: [1, 1, 1, 1]"),
	(MLP, "steps: 1200", "steps: 1200, batch: 2000000"),
	(TEXTS, "task: generate", "task: generate, tokens: 2000000"),
	(MLP, "1200}", "50}\nverify: {milestones: 6, segments: 4}"),
	(MLP, "1200}", "50}\nverify: {milestones: 1, segments: 20}"),
	(MLP, "1200}", "50}\nverify: {segments: 60}"),
	(MLP, "1200}", "50}\nverify: {milestones: 5000}"),
	(MLP, "20 UNIT", "-5"),
	(MLP, "20 UNIT", "1e9"),
	(MLP, "20 UNIT", "'1,5 UNIT'"),
	// Sections by other names, and two files in one.
	(MLP, "offer: {max: 20 UNIT}", "price: 20 UNIT"),
	(ROWS, "rows: data/digits.csv, ", "file: data/digits.csv, "),
	(ROWS, "rows: data/digits.csv, label: label", "file: data/digits.csv"),
	(MLP, "offer: {max: 20 UNIT}\n", "offer: {max: 20 UNIT}\n---\nkind: train\n"),
	// Only data and model show.
	(MLP, "128, 10]", "128, 9]"),
	(CNN, "[8, 8]", "[8, 9]"),
	(CNN, "[8, 8]", "[8, 8], classes: 9"),
	(ROWS, ", label: label", ""),
	(ROWS, "task: classify}", "task: classify}\nverify: {milestones: 600, segments: 4}"),
	(ROWS, "models/digits", "models/sums"),
	(ROWS, "directory: models/digits", "onnx: data/digits.csv"),
	(ROWS, "directory: models/digits", "directory: models/nothing"),
	(ROWS, "task: classify}", "task: classify, batch: 900}\nverify: {milestones: 3}"),
	(ROWS, "task: classify}", "task: classify}\nverify: {segments: 3000}"),
	(TEXTS, "models/sums", "models/digits"),
	(TEXTS, "models/sums", "models/nothing"),
	(TEXTS, "task: generate", "task: generate, tokens: 100"),
	(TEXTS, "task: generate", "task: generate, end_token: two words"),
	(TEXTS, "task: generate", "task: generate, end_token: \"5\""),
	(TEXTS, "task: generate", "task: classify"),
];

#[test]
fn golden_errors() {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
	let mut found = String::new();
	for (text, from, to) in CASES {
		assert!(text.contains(from), "{from}");
		let text = text.replacen(from, to, 1);
		let draft = JobFile::parse("job.yaml", &text).map_err(Into::into).and_then(|file| Draft::build(file, &folder));
		let error = draft.map(|_| ()).expect_err(&text).to_string();
		let error = error.replace(&format!("{}/", folder.display()), "");
		found.push_str(&format!("{} -> {}\n    {error}\n", from.escape_debug(), to.escape_debug()));
	}
	let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/golden/job-errors.txt"].iter().collect();
	if std::env::var_os("ASSAY_GOLDEN").is_some() {
		std::fs::write(&path, &found).expect("writable");
	}
	let golden = std::fs::read_to_string(&path).unwrap_or_default();
	for (found, golden) in found.lines().zip(golden.lines()) {
		assert_eq!(found, golden, "if the change is wanted, run the test with ASSAY_GOLDEN=1");
	}
	assert_eq!(found.lines().count(), golden.lines().count(), "run the test with ASSAY_GOLDEN=1");
}

/// Errors that only the model shows stand at the line of the model, those of what is asked of it at the line of the request.
#[test]
fn errors_stand_where_they_are_corrected() {
	let golden = include_str!("golden/job-errors.txt");
	for line in golden.lines().filter(|line| line.starts_with("    ")) {
		assert!(line.starts_with("    job.yaml:") && !line.starts_with("    job.yaml:0:"), "{line}");
	}
}
