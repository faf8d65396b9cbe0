//! Job files: places of errors, defaults, schema and examples.

use assay_cli::{
	job_file::{Draft, JobFile, JobFileError, Work},
	units::parse_amount,
};
use assay_models::{LabelColumn, Optimiser};
use assay_program::Lane;
use assay_protocol::{job::Clearing, parameters::Parameters};
use std::path::{Path, PathBuf};

const SHORT: &str = "\
kind: train
model: {type: mlp, layers: [64, 128, 10]}
data: {file: data/digits.csv}
train: {steps: 1200}
offer: {max: 20 UNIT}
";

fn error(text: &str) -> JobFileError {
	JobFile::parse("job.yaml", text).expect_err(text)
}

fn at(text: &str) -> (u64, u64) {
	let error = error(text);
	(error.at.line, error.at.column)
}

fn root() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn five_lines_are_enough() {
	let file = JobFile::parse("job.yaml", SHORT).expect("valid");
	let Work::Classifier { data, train, .. } = &file.work else { panic!("{:?}", file.work) };
	assert_eq!(data.label, LabelColumn::Last);
	assert_eq!(data.hold_out_every, 5);
	assert_eq!(train.optimiser, Optimiser::adamw(0.002));
	assert_eq!((train.batch, train.seed, train.lane), (64, 0, Lane::F32));
	assert_eq!((file.verify.milestones, file.verify.segments, file.verify.drawn, file.verify.verifiers), (6, 4, 1, 1));
	assert_eq!(file.offer.max, parse_amount("20").unwrap());
	assert_eq!(file.offer.clearing, Clearing::BestBid { window: 4 });
}

#[test]
fn unknown_fields_name_the_place_and_the_field_that_was_meant() {
	let error = error(&SHORT.replace("layers", "layrs"));
	assert_eq!((error.at.line, error.at.column), (2, 20));
	assert!(error.message.contains("layrs"), "{error}");
	assert!(error.next.contains("did you mean `layers`"), "{error}");
	assert!(error.to_string().starts_with("job.yaml:2:20: "), "{error}");
}

#[test]
fn errors_point_at_the_value() {
	assert_eq!(at(&SHORT.replace("mlp", "mpl")), (2, 15));
	assert_eq!(at(&SHORT.replace("[64, 128, 10]", "[64, 0, 10]")), (2, 33));
	assert_eq!(at(&SHORT.replace("[64, 128, 10]", "[64]")), (2, 28));
	assert_eq!(at(&SHORT.replace("1200", "many")), (4, 16));
	assert_eq!(at(&format!("{}verify: {{milestones: 6, segments: 4}}\n", SHORT.replace("1200", "12"))), (4, 16));
	assert_eq!(at(&format!("{SHORT}verify: {{milestones: 5000}}\n")), (6, 22));
	assert_eq!(at(&SHORT.replace("20 UNIT", "20 DOT")), (5, 14));
	assert_eq!(at(&SHORT.replace("20 UNIT", "0")), (5, 14));
	assert_eq!(at(&SHORT.replace("digits.csv", "digits.csv, held_out: 0.3")), (3, 41));
	assert_eq!(at(&SHORT.replace("steps: 1200", "steps: 1200, momentum: 0.5")), (4, 32));
	assert_eq!(at(&format!("{SHORT}verify: {{segments: 4, drawn: 4}}\n")), (6, 30));
	// A missing field is shown where its section ends.
	assert_eq!(at(&SHORT.replace("train: {steps: 1200}\n", "")).0, 4);
}

#[test]
fn every_error_says_what_to_do() {
	let edits = [
		("mlp", "mpl"),
		("1200", "many"),
		("20 UNIT", "20 DOT"),
		("kind: train", "kind: tarin"),
		("[64, 128, 10]", "64"),
		("train: {steps: 1200}\n", ""),
		("kind: train", "kind: train\nkind: train"),
		("offer:", "offer: {"),
	];
	for (from, to) in edits {
		let error = error(&SHORT.replace(from, to));
		assert!(!error.message.is_empty() && !error.next.is_empty(), "{error}");
		assert!(error.at.line > 0, "{from} -> {to}: {error}");
	}
	assert!(error(&SHORT.replace("kind: train", "kind: tarin")).next.contains("`train`"));
	assert!(error(&SHORT.replace("train: {steps: 1200}\n", "")).message.contains("`train`"));
}

#[test]
fn what_only_the_data_shows_is_placed_too() {
	let folder = root().join("examples");
	let draft = |text: &str| Draft::build(JobFile::parse("job.yaml", text).expect("parses"), &folder);
	let text = draft(&SHORT.replace("64, 128", "63, 128")).expect_err("features").to_string();
	assert!(text.starts_with("job.yaml:2:28: ") && text.contains("64"), "{text}");
	let text = draft(&SHORT.replace("128, 10", "128, 9")).expect_err("classes").to_string();
	assert!(text.starts_with("job.yaml:2:28: ") && text.contains("10"), "{text}");
	let text = draft(&SHORT.replace("digits.csv", "absent.csv")).expect_err("no file").to_string();
	assert!(text.starts_with("job.yaml:3:14: ") && text.contains("absent.csv"), "{text}");
	let text = draft(&SHORT.replace("digits.csv", "digits.csv, label: colour")).expect_err("no column").to_string();
	assert!(text.contains("colour"), "{text}");
}

#[test]
fn the_examples_are_valid_jobs() {
	for name in ["digits.yaml", "digits-ramp.yaml"] {
		let draft = Draft::load(&root().join("examples").join(name)).expect(name);
		let plan = draft.plan(&Parameters::development()).expect(name);
		assert!(plan.milestones >= 5, "{name}");
		assert_eq!(plan.segments, plan.milestones * plan.milestone_segments, "{name}");
	}
	for name in [
		"gpt.yaml",
		"finetune.yaml",
		"generate.yaml",
		"embed.yaml",
		"images.yaml",
		"classify-rows.yaml",
		"classify-onnx.yaml",
	] {
		let draft = Draft::load(&root().join("examples").join(name)).expect(name);
		assert!(draft.plan(&Parameters::development()).is_ok(), "{name}");
		assert!(draft.items > 0, "{name}");
	}
}

#[test]
fn the_same_file_is_the_same_job() {
	let path = root().join("examples/digits.yaml");
	let (a, b) = (Draft::load(&path).expect("valid"), Draft::load(&path).expect("valid"));
	assert_eq!(a.spec, b.spec);
	assert_eq!(a.program_bytes, b.program_bytes);
	let other = std::fs::read_to_string(&path).expect("readable").replace("seed: 0", "seed: 1");
	let other = Draft::build(JobFile::parse("other", &other).expect("valid"), &root().join("examples")).expect("valid");
	assert_ne!(a.spec.initial_root, other.spec.initial_root);
}

/// The fields that the parser allows where `text` has the field `zzz`.
fn allowed(text: &str) -> Vec<String> {
	let next = error(text).next;
	let list = next.split("allowed here: ").nth(1).unwrap_or_else(|| panic!("{next}"));
	let mut fields: Vec<String> = list.split(", ").map(Into::into).collect();
	fields.sort();
	fields
}

/// The least file of each kind, in the order of the schema.
const KINDS: [&str; 6] = [
	SHORT,
	"kind: train\nmodel: {type: gpt}\ndata: {text: a.txt}\ntrain: {steps: 1200}\noffer: {max: 20 UNIT}\n",
	"kind: finetune\nmodel: {directory: a}\ndata: {text: a.txt}\ntrain: {steps: 1200}\noffer: {max: 20 UNIT}\n",
	"kind: infer-batch\nmodel: {directory: a}\ndata: {lines: a.txt}\ninfer: {task: embed}\noffer: {max: 20 UNIT}\n",
	"kind: train\nmodel: {type: cnn, image: [8, 8]}\ndata: {file: a.csv}\ntrain: {steps: 1200}\noffer: {max: 20 UNIT}\n",
	"kind: infer-batch\nmodel: {directory: a}\ndata: {rows: a.csv}\ninfer: {task: classify}\noffer: {max: 20 UNIT}\n",
];

#[test]
fn the_schema_has_exactly_the_fields_of_the_parser() {
	let schema = std::fs::read_to_string(root().join("docs/job.schema.json")).expect("readable");
	let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
	let resolved = |value: &serde_json::Value| match value["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
		Some(name) => schema["$defs"][name].clone(),
		None => value.clone(),
	};
	let properties = |value: &serde_json::Value| {
		let value = resolved(value);
		let mut names: Vec<String> = value["properties"].as_object().expect("an object").keys().cloned().collect();
		names.sort();
		names
	};
	let kinds = schema["oneOf"].as_array().expect("a list");
	assert_eq!(kinds.len(), KINDS.len());
	for (kind, text) in kinds.iter().zip(KINDS) {
		assert!(JobFile::parse("job.yaml", text).is_ok(), "{text}");
		assert_eq!(properties(kind), allowed(&format!("zzz: 1\n{text}")));
		for section in ["model", "data", "train", "infer", "offer"] {
			let Some(fields) = kind["properties"].get(section) else { continue };
			let text = text.replace(&format!("\n{section}: {{"), &format!("\n{section}: {{zzz: 1, "));
			assert_eq!(properties(fields), allowed(&text), "{section}");
		}
		let verify = format!("{text}verify: {{zzz: 1}}\n");
		assert_eq!(properties(&kind["properties"]["verify"]), allowed(&verify));
		let ramp = text.replace("max: 20 UNIT", "max: 20 UNIT, ramp: {zzz: 1}");
		assert_eq!(properties(&resolved(&kind["properties"]["offer"])["properties"]["ramp"]), allowed(&ramp));
	}
	let lora = KINDS[2].replace("directory: a", "directory: a, lora: {zzz: 1}");
	assert_eq!(properties(&kinds[2]["properties"]["model"]["properties"]["lora"]), allowed(&lora));
}

#[test]
fn fields_of_another_task_are_refused() {
	let infer = |fields: &str| error(&KINDS[3].replace("task: embed", fields));
	assert!(infer("task: embed, tokens: 4").message.contains("task generate"));
	assert!(infer("task: generate, pooling: mean").message.contains("task embed"));
	assert!(infer("task: generate, temperature: -1").message.contains("temperature"));
	assert!(infer("task: guess").next.contains("generate"));
	assert!(infer("task: embed, end_token: x").message.contains("task generate"));
	assert!(self::error(&KINDS[5].replace("classify", "embed")).next.contains("classify"));
	assert!(self::error(&KINDS[5].replace("task: classify", "task: classify, tokens: 3")).next.contains("over texts"));
	assert!(self::error(&KINDS[5].replace("directory: a", "directory: a, onnx: b")).message.contains("`onnx`"));
	assert!(self::error(&KINDS[5].replace("directory: a", "")).next.contains("`onnx:`"));
	assert!(self::error(&KINDS[3].replace("directory: a", "onnx: a")).next.contains("over texts"));
	let error = error(&KINDS[1].replace("type: gpt", "type: gpt, heads: 3"));
	assert!(error.message.contains("64") && error.message.contains('3'), "{error}");
	let error = self::error(&KINDS[2].replace("a.txt", "a.txt, tokenizer: bytes"));
	assert!(error.message.contains("own tokenizer"), "{error}");
}
