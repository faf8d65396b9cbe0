//! Trained models as directories that other tools read.

use std::path::Path;

use assay_engine::Tensor;
use assay_models::TransformerConfig;
use assay_program::{DType, TensorSpec};
use serde_json::{json, Map, Value};

use crate::{write_safetensors, write_whole, ImportError, Named};

/// A model that [`assay_models::transformer`] trained, as a GPT-2 of Hugging Face: its `config.json` and its tensors by
/// name. `param` gives a trained parameter by its name in the program, such as a state's.
///
/// # Errors
/// [`ImportError::Request`] if a parameter is missing or of another shape.
pub fn export_gpt2(
	config: &TransformerConfig,
	param: impl Fn(&str) -> Option<Tensor>,
) -> Result<(Value, Vec<(String, Tensor)>), ImportError> {
	let TransformerConfig { vocabulary, context, layers, heads, width, .. } = *config;
	let inner = width.saturating_mul(4);
	let fetch = |name: &str, rows: u32, cols: u32| {
		let found = param(name).filter(|tensor| tensor.spec() == TensorSpec::f32(rows, cols));
		found.ok_or_else(|| {
			ImportError::Request(format!("no parameter `{name}` of {rows} x {cols}; the state is of another model"))
		})
	};
	let mut tensors = vec![
		("transformer.wte.weight".to_owned(), fetch("embedding", vocabulary, width)?),
		("transformer.wpe.weight".to_owned(), fetch("position_embedding", context, width)?),
	];
	for layer in 0..layers {
		let (from, to) = (format!("layer{layer}"), format!("transformer.h.{layer}"));
		for (from_part, to_part) in [("attention.norm", "ln_1"), ("feed_forward.norm", "ln_2")] {
			for (from_kind, to_kind) in [("gain", "weight"), ("bias", "bias")] {
				let tensor = fetch(&format!("{from}.{from_part}.{from_kind}"), 1, width)?;
				tensors.push((format!("{to}.{to_part}.{to_kind}"), tensor));
			}
		}
		for (kind, rows) in [("weight", width), ("bias", 1)] {
			let part = |part: &str| fetch(&format!("{from}.attention.{part}.{kind}"), rows, width);
			let joined = side_by_side(&[part("query")?, part("key")?, part("value")?])?;
			tensors.push((format!("{to}.attn.c_attn.{kind}"), joined));
		}
		for (from_part, to_part, inputs, outputs) in [
			("attention.output", "attn.c_proj", width, width),
			("feed_forward.inner", "mlp.c_fc", width, inner),
			("feed_forward.output", "mlp.c_proj", inner, width),
		] {
			for (kind, rows) in [("weight", inputs), ("bias", 1)] {
				let tensor = fetch(&format!("{from}.{from_part}.{kind}"), rows, outputs)?;
				tensors.push((format!("{to}.{to_part}.{kind}"), tensor));
			}
		}
	}
	for (from, to) in [("gain", "weight"), ("bias", "bias")] {
		tensors.push((format!("transformer.ln_f.{to}"), fetch(&format!("norm.{from}"), 1, width)?));
	}
	let config = json!({
		"model_type": "gpt2",
		"architectures": ["GPT2LMHeadModel"],
		"vocab_size": vocabulary,
		"n_positions": context,
		"n_ctx": context,
		"n_embd": width,
		"n_layer": layers,
		"n_head": heads,
		"n_inner": inner,
		"activation_function": "gelu_new",
		"layer_norm_epsilon": 1e-5,
		"tie_word_embeddings": true,
		"attn_pdrop": 0.0,
		"embd_pdrop": 0.0,
		"resid_pdrop": 0.0,
		"bos_token_id": null,
		"eos_token_id": null,
	});
	Ok((config, tensors))
}

/// A `tokenizer.json` without merges: the 256 tokens are the bytes of UTF-8, each with its value as its id.
pub fn byte_tokenizer() -> Value {
	let vocabulary: Map<String, Value> =
		byte_characters().zip(0u32..).map(|(character, id)| (character.to_string(), id.into())).collect();
	let level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
	json!({
		"version": "1.0",
		"truncation": null,
		"padding": null,
		"added_tokens": [],
		"normalizer": null,
		"pre_tokenizer": level,
		"post_processor": null,
		"decoder": level,
		"model": {
			"type": "BPE",
			"dropout": null,
			"unk_token": null,
			"continuing_subword_prefix": null,
			"end_of_word_suffix": null,
			"fuse_unk": false,
			"byte_fallback": false,
			"ignore_merges": false,
			"vocab": vocabulary,
			"merges": [],
		},
	})
}

/// The character that stands for each byte in byte-level vocabularies: its own where it is printable, else the next one
/// from U+0100 on.
fn byte_characters() -> impl Iterator<Item = char> {
	let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
	(0..=u8::MAX).scan(0u32, move |others, byte| {
		if is_printable(byte) {
			return Some(char::from(byte));
		}
		let character = char::from_u32(*others + 0x100);
		*others += 1;
		character
	})
}

/// Writes a model's directory, which must exist: `config.json`, `model.safetensors`, and `tokenizer.json` where there is
/// one. Biases and the gains of norms are written as vectors.
///
/// # Errors
/// [`ImportError::Io`] if a file cannot be written, [`ImportError::Request`] if two tensors have one name.
pub fn write_model(
	directory: &Path,
	config: &Value,
	tensors: &[(String, Tensor)],
	tokenizer: Option<&Value>,
) -> Result<(), ImportError> {
	let is_vector =
		|name: &str| name.ends_with(".bias") || name.contains("ln_") || name.to_ascii_lowercase().contains("norm");
	let named: Vec<Named<'_>> =
		tensors.iter().map(|(name, tensor)| Named { name, tensor, flat: is_vector(name) }).collect();
	write_safetensors(&directory.join("model.safetensors"), &named)?;
	let write = |name: &str, value: &Value| {
		let path = directory.join(name);
		write_whole(&path, format!("{value:#}\n").as_bytes()).map_err(ImportError::io(&path))
	};
	write("config.json", config)?;
	tokenizer.map_or(Ok(()), |tokenizer| write("tokenizer.json", tokenizer))
}

/// Matrices of the same rows as one.
fn side_by_side(parts: &[Tensor]) -> Result<Tensor, ImportError> {
	let rows = parts.first().map_or(0, |part| part.spec().rows);
	let cols = parts.iter().map(|part| part.spec().cols).sum();
	let mut bits = Vec::new();
	for row in 0..rows as usize {
		for part in parts {
			let width = part.spec().cols as usize;
			bits.extend(part.bits().iter().skip(row * width).take(width));
		}
	}
	Tensor::new(DType::F32, rows, cols, bits).map_err(|error| ImportError::Request(format!("c_attn: {error}")))
}
