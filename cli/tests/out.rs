//! The folder of a result: `--out`.

mod program;

use program::{assay, err, examples, out};
use serde_json::Value;
use std::path::Path;

fn copy(from: &Path, to: &Path) {
	std::fs::create_dir_all(to).unwrap();
	for entry in std::fs::read_dir(from).unwrap() {
		let entry = entry.unwrap();
		std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
	}
}

/// A job that trains the model in `directory` on, in a folder of its own.
fn fine_tuning(folder: &Path, directory: &str) -> String {
	copy(&examples().join("models/sums"), &folder.join(directory));
	std::fs::write(folder.join("text.txt"), "1+2=3\n4+4=8\n".repeat(60)).unwrap();
	let path = folder.join("job.yaml");
	let text = format!(
		"kind: finetune\nmodel: {{directory: {directory}, context: 12}}\ndata: {{text: text.txt}}\n\
		 train: {{steps: 2, batch: 2}}\noffer: {{max: 5 UNIT}}\n"
	);
	std::fs::write(&path, text).unwrap();
	path.display().to_string()
}

fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
	let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
	let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
	let mut files: Vec<_> = files.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap())).collect();
	files.sort();
	files
}

#[test]
fn a_job_does_not_write_over_what_it_reads() {
	for (directory, to) in [("out/model", "out"), ("sums", "sums"), ("sums", ".")] {
		let folder = tempfile::tempdir().unwrap();
		let path = fine_tuning(folder.path(), directory);
		let before = content(&folder.path().join(directory));
		let to = folder.path().join(to).display().to_string();
		let failed = assay(&["job", "run", &path, "--out", &to, "--output", "json"]);
		assert_eq!(failed.status.code(), Some(1));
		let error: Value = serde_json::from_slice(&failed.stderr).expect("JSON");
		assert_eq!(error["error"]["code"], "destination");
		let text = error["error"]["message"].as_str().unwrap();
		assert!(text.contains("the job reads") && text.contains("--out"), "{text}");
		assert_eq!(content(&folder.path().join(directory)), before);
	}
}

#[test]
fn a_result_says_what_it_is_of() {
	let folder = tempfile::tempdir().unwrap();
	let path = fine_tuning(folder.path(), "sums");
	let to = folder.path().join("out");
	let run = || {
		let done = out(&assay(&["job", "run", &path, "--out", to.to_str().unwrap(), "--output", "json"]));
		let done: Value = serde_json::from_str(&done).expect("JSON");
		(done, std::fs::read(to.join("manifest.json")).unwrap())
	};
	let ((done, manifest), (_, again)) = (run(), run());
	assert_eq!(manifest, again);
	let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
	assert_eq!(manifest["job_file"], *path);
	assert_eq!((&manifest["state_root"], &manifest["files"]), (&done["state_root"], &done["files"]));
	// Files are whole, and nothing but them is left.
	let names: Vec<String> = content(&to.join("model")).into_iter().map(|(name, _)| name).collect();
	assert_eq!(names, ["config.json", "model.safetensors", "tokenizer.json"]);
	assert_eq!(content(&to.join("model"))[2].1, content(&folder.path().join("sums"))[names.len() - 1].1);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_before_anything_is_run() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("file");
	std::fs::write(&file, "kept").unwrap();
	// So many steps would take long.
	let path = folder.path().join("long.yaml");
	let text = std::fs::read_to_string(examples().join("digits.yaml")).unwrap();
	let data = examples().join("data/digits.csv").display().to_string();
	let text = text
		.replace("data/digits.csv", &data)
		.replace("steps: 1200", "steps: 1200000000")
		.replace("segments: 4", "segments: 400");
	std::fs::write(&path, text).unwrap();
	for to in [file.clone(), file.join("below")] {
		let shown = err(&assay(&["job", "run", path.to_str().unwrap(), "--out", to.to_str().unwrap()]));
		assert!(shown.contains("nothing can be written to") && shown.contains("another folder with --out"), "{shown}");
	}
	assert_eq!(std::fs::read(&file).unwrap(), b"kept");
}
