//! Jobs of each kind on this machine alone: `assay job run`, and what it writes is the next job's model.

mod program;

use program::{assay, err, examples, out};
use serde_json::Value;
use std::path::Path;

const OFFER: &str = "verify: {milestones: 1, segments: 2}\noffer: {max: 5 UNIT}\n";

/// Writes a job file into a folder and runs it; the result as JSON.
fn run(folder: &Path, name: &str, text: &str, arguments: &[&str]) -> Value {
	let path = folder.join(format!("{name}.yaml"));
	std::fs::write(&path, format!("{text}{OFFER}")).unwrap();
	let (path, to) = (path.display().to_string(), folder.join(name).display().to_string());
	let arguments = [&["job", "run", &path, "--out", &to, "--output", "json"], arguments].concat();
	serde_json::from_str(&out(&assay(&arguments))).expect("JSON")
}

fn lines(path: &Path) -> Vec<Value> {
	std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(kind: &str, model: &str, rest: &str) -> String {
	let data = examples().join("data/digits.csv");
	let data = data.display();
	match kind {
		"train" => {
			format!("kind: train\nmodel: {{{model}}}\ndata: {{file: {data}, scale: 0.0625}}\ntrain: {{{rest}}}\n")
		}
		_ => format!(
			"kind: infer-batch\nmodel: {{{model}}}\ndata: {{rows: {data}, label: label}}\ninfer: {{task: classify{rest}}}\n"
		),
	}
}

#[test]
fn a_classifier_is_trained_and_run_over_rows() {
	let folder = tempfile::tempdir().unwrap();
	let folder = folder.path();
	for (name, model, steps) in
		[("mlp", "type: mlp, layers: [64, 32, 10]", 200), ("cnn", "type: cnn, image: [8, 8]", 60)]
	{
		let trained = run(folder, name, &text("train", model, &format!("steps: {steps}, rate: 0.004")), &[]);
		let held_out = trained["accuracy"].as_f64().unwrap();
		assert!(held_out > 0.8, "{name}: {held_out}");
		let mut roots = Vec::new();
		for (lane, threads) in [("f32", "1"), ("f32", "2"), ("i8", "1"), ("i8", "2")] {
			let job = format!("{name}-{lane}-{threads}");
			let rows = text("rows", &format!("directory: {name}/model"), &format!(", lane: {lane}"));
			let done = run(folder, &job, &rows, &["--threads", threads]);
			assert_eq!(done["held_out"], 1797);
			let accuracy = done["accuracy"].as_f64().unwrap();
			assert!((accuracy - held_out).abs() < 0.05, "{job}: {accuracy}, {held_out} of those held out");
			let lines = lines(&folder.join(&job).join("outputs.jsonl"));
			assert_eq!(lines.len(), 1797);
			let right = lines.iter().filter(|line| line["class"] == line["label"]).count();
			assert_eq!((right as f64 / 1797.0 * 1e4).round(), (accuracy * 1e4).round());
			let table = std::fs::read_to_string(folder.join(&job).join("outputs.csv")).unwrap();
			assert_eq!(table.lines().count(), 1798);
			assert!(table.starts_with("item,class,score0,score1,"), "{table:.40}");
			let first: Vec<&str> = table.lines().nth(1).unwrap().split(',').collect();
			assert_eq!((first[0], first[1].parse::<u64>().ok()), ("0", lines[0]["class"].as_u64()));
			assert_eq!(first[2].parse::<f64>().unwrap() as f32, lines[0]["scores"][0].as_f64().unwrap() as f32);
			roots.push(done["state_root"].clone());
		}
		assert!(roots[0] == roots[1] && roots[2] == roots[3] && roots[0] != roots[2], "{roots:?}");
	}
	// The perceptron's ONNX file gives the same scores, bit for bit.
	for lane in ["f32", "i8"] {
		let onnx = run(folder, "onnx", &text("rows", "onnx: mlp/model/model.onnx", &format!(", lane: {lane}")), &[]);
		assert!(onnx["loss"].is_null() && onnx["accuracy"].as_f64().is_some());
		let read = |name: &str| std::fs::read_to_string(folder.join(name).join("outputs.csv")).unwrap();
		assert_eq!(read("onnx"), read(&format!("mlp-{lane}-1")));
	}
}

#[test]
fn the_committed_classifier_is_the_one_of_its_job() {
	let folder = tempfile::tempdir().unwrap();
	let to = folder.path().display().to_string();
	out(&assay(&["job", "run", "digits.yaml", "--out", &to]));
	for name in ["config.json", "model.safetensors", "model.onnx"] {
		let made = std::fs::read(folder.path().join("model").join(name)).unwrap();
		let committed = std::fs::read(examples().join("models/digits").join(name)).unwrap();
		assert!(made == committed, "models/digits/{name} is not what digits.yaml makes");
	}
	for name in ["classify-rows.yaml", "classify-onnx.yaml"] {
		let done: Value = serde_json::from_str(&out(&assay(&["job", "run", name, "--output", "json"]))).unwrap();
		assert!(done["accuracy"].as_f64().unwrap() > 0.97, "{name}: {done}");
	}
}

#[test]
fn texts_are_cut_at_their_end() {
	let folder = tempfile::tempdir().unwrap();
	let folder = folder.path();
	let examples = examples();
	let text = |fields: &str| {
		let (model, lines) = (examples.join("models/sums"), examples.join("data/prompts.txt"));
		format!(
			"kind: infer-batch\nmodel: {{directory: {}}}\ndata: {{lines: {}}}\ninfer: {{{fields}}}\n",
			model.display(),
			lines.display()
		)
	};
	let outputs = |name: &str, fields: &str| {
		run(folder, name, &text(fields), &[]);
		lines(&folder.join(name).join("outputs.jsonl"))
	};
	let free = outputs("free", "task: generate, tokens: 6");
	let mut ended = 0;
	for lane in ["f32", "i8"] {
		let free = outputs("free", &format!("task: generate, tokens: 6, lane: {lane}"));
		let cut = outputs("cut", &format!("task: generate, tokens: 6, end_token: \"\\n\", lane: {lane}"));
		for (free, cut) in free.iter().zip(&cut) {
			let (free, text) = (free["text"].as_str().unwrap(), cut["text"].as_str().unwrap());
			assert_eq!(text, free.split('\n').next().unwrap());
			assert_eq!(cut["ended"], free.contains('\n'));
			ended += usize::from(free.contains('\n'));
		}
	}
	assert!(ended > 0);
	assert!(free.iter().all(|line| line["ended"] == false && line["tokens"].as_array().unwrap().len() == 6));
	for fields in ["task: embed, lane: i8", "task: embed, pooling: last, lane: i8"] {
		let rows = outputs("embed", fields);
		assert!(rows.iter().all(|row| row["embedding"].as_array().unwrap().len() == 64));
	}
}

#[test]
fn what_an_image_job_lacks_is_said() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("job.yaml");
	std::fs::write(&path, format!("{}{OFFER}", text("train", "type: cnn, image: [8, 9]", "steps: 20"))).unwrap();
	let failed = assay(&["job", "check", "--offline", path.to_str().unwrap()]);
	let shown = err(&failed);
	assert!(shown.contains("job.yaml:2:27: ") && shown.contains("72 numbers, the data has 64"), "{shown}");
}
