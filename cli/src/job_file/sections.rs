//! The fields of every section: which one was meant, and where a field belongs that is not one of a section.

use crate::suggestion::nearest;

/// Fields of each section, as `docs/job.schema.json` has them, and what the section is called.
pub(super) const SECTIONS: [(&str, &[&str]); 19] = [
	("a job file that trains", &["kind", "model", "data", "train", "verify", "offer"]),
	("a job file of kind infer-batch", &["kind", "model", "data", "infer", "verify", "offer"]),
	("`model` of type mlp", &["type", "layers", "activation"]),
	("`model` of type cnn", &["type", "image", "convolutions", "classes"]),
	("`model` of type gpt", &["type", "layers", "heads", "width", "context", "dropout"]),
	("`model` of kind finetune", &["directory", "lora", "context"]),
	("`model` of kind infer-batch", &["directory"]),
	("`model` of kind infer-batch with `rows`", &["directory", "onnx"]),
	("`lora` under `model`", &["rank", "alpha"]),
	("`data` of types mlp and cnn", &["file", "label", "scale", "held_out"]),
	("`data` of type gpt and of kind finetune", &["text", "tokenizer", "held_out"]),
	("`data` of kind infer-batch over texts", &["lines"]),
	("`data` of kind infer-batch over rows", &["rows", "label", "scale"]),
	("`train`", &["optimiser", "rate", "momentum", "weight_decay", "batch", "steps", "seed", "lane"]),
	("`infer` over texts", &["task", "tokens", "temperature", "seed", "end_token", "pooling", "batch", "lane"]),
	("`infer` over rows", &["task", "batch", "lane"]),
	("`verify`", &["milestones", "segments", "drawn", "verifiers", "insured_value", "fee"]),
	("`offer`", &["max", "best_bid", "ramp", "deadline"]),
	("`ramp` under `offer`", &["start", "blocks"]),
];

/// What other tools call a field, and what it may be called here.
const SYNONYMS: [(&str, &[&str]); 26] = [
	("rate", &["learning_rate", "lr", "step_size"]),
	("steps", &["iterations", "iters", "max_steps", "num_steps", "n_steps", "train_steps", "max_iters"]),
	("steps", &["epochs", "epoch", "num_epochs", "n_epochs", "num_train_epochs"]),
	("batch", &["batch_size", "batchsize", "bs", "minibatch", "per_device_train_batch_size"]),
	("weight_decay", &["decay", "wd", "l2"]),
	("optimiser", &["optimizer", "optim", "algorithm"]),
	("lane", &["precision", "dtype", "quantization", "quantisation", "quantize", "int8"]),
	("seed", &["random_seed", "random_state", "rng_seed"]),
	(
		"layers",
		&["hidden", "hidden_layers", "hidden_sizes", "num_layers", "n_layer", "n_layers", "num_hidden_layers", "depth"],
	),
	("heads", &["num_heads", "n_head", "n_heads", "num_attention_heads"]),
	("width", &["hidden_size", "d_model", "n_embd", "embedding_size", "dim", "embed_dim"]),
	("context", &["block_size", "seq_len", "sequence_length", "max_length", "max_seq_length", "n_positions", "n_ctx"]),
	("activation", &["act", "nonlinearity", "activation_function", "hidden_act"]),
	("image", &["input_shape", "image_size", "img_size", "shape", "size"]),
	("convolutions", &["conv", "convs", "channels", "filters", "conv_channels"]),
	("classes", &["num_classes", "n_classes", "num_labels", "outputs"]),
	("label", &["target", "target_column", "label_column", "y", "class"]),
	("held_out", &["validation_split", "val_split", "test_size", "test_split", "holdout", "hold_out", "eval_split"]),
	("tokens", &["max_tokens", "max_new_tokens", "num_tokens", "n_predict"]),
	("end_token", &["stop", "eos", "eos_token", "eos_token_id", "stop_token", "stop_sequences", "end"]),
	("temperature", &["temp"]),
	("rank", &["r", "lora_rank", "lora_r"]),
	("alpha", &["lora_alpha"]),
	("type", &["architecture", "arch", "model_type", "name"]),
	("max", &["price", "max_price", "budget", "amount", "bid"]),
	("deadline", &["timeout", "max_blocks"]),
];

/// Sections and files by other names; which of them a section has tells which is meant.
const PLACES: [(&str, &[&str]); 7] = [
	(
		"file text lines rows",
		&["path", "file", "csv", "dataset", "input", "inputs", "data", "train_file", "source", "texts", "prompts"],
	),
	(
		"directory onnx",
		&["path", "dir", "folder", "checkpoint", "model", "model_path", "pretrained", "model_name_or_path"],
	),
	("data", &["dataset", "datasets", "input", "inputs"]),
	("train infer", &["training", "trainer", "hyperparameters", "params", "training_args"]),
	("infer train", &["inference", "generate", "generation", "predict"]),
	("verify", &["verification", "check", "checks"]),
	("offer", &["payment", "price", "max_price", "budget", "max", "market", "auction"]),
];

/// What to do about `field`, which is none of those that are `allowed` where it stands.
pub(super) fn advice(field: &str, allowed: &[&str]) -> String {
	let listed = allowed.join(", ");
	if let Some(meant) = synonym(field, allowed) {
		let unit = match (meant, field.contains("epoch")) {
			("steps", true) => "an epoch is as many steps as the data has batches; ",
			_ => "",
		};
		let written = if meant == "offer" { "offer: {max: 20 UNIT}" } else { meant };
		return format!("did you mean `{written}`? {unit}allowed here: {listed}");
	}
	if let Some((meant, section)) = elsewhere(field) {
		let written = if meant == field { "it".into() } else { format!("`{meant}`, which is meant perhaps,") };
		return format!("{written} belongs to {section}; allowed here: {listed}");
	}
	match nearest(field, allowed.iter().copied()) {
		Some(meant) => format!("did you mean `{meant}`? allowed here: {listed}"),
		None => format!("remove it; allowed here: {listed}"),
	}
}

/// The allowed field that other tools call so.
fn synonym<'a>(field: &str, allowed: &[&'a str]) -> Option<&'a str> {
	let lower = field.to_lowercase().replace('-', "_");
	let own = |meant: &str| allowed.iter().copied().find(|allowed| *allowed == meant);
	let spelt = own(&lower).filter(|_| lower != field);
	let named =
		SYNONYMS.iter().filter(|(_, others)| others.contains(&lower.as_str())).find_map(|(meant, _)| own(meant));
	let place = || {
		let lists = PLACES.iter().filter(|(_, others)| others.contains(&lower.as_str()));
		lists.flat_map(|(meant, _)| meant.split(' ')).find_map(own)
	};
	spelt.or(named).or_else(place)
}

/// The section that has a field of this name, or of the name that it has here.
fn elsewhere(field: &str) -> Option<(&str, &'static str)> {
	let of = |name: &str| SECTIONS.iter().find(|(_, fields)| fields.contains(&name)).map(|(section, _)| *section);
	let named = || SYNONYMS.iter().find(|(_, others)| others.contains(&field)).map(|(meant, _)| *meant);
	of(field).map(|section| (field, section)).or_else(|| {
		let meant = named()?;
		of(meant).map(|section| (meant, section))
	})
}

/// What a section that lacks `field` may be given.
pub(super) fn missing(field: &str) -> String {
	let example = match field {
		"kind" => "`kind: train`, `kind: finetune` or `kind: infer-batch`",
		"model" => "`model: {type: mlp, layers: [64, 128, 10]}` or another; the table in docs/job-file.md lists them",
		"type" => "`type: mlp`, `type: cnn` or `type: gpt`",
		"layers" => "`layers: [64, 128, 10]`: features, widths of the hidden layers, classes",
		"image" => "`image: [8, 8]`: rows and columns of pixels",
		"data" => {
			"`data:` with the file: `{file: data.csv}`, `{text: data.txt}`, `{lines: texts.txt}` or `{rows: data.csv}`"
		}
		"file" => "`file: data.csv`, relative to the job file",
		"text" => "`text: data.txt`, relative to the job file",
		"lines" => {
			"`lines: texts.txt` with a text in each line, or `rows: data.csv` with numbers, relative to the job file"
		}
		"rows" => "`rows: data.csv` with numbers, relative to the job file",
		"directory" => "`directory: FOLDER` with config.json and safetensors, relative to the job file",
		"train" => "`train: {steps: 1200}`",
		"steps" => "`steps: 1200`",
		"infer" => "`infer: {task: generate}`, or `embed` or `classify`",
		"task" => "`task: generate`, `task: embed` or `task: classify`",
		"offer" => "`offer: {max: 20 UNIT}`",
		"max" => "`max: 20 UNIT`",
		"start" => "`start: 2 UNIT`",
		"blocks" => "`blocks: 10`",
		_ => return "add it; docs/job-file.md lists every field".into(),
	};
	format!("add {example}")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn other_names_lead_to_the_field() {
		let train = SECTIONS.iter().find(|(name, _)| *name == "`train`").unwrap().1;
		for (written, meant) in [("learning_rate", "rate"), ("lr", "rate"), ("batch_size", "batch"), ("Steps", "steps")]
		{
			let advice = advice(written, train);
			assert!(advice.starts_with(&format!("did you mean `{meant}`?")), "{advice}");
		}
		assert!(advice("epochs", train).contains("did you mean `steps`? an epoch is"));
		assert!(advice("learnrate", train).contains("remove it") || advice("learnrate", train).contains("rate"));
		assert!(advice("tokens", train).starts_with("it belongs to `infer` over texts"));
		assert!(advice("max_new_tokens", train).contains("`tokens`, which is meant perhaps, belongs to `infer`"));
		assert!(advice("path", &["lines"]).contains("`lines`"));
		assert!(advice("dataset", &["kind", "model", "data", "train", "verify", "offer"]).contains("`data`"));
	}

	/// No other name of a field is the name of one.
	#[test]
	fn synonyms_are_no_fields() {
		let fields: Vec<&str> = SECTIONS.iter().flat_map(|(_, fields)| fields.iter().copied()).collect();
		for (meant, others) in SYNONYMS {
			assert!(fields.contains(&meant), "{meant}");
			assert!(others.iter().all(|other| !fields.contains(other)), "{others:?}");
		}
	}

	/// The names of the properties of every object in the schema.
	fn objects(value: &serde_json::Value, found: &mut Vec<Vec<String>>) {
		if let Some(properties) = value["properties"].as_object() {
			found.push(properties.keys().cloned().collect());
		}
		let inner = value.as_object().map(|object| object.values().collect::<Vec<_>>());
		let inner = inner.or_else(|| value.as_array().map(|list| list.iter().collect())).unwrap_or_default();
		inner.into_iter().for_each(|value| objects(value, found));
	}

	#[test]
	fn the_sections_are_those_of_the_schema() {
		let schema: serde_json::Value = serde_json::from_str(include_str!("../../../docs/job.schema.json")).unwrap();
		let mut found = Vec::new();
		objects(&schema, &mut found);
		let sorted = |mut names: Vec<String>| {
			names.sort();
			names
		};
		let mut found: Vec<Vec<String>> = found.into_iter().map(sorted).collect();
		let own = SECTIONS.iter().map(|(_, fields)| sorted(fields.iter().map(|field| field.to_string()).collect()));
		let mut own: Vec<Vec<String>> = own.collect();
		for list in [&mut found, &mut own] {
			list.sort();
			list.dedup();
		}
		assert_eq!(own, found);
	}
}
