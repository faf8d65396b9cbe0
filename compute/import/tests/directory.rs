//! Directories that are not what they should be, and tokenizers.

mod support;

use std::path::Path;

use assay_engine::Tensor;
use assay_import::{forward, Family, FieldProblem, Forward, ImportError, Inputs, ModelDirectory, Rows, TensorProblem};
use assay_program::DType;
use serde_json::{json, Value};
use support::{case, fixture};
use tempfile::TempDir;

/// A copy of a fixture with another `config.json`.
fn altered(name: &str, alter: impl FnOnce(&mut Value)) -> TempDir {
	let folder = TempDir::new().unwrap();
	for file in std::fs::read_dir(fixture(name)).unwrap().map(|entry| entry.unwrap().path()) {
		std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
	}
	let path = folder.path().join("config.json");
	let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
	alter(&mut config);
	std::fs::write(&path, config.to_string()).unwrap();
	folder
}

fn field(name: &str, alter: impl FnOnce(&mut Value)) -> (String, FieldProblem) {
	match ModelDirectory::open(altered(name, alter).path()) {
		Err(ImportError::Field { field, problem, .. }) => (field, problem),
		other => panic!("{other:?}"),
	}
}

/// The tensor that the network cannot be built for.
fn tensor(folder: &Path, inputs: &Inputs) -> (String, TensorProblem) {
	let directory = ModelDirectory::open(folder).unwrap();
	match forward(directory.family(), directory.checkpoint(), inputs, &Forward::default()) {
		Err(ImportError::Tensor { tensor, problem, .. }) => (tensor, problem),
		other => panic!("{other:?}"),
	}
}

#[test]
fn sizes_are_read() {
	let (directory, _, _) = case("llama");
	let Family::Llama(llama) = directory.family() else { panic!("{:?}", directory.family()) };
	assert_eq!((llama.vocabulary, llama.context, llama.layers, llama.width), (80, 24, 2, 32));
	assert_eq!((llama.heads, llama.key_heads, llama.head_width, llama.inner), (4, 2, 8, 40));
	assert_eq!((llama.epsilon, llama.rope.theta, llama.tied), (1e-6, 10_000.0, false));
}

#[test]
fn fails_when_a_field_is_missing_unknown_or_without_equivalent() {
	let unsupported = |problem: &FieldProblem| matches!(problem, FieldProblem::Unsupported { .. });
	let set = |name: &'static str, value: Value| move |config: &mut Value| config[name] = value;
	assert_eq!(field("gpt2", set("n_embd", Value::Null)), ("n_embd".into(), FieldProblem::Missing));
	assert_eq!(field("gpt2", set("soft_cap", json!(30))), ("soft_cap".into(), FieldProblem::Unknown));
	assert_eq!(field("llama", set("sliding_window", json!(4))), ("sliding_window".into(), FieldProblem::Unknown));
	let (name, problem) = field("gpt2", set("n_layer", json!(0)));
	assert_eq!(name, "n_layer");
	assert!(problem.to_string().contains("0 where a whole number from 1"), "{problem}");
	for (model, name, value) in [
		("gpt2", "model_type", json!("mamba")),
		("gpt2", "activation_function", json!("mish")),
		("gpt2", "scale_attn_by_inverse_layer_idx", json!(true)),
		("gpt2", "n_head", json!(5)),
		("gpt2", "n_head", json!(12)),
		("llama", "num_key_value_heads", json!(3)),
		("llama", "head_dim", json!(7)),
		("bert", "position_embedding_type", json!("relative_key")),
		("bert", "is_decoder", json!(true)),
		("bert", "architectures", json!(["BertForQuestionAnswering"])),
	] {
		let (found, problem) = field(model, |config| config[name] = value);
		assert_eq!(found, name);
		assert!(unsupported(&problem), "{name}: {problem}");
	}
	let rope = |rope: Value| field("llama", |config| config["rope_parameters"] = rope);
	assert_eq!(rope(json!({"rope_type": "yarn"})).0, "rope_parameters.rope_type");
	assert_eq!(rope(json!({"rope_type": "linear"})), ("rope_parameters.factor".into(), FieldProblem::Missing));
	assert_eq!(rope(json!({"beta_fast": 1})), ("rope_parameters.beta_fast".into(), FieldProblem::Unknown));
}

#[test]
fn fails_when_weights_are_not_the_configurations() {
	let (_, inputs, _) = case("gpt2");
	let folder = altered("gpt2", |config| config["n_layer"] = json!(1));
	assert_eq!(tensor(folder.path(), &inputs), ("transformer.h.1.attn.c_attn.bias".into(), TensorProblem::Unused));
	let folder = altered("gpt2", |config| config["n_layer"] = json!(3));
	assert_eq!(tensor(folder.path(), &inputs), ("transformer.h.2.ln_1.weight".into(), TensorProblem::Missing));
	let folder = altered("gpt2", |config| config["vocab_size"] = json!(81));
	let shape = TensorProblem::Shape { found: vec![80, 24], expected: vec![81, 24] };
	assert_eq!(tensor(folder.path(), &inputs), ("transformer.wte.weight".into(), shape));
	// Sizes without weights behind them are refused before anything of that size is made.
	let (_, inputs, _) = case("llama");
	let folder = altered("llama", |config| {
		config["head_dim"] = json!(1 << 24);
		config["num_attention_heads"] = json!(1 << 24);
		config["num_key_value_heads"] = json!(1);
	});
	assert_eq!(tensor(folder.path(), &inputs).0, "model.layers.0.self_attn.q_proj.weight");
}

#[test]
fn fails_when_files_are_missing_or_lead_elsewhere() {
	let folder = TempDir::new().unwrap();
	let open = || ModelDirectory::open(folder.path()).unwrap_err().to_string();
	assert!(open().contains("config.json is missing"), "{}", open());
	std::fs::copy(fixture("gpt2/config.json"), folder.path().join("config.json")).unwrap();
	std::fs::write(folder.path().join("pytorch_model.bin"), b"\x80\x02").unwrap();
	assert!(open().contains("pickled files run code"), "{}", open());
	let index = folder.path().join("model.safetensors.index.json");
	for file in ["../gpt2/model.safetensors", "/etc/passwd", ".safetensors", "weights.bin"] {
		std::fs::write(&index, json!({"weight_map": {"a": file}}).to_string()).unwrap();
		assert!(open().contains("not a plain"), "{}", open());
	}
	std::fs::write(&index, json!({"weight_map": {"a": "model-1.safetensors"}}).to_string()).unwrap();
	std::fs::copy(fixture("gpt2/model.safetensors"), folder.path().join("model-1.safetensors")).unwrap();
	assert!(open().contains("which the index does not say"), "{}", open());
	std::fs::write(folder.path().join("config.json"), vec![b' '; (1 << 20) + 1]).unwrap();
	assert!(open().contains("not a model configuration"), "{}", open());
}

#[test]
fn fails_when_inputs_are_not_the_models() {
	let refused = |name: &str, inputs: &Inputs, rows| {
		let (directory, _, _) = case(name);
		let options = Forward { rows, ..Forward::default() };
		match forward(directory.family(), directory.checkpoint(), inputs, &options) {
			Err(ImportError::Request(problem)) => problem,
			other => panic!("{other:?}"),
		}
	};
	let ids = |cols, id| Inputs::tokens(Tensor::new(DType::I32, 1, cols, vec![id; cols as usize]).unwrap());
	assert!(refused("gpt2", &ids(25, 0), Rows::Every).contains("the model has 24"));
	assert!(refused("gpt2", &ids(2, 80), Rows::Every).contains("token 80 is outside"));
	assert!(refused("gpt2", &ids(2, u32::MAX), Rows::Every).contains("token -1 is outside"));
	let (_, bert, _) = case("bert");
	assert!(refused("gpt2", &bert, Rows::Every).contains("takes tokens only"));
	assert!(refused("bert", &bert, Rows::Last).contains("no last position"));
	let types = Some(Tensor::new(DType::I32, 3, 9, vec![2; 27]).unwrap());
	assert!(refused("bert", &Inputs { types, ..bert.clone() }, Rows::Every).contains("each below 2"));
	let mask = Some(Tensor::new(DType::F32, 3, 9, vec![0.5f32.to_bits(); 27]).unwrap());
	assert!(refused("bert", &Inputs { mask, ..bert }, Rows::Every).contains("each element 0 or 1"));
}

#[test]
fn a_tokenizer_encodes_as_its_library_does_elsewhere() {
	let tokenizer = case("gpt2").0.tokenizer().unwrap().expect("the fixture has one");
	assert_eq!(tokenizer.vocabulary(), 77);
	let samples: Value = serde_json::from_slice(&std::fs::read(fixture("gpt2/tokens.json")).unwrap()).unwrap();
	for sample in samples.as_array().unwrap() {
		let ids = tokenizer.encode(sample["text"].as_str().unwrap()).unwrap();
		assert_eq!(json!(ids), sample["ids"]);
		assert_eq!(tokenizer.decode(&ids).unwrap(), sample["decoded"].as_str().unwrap());
	}
	let window = tokenizer.window(&["the program is a function", "the"], 6, 0).unwrap();
	assert_eq!(window.ids.bits()[..6], [23, 35, 63, 57, 73, 0]);
	assert_eq!(window.mask.to_f32(), [1., 1., 1., 1., 1., 0., 1., 0., 0., 0., 0., 0.]);
	assert!(case("bert").0.tokenizer().unwrap().is_none());
}

#[test]
fn fails_when_a_tokenizer_is_broken() {
	let folder = altered("gpt2", |_| ());
	let path = folder.path().join("tokenizer.json");
	let good = std::fs::read(&path).unwrap();
	for bytes in [&good[..good.len() / 2], b"{}", b"", "[".repeat(100_000).as_bytes()] {
		std::fs::write(&path, bytes).unwrap();
		let error = ModelDirectory::open(folder.path()).unwrap().tokenizer().unwrap_err();
		assert!(matches!(error, ImportError::Tokenizer { .. }), "{error}");
	}
}
