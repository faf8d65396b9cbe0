//! What was made of texts and of rows, item by item.

use super::{super::text::Coder, Evaluated};
use assay_engine::Tensor;
use assay_import::Generation;
use serde_json::{json, Value};

/// Texts and what was made of them.
#[derive(Clone, Debug)]
pub struct Texts {
	/// The texts.
	pub texts: Vec<String>,
	/// Their tokens.
	pub tokens: Vec<Vec<u32>>,
	/// Texts at a time.
	pub batch: u32,
	/// What was made.
	pub made: Generated,
}

/// What was made of texts.
#[derive(Clone, Debug)]
pub enum Generated {
	/// Their continuations.
	Text {
		/// How.
		config: Generation,
		/// From tokens to text.
		coder: Coder,
	},
	/// A row of numbers each.
	Rows,
	/// The logits of classes each.
	Classes,
}

/// Rows that were classified.
#[derive(Clone, Debug)]
pub struct Rows {
	/// Rows.
	pub items: u32,
	/// Rows at a time.
	pub batch: u32,
	/// The class that each should get, where the client knows.
	pub labels: Option<Vec<u32>>,
	/// Scores are logits.
	pub logits: bool,
}

/// The numbers of each row of `output`, of as many items as `groups` groups of `batch` are.
fn numbers(output: &Tensor, groups: u64, batch: u32) -> impl Iterator<Item = Vec<f32>> {
	let cols = output.spec().cols.max(1) as usize;
	let done = usize::try_from(groups.saturating_mul(batch.into())).unwrap_or(usize::MAX);
	let rows: Vec<Vec<f32>> = output.to_f32().chunks(cols).take(done).map(<[f32]>::to_vec).collect();
	rows.into_iter()
}

/// Place of the largest number, the first of equal ones.
fn class(scores: &[f32]) -> usize {
	let best = scores.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (class, score)| match *score > best.1 {
		true => (class, *score),
		false => best,
	});
	best.0
}

impl Texts {
	/// A JSON object for each text, in their order, as far as `steps` steps come.
	pub fn lines<'a>(&'a self, output: &'a Tensor, steps: u64) -> impl Iterator<Item = Value> + 'a {
		let (groups, continued) = match &self.made {
			Generated::Text { config, .. } => {
				(steps / u64::from(output.spec().cols.max(1)), config.continuations(&self.tokens, output))
			}
			_ => (steps, Vec::new()),
		};
		let mut continued = continued.into_iter();
		let rows = numbers(output, groups, self.batch);
		self.texts.iter().zip(rows).enumerate().map(move |(item, (text, row))| match &self.made {
			Generated::Text { coder, config } => {
				let tokens = continued.next().unwrap_or_default();
				let ended = tokens.len() < config.tokens as usize;
				json!({"item": item, "prompt": text, "text": coder.decode(&tokens), "tokens": tokens, "ended": ended})
			}
			Generated::Rows => json!({"item": item, "input": text, "embedding": row}),
			Generated::Classes => json!({"item": item, "input": text, "class": class(&row), "logits": row}),
		})
	}
}

impl Rows {
	/// A JSON object for each row, in their order, as far as `steps` steps come. A model of one output has no classes.
	pub fn lines<'a>(&'a self, output: &'a Tensor, steps: u64) -> impl Iterator<Item = Value> + 'a {
		numbers(output, steps, self.batch).enumerate().map(|(item, scores)| {
			let mut line = json!({"item": item, "scores": scores});
			if scores.len() > 1 {
				line["class"] = class(&scores).into();
			}
			if let Some(label) = self.labels.as_ref().and_then(|labels| labels.get(item)) {
				line["label"] = (*label).into();
			}
			line
		})
	}

	/// The same as comma-separated text, the first line names the columns.
	pub fn table(&self, output: &Tensor, steps: u64) -> String {
		let classes = output.spec().cols;
		let mut text = String::from("item");
		if classes > 1 {
			text.push_str(",class");
		}
		(0..classes).for_each(|class| text.push_str(&format!(",score{class}")));
		text.push('\n');
		for (item, scores) in numbers(output, steps, self.batch).enumerate() {
			text.push_str(&item.to_string());
			if classes > 1 {
				text.push_str(&format!(",{}", class(&scores)));
			}
			scores.iter().for_each(|score| text.push_str(&format!(",{score}")));
			text.push('\n');
		}
		text
	}

	/// How many rows got the class that they should, where that is known and all are done.
	pub(super) fn evaluated(&self, output: &Tensor, steps: u64) -> Option<Evaluated> {
		// A model of one output has no classes.
		let labels = self.labels.as_ref().filter(|_| output.spec().cols > 1)?;
		let (mut right, mut loss, mut rows) = (0u32, 0f64, 0u32);
		for (scores, label) in numbers(output, steps, self.batch).zip(labels) {
			rows += 1;
			right += u32::from(class(&scores) == *label as usize);
			let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
			let sum: f64 = scores.iter().map(|score| f64::from(*score - largest).exp()).sum();
			// A class that the model does not have counts as one far below.
			let own = scores.get(*label as usize).map_or(-1e3, |score| f64::from(*score - largest));
			loss += sum.ln() - own;
		}
		let mean = (loss / f64::from(rows.max(1))) as f32;
		let accuracy = right as f32 / rows.max(1) as f32;
		Some(Evaluated { accuracy: Some(accuracy), loss: self.logits.then_some(mean), held_out: rows })
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_program::DType;

	fn output(numbers: &[f32], cols: u32) -> Tensor {
		let bits = numbers.iter().map(|number| number.to_bits()).collect();
		Tensor::new(DType::F32, numbers.len() as u32 / cols, cols, bits).unwrap()
	}

	#[test]
	fn only_rows_that_are_done_are_shown() {
		let rows = Rows { items: 3, batch: 2, labels: Some(vec![1, 1, 0]), logits: true };
		let output = output(&[0.0, 2.0, 5.0, 5.0, -1.5, -1.0], 2);
		assert_eq!(rows.lines(&output, 0).count(), 0);
		let lines: Vec<Value> = rows.lines(&output, 1).collect();
		assert_eq!(lines[0], json!({"item": 0, "class": 1, "label": 1, "scores": [0.0, 2.0]}));
		// The first of equal ones.
		assert_eq!((lines.len(), &lines[1]["class"]), (2, &json!(0)));
		assert_eq!(rows.table(&output, 9), "item,class,score0,score1\n0,1,0,2\n1,0,5,5\n2,1,-1.5,-1\n");
		let all = rows.evaluated(&output, 2).unwrap();
		assert_eq!((all.accuracy, all.held_out), (Some(1.0 / 3.0), 3));
		let expected = ((1.0 + (-2f64).exp()).ln() + 2f64.ln() + (1.0 + 0.5f64.exp()).ln()) / 3.0;
		assert!((f64::from(all.loss.unwrap()) - expected).abs() < 1e-6, "{all:?}");
		let unknown = Rows { labels: None, ..rows.clone() };
		assert!(unknown.evaluated(&output, 2).is_none());
		assert!(Rows { logits: false, ..rows }.evaluated(&output, 2).unwrap().loss.is_none());
	}

	#[test]
	fn one_number_has_no_class() {
		let rows = Rows { items: 2, batch: 1, labels: None, logits: false };
		let output = output(&[0.25, -4.0], 1);
		assert_eq!(Rows { labels: Some(vec![0, 1]), ..rows.clone() }.evaluated(&output, 2), None);
		assert_eq!(rows.lines(&output, 2).last(), Some(json!({"item": 1, "scores": [-4.0]})));
		assert_eq!(rows.table(&output, 2), "item,score0\n0,0.25\n1,-4\n");
	}
}
