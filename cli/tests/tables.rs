//! Jobs over tables that people write: what `assay job check` and `assay job run` make of them.

mod program;

use program::{assay, err, examples, out};
use serde_json::Value;
use std::path::Path;

/// Rows of four numbers and one of three labels from `least`.
fn rows(count: u32, least: u32) -> String {
	(0..count).map(|row| format!("{}.5,{},{},0.25,{}\n", row % 7, row % 5, row % 3, row % 3 + least)).collect()
}

fn job(folder: &Path, data: &str, model: &str, rest: &str) -> String {
	std::fs::write(folder.join("data.csv"), data).unwrap();
	let path = folder.join("job.yaml");
	let text = format!(
		"kind: train\nmodel: {{{model}}}\ndata: {{file: data.csv}}\ntrain: {{steps: 50}}\n{rest}offer: {{max: 5 UNIT}}\n"
	);
	std::fs::write(&path, text).unwrap();
	path.display().to_string()
}

const MODEL: &str = "type: mlp, layers: [4, 8, 3]";

#[test]
fn what_is_wrong_with_a_table_is_said() {
	let folder = tempfile::tempdir().unwrap();
	let refused = |data: &str, words: &[&str]| {
		let path = job(folder.path(), data, MODEL, "");
		let shown = err(&assay(&["job", "check", "--offline", &path]));
		assert!(shown.contains("job.yaml:3:14: "), "{shown}");
		words.iter().for_each(|word| assert!(shown.contains(word), "{word}: {shown}"));
	};
	let good = rows(100, 0);
	refused(&good.replace(',', ";"), &["line 1: columns are separated by `;`", "write commas"]);
	refused(&good.replace(',', "\t"), &["separated by tabs", "write commas"]);
	refused(&good.replace(',', ";").replace('.', ","), &["separated by `;`", "0.5"]);
	refused(&format!("a,b,7,d,kind\n{good}"), &["line 1 has numbers", "column 1, `a`"]);
	refused(&format!(",b,c,d,kind\n{good}"), &["column 1 has no name", "index=False"]);
	refused(&format!("a,b,c,d,kind\n1,5,2,3,0,25,0\n{good}"), &["line 2 has 7 fields", "write 0.5 with a point"]);
	refused(&rows(100, 1), &["labels run 1..3", "count from 0"]);
}

#[test]
fn a_mark_is_no_name_and_names_are_said() {
	let folder = tempfile::tempdir().unwrap();
	let check = |data: &str| {
		let path = job(folder.path(), data, MODEL, "");
		let json = out(&assay(&["job", "check", "--offline", &path, "--output", "json"]));
		serde_json::from_str::<Value>(&json).expect("JSON")
	};
	let marked = check(&format!("\u{feff}{}", rows(100, 0)));
	assert_eq!(marked["work"]["items"], 80);
	// Fifty steps are no 24 segments: the note says what they are.
	assert_eq!((&marked["work"]["milestones"], &marked["work"]["milestone_segments"]), (&5.into(), &4.into()));
	let notes = marked["notes"].as_array().unwrap();
	assert!(notes.len() == 1 && notes[0].as_str().unwrap().contains("`milestones: 5` of `segments: 4`"), "{notes:?}");
	let named = check(&format!("\u{feff}a,b,c,d,kind\n{}", rows(100, 0)));
	assert_eq!(
		(&named["work"]["items"], &named["notes"][1]),
		(&80.into(), &"line 1 of the data names the columns".into())
	);
}

#[test]
fn a_hundred_rows_are_run_by_default() {
	let folder = tempfile::tempdir().unwrap();
	let folder = folder.path();
	let data = std::fs::read_to_string(examples().join("data/digits.csv")).unwrap();
	let few: Vec<&str> = data.lines().take(101).collect();
	let table = |labels: &dyn Fn(u32) -> u32| {
		let row = |line: &&str| match line.rsplit_once(',') {
			Some((row, label)) => label.parse().map_or((*line).to_owned(), |label| format!("{row},{}", labels(label))),
			None => String::new(),
		};
		few.iter().map(row).collect::<Vec<_>>().join("\n")
	};
	let run = |labels: &dyn Fn(u32) -> u32| {
		std::fs::write(folder.join("few.csv"), table(labels)).unwrap();
		let path = folder.join("rows.yaml");
		let model = examples().join("models/digits");
		let text = format!(
			"kind: infer-batch\nmodel: {{directory: {}}}\ndata: {{rows: few.csv, label: last}}\n\
			 infer: {{task: classify}}\noffer: {{max: 5 UNIT}}\n",
			model.display()
		);
		std::fs::write(&path, text).unwrap();
		assay(&["job", "run", path.to_str().unwrap(), "--output", "json"])
	};
	let done: Value = serde_json::from_str(&out(&run(&|label| label))).expect("JSON");
	assert_eq!(done["held_out"], 100);
	let shown = err(&run(&|label| label + 1));
	assert!(shown.contains("labels run 1..10") && shown.contains("count from 0"), "{shown}");
	let shown = err(&run(&|label| label * 2));
	assert!(shown.contains("classes 0..9") && shown.contains("has label 1"), "{shown}");
}

#[test]
fn a_model_that_overflows_is_not_told_of_learning_rates() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("rows.yaml");
	let text = format!(
		"kind: infer-batch\nmodel: {{directory: {}}}\ndata: {{rows: {}, label: label, scale: 1e37}}\n\
		 infer: {{task: classify}}\noffer: {{max: 5 UNIT}}\n",
		examples().join("models/digits").display(),
		examples().join("data/digits.csv").display()
	);
	std::fs::write(&path, text).unwrap();
	let shown = err(&assay(&["job", "run", path.to_str().unwrap()]));
	assert!(shown.contains("infinite or NaN") && shown.contains("`data.scale`"), "{shown}");
	assert!(!shown.contains("learning rate"), "{shown}");
}
