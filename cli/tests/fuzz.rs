//! Job files of any content are read or refused with a place and advice; none of them panics.

use assay_cli::job_file::{Draft, JobFile};
use std::path::{Path, PathBuf};

/// Numbers that look random, the same in every run.
struct Draws(u64);

impl Draws {
	fn below(&mut self, bound: usize) -> usize {
		self.0 ^= self.0 << 13;
		self.0 ^= self.0 >> 7;
		self.0 ^= self.0 << 17;
		(self.0 % bound.max(1) as u64) as usize
	}

	fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
		list[self.below(list.len())]
	}
}

fn examples() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn texts() -> Vec<String> {
	let mut paths: Vec<PathBuf> = std::fs::read_dir(examples())
		.expect("the examples")
		.map(|entry| entry.expect("an entry").path())
		.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
		.collect();
	paths.sort();
	paths.iter().map(|path| std::fs::read_to_string(path).expect("readable")).collect()
}

/// Pieces that mean something in YAML, or to a field.
const PIECES: [&str; 40] = [
	"{",
	"}",
	"[",
	"]",
	":",
	",",
	"\n",
	"  ",
	"- ",
	"#",
	"&a ",
	"*a ",
	"!!int ",
	"|",
	"\"",
	"'",
	"\t",
	"\0",
	"é",
	"null",
	"true",
	"~",
	"0",
	"-1",
	"1e400",
	".nan",
	".inf",
	"4294967296",
	"18446744073709551616",
	"0x10",
	"type: cnn",
	"rows: a",
	"lines: a",
	"onnx: a",
	"directory: a",
	"label: last",
	"lane: i8",
	"end_token: none",
	"image: [0, 1]",
	"layers: [1]",
];

fn judge(text: &str) {
	if let Err(error) = JobFile::parse("job.yaml", text) {
		assert!(!error.message.is_empty() && !error.next.is_empty(), "{text:?}: {error}");
		assert!(error.at.line <= text.lines().count() as u64 + 1, "{text:?}: {error}");
		assert!(!error.message.contains('\n') && error.to_string().len() < 2_000, "{text:?}: {error}");
	}
}

#[test]
fn mutated_files() {
	let (texts, mut draws) = (texts(), Draws(0x9e37_79b9_7f4a_7c15));
	for _ in 0..6_000 {
		let mut text: Vec<char> = draws.of(&texts.iter().map(String::as_str).collect::<Vec<_>>()).chars().collect();
		for _ in 0..=draws.below(4) {
			let at = draws.below(text.len());
			let until = (at + draws.below(12)).min(text.len());
			let piece: Vec<char> = draws.of(&PIECES).chars().collect();
			match draws.below(4) {
				0 => drop(text.drain(at..until)),
				1 => drop(text.splice(at..at, piece)),
				2 => drop(text.splice(at..until, piece)),
				_ => {
					let copied: Vec<char> = text[at..until].to_vec();
					let to = draws.below(text.len());
					drop(text.splice(to..to, copied));
				}
			}
		}
		judge(&text.into_iter().collect::<String>());
	}
}

#[test]
fn deep_and_long_files() {
	judge("");
	judge(&"[".repeat(20_000));
	judge(&"{a: ".repeat(20_000));
	judge(&format!("kind: {}", "x".repeat(1 << 20)));
	let bomb: String = (1..40).map(|at| format!("a{at}: &a{at} [*a{}, *a{}]\n", at - 1, at - 1)).collect();
	judge(&format!("a0: &a0 [x, x]\n{bomb}kind: train\n"));
	let layers = vec!["7"; 100_000].join(", ");
	judge(&format!(
		"kind: train\nmodel: {{type: mlp, layers: [{layers}]}}\ndata: {{file: a}}\ntrain: {{steps: 99}}\noffer: {{max: 1}}\n"
	));
}

/// Sizes that fit together or not, in jobs that are made.
#[test]
fn jobs_of_any_sizes() {
	let mut draws = Draws(7);
	let sizes = [0u32, 1, 2, 3, 7, 8, 10, 24, 63, 64, 65, 200, 65_536, 65_537, u32::MAX];
	let (mut made, mut refused) = (0, 0);
	for _ in 0..400 {
		let mut size = |most: usize| sizes[draws.below(most.min(sizes.len()))];
		let (a, b, c, batch, steps) = (size(15), size(11), size(11), size(15).min(2_000), size(12));
		let model = match size(5) {
			0 => format!("kind: train\nmodel: {{type: mlp, layers: [64, {b}, 10]}}\ndata: {{file: data/digits.csv, scale: 0.0625}}"),
			1 => format!("kind: train\nmodel: {{type: cnn, image: [8, 8], convolutions: [{b}, {c}]}}\ndata: {{file: data/digits.csv}}"),
			2 => format!("kind: train\nmodel: {{type: cnn, image: [{a}, {b}, {c}]}}\ndata: {{file: data/digits.csv}}"),
			3 => format!("kind: train\nmodel: {{type: gpt, layers: {b}, heads: {c}, width: {b}, context: {c}}}\ndata: {{text: data/sums.txt}}"),
			_ => format!("kind: infer-batch\nmodel: {{directory: models/digits}}\ndata: {{rows: data/digits.csv, label: {a}}}"),
		};
		let rest = match model.starts_with("kind: infer") {
			true => format!("infer: {{task: classify, batch: {batch}}}"),
			false => format!("train: {{steps: {steps}, batch: {batch}}}"),
		};
		let (milestones, segments) = (size(6), size(6));
		let text =
			format!("{model}\n{rest}\nverify: {{milestones: {milestones}, segments: {segments}}}\noffer: {{max: 5}}\n");
		let draft =
			JobFile::parse("job.yaml", &text).map_err(Into::into).and_then(|file| Draft::build(file, &examples()));
		match draft {
			Ok(draft) => {
				made += 1;
				assert!(draft.items > 0 && draft.spec.memory_mib > 0);
			}
			Err(error) => {
				refused += 1;
				let error = error.to_string();
				assert!(error.starts_with("job.yaml:") && error.contains("; "), "{text}: {error}");
			}
		}
	}
	println!("{made} made, {refused} refused");
	assert!(made > 10 && refused > 100, "{made} {refused}");
}
