//! The fields of a configuration, each taken once; what is left over is an error.

use std::path::{Path, PathBuf};

use assay_program::shape::MIN_HEAD;
use serde_json::{Map, Value};

use crate::{
	error::{shortened, FieldProblem},
	ImportError,
};

/// Largest size that a configuration may ask for.
const MAX_SIZE: u64 = 1 << 24;

/// Fields of every family that change nothing of what a network computes from tokens.
const IRRELEVANT: &[&str] = &[
	"_name_or_path",
	"_attn_implementation",
	"architectures",
	"bos_token_id",
	"chunk_size_feed_forward",
	"dtype",
	"eos_token_id",
	"gradient_checkpointing",
	"id2label",
	"initializer_range",
	"label2id",
	"max_length",
	"model_type",
	"output_attentions",
	"output_hidden_states",
	"output_past",
	"pad_token_id",
	"problem_type",
	"return_dict",
	"sep_token_id",
	"task_specific_params",
	"torch_dtype",
	"torchscript",
	"transformers_version",
	"use_cache",
];

/// A configuration of which fields are taken one by one. `null` is as if the field were not there.
#[derive(Debug)]
pub(crate) struct Fields {
	path: PathBuf,
	/// In front of a name in messages: the fields that lead here.
	prefix: String,
	map: Map<String, Value>,
}

impl Fields {
	pub(crate) fn new(path: &Path, mut map: Map<String, Value>) -> Self {
		map.retain(|_, value| !value.is_null());
		Self { path: path.into(), prefix: String::new(), map }
	}

	/// The field's value, which stays.
	pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
		self.map.get(name)
	}

	/// A number from 1 to 2^24.
	pub(crate) fn size(&mut self, name: &str) -> Result<u32, ImportError> {
		self.optional_size(name)?.ok_or_else(|| self.error(name, FieldProblem::Missing))
	}

	pub(crate) fn optional_size(&mut self, name: &str) -> Result<Option<u32>, ImportError> {
		let fits = |value: &Value| {
			let number = value.as_u64().filter(|number| (1..=MAX_SIZE).contains(number))?;
			u32::try_from(number).ok()
		};
		self.take(name, "a whole number from 1 to 2^24", fits)
	}

	/// A list of numbers from 1 to 2^24, at most 4,096 of them.
	pub(crate) fn sizes(&mut self, name: &str) -> Result<Vec<u32>, ImportError> {
		let size =
			|value: &Value| value.as_u64().filter(|number| (1..=MAX_SIZE).contains(number)).map(|number| number as u32);
		let fits = |value: &Value| {
			let list = value.as_array().filter(|list| list.len() <= 4_096)?;
			list.iter().map(size).collect::<Option<Vec<u32>>>()
		};
		let found = self.take(name, "a list of whole numbers from 1 to 2^24", fits)?;
		found.ok_or_else(|| self.error(name, FieldProblem::Missing))
	}

	/// A number other than zero of ordinary size.
	pub(crate) fn factor(&mut self, name: &str) -> Result<f64, ImportError> {
		let fits = |value: &Value| value.as_f64().filter(|number| (1e-30..=1e30).contains(&number.abs()));
		let found = self.take(name, "a number other than 0, from -1e30 to 1e30", fits)?;
		found.ok_or_else(|| self.error(name, FieldProblem::Missing))
	}

	/// A finite number above zero, rounded to f32.
	pub(crate) fn positive(&mut self, name: &str) -> Result<f64, ImportError> {
		self.optional_positive(name)?.ok_or_else(|| self.error(name, FieldProblem::Missing))
	}

	pub(crate) fn optional_positive(&mut self, name: &str) -> Result<Option<f64>, ImportError> {
		let fits = |value: &Value| value.as_f64().filter(|number| (1e-30..=1e30).contains(number));
		self.take(name, "a number from 1e-30 to 1e30", fits)
	}

	pub(crate) fn flag(&mut self, name: &str, default: bool) -> Result<bool, ImportError> {
		Ok(self.take(name, "true or false", Value::as_bool)?.unwrap_or(default))
	}

	pub(crate) fn text(&mut self, name: &str) -> Result<String, ImportError> {
		self.optional_text(name)?.ok_or_else(|| self.error(name, FieldProblem::Missing))
	}

	pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, ImportError> {
		self.take(name, "text", |value| value.as_str().map(str::to_owned))
	}

	/// The fields of an object.
	pub(crate) fn nested(&mut self, name: &str) -> Result<Option<Fields>, ImportError> {
		let object = self.take(name, "an object", |value| value.as_object().cloned())?;
		Ok(object.map(|mut map| {
			map.retain(|_, value| !value.is_null());
			Fields { path: self.path.clone(), prefix: format!("{}{name}.", self.prefix), map }
		}))
	}

	/// The field may be absent; if it is there it must have this value.
	pub(crate) fn only(&mut self, name: &str, value: Value, supported: &'static str) -> Result<(), ImportError> {
		match self.map.remove(name) {
			Some(found) if found != value => {
				let found = shortened(&found.to_string());
				Err(self.error(name, FieldProblem::Unsupported { found, supported }))
			}
			_ => Ok(()),
		}
	}

	/// Fails if `heads` heads have fewer columns than programs split.
	pub(crate) fn head_width(&self, name: &str, heads: u32, width: u32) -> Result<(), ImportError> {
		if heads == 1 || width >= MIN_HEAD {
			return Ok(());
		}
		let found = format!("{heads} heads of {width} columns");
		Err(self.error(name, FieldProblem::Unsupported { found, supported: "heads of 8 columns or more" }))
	}

	/// Ends the reading: `irrelevant` fields, and those that are for every family, are dropped; another one is an error.
	pub(crate) fn finish(mut self, irrelevant: &[&str]) -> Result<(), ImportError> {
		let known = |name: &String| {
			let name = name.as_str();
			irrelevant.contains(&name) || (self.prefix.is_empty() && IRRELEVANT.contains(&name))
		};
		self.map.retain(|name, _| !known(name));
		match self.map.keys().next() {
			Some(name) => Err(self.error(name, FieldProblem::Unknown)),
			None => Ok(()),
		}
	}

	pub(crate) fn error(&self, name: &str, problem: FieldProblem) -> ImportError {
		ImportError::field(&self.path, format!("{}{name}", self.prefix), problem)
	}

	pub(crate) fn unsupported(&self, name: &str, found: &str, supported: &'static str) -> ImportError {
		self.error(name, FieldProblem::Unsupported { found: shortened(found), supported })
	}

	fn take<T>(
		&mut self,
		name: &str,
		expected: &'static str,
		read: impl FnOnce(&Value) -> Option<T>,
	) -> Result<Option<T>, ImportError> {
		let Some(value) = self.map.remove(name) else { return Ok(None) };
		match read(&value) {
			Some(taken) => Ok(Some(taken)),
			None => Err(self.error(name, FieldProblem::Value { found: shortened(&value.to_string()), expected })),
		}
	}
}
