//! Why a file is not imported, and what to do about it.

use std::path::{Path, PathBuf};

/// Why a file is not imported. Each message names the file, the place in it and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
	/// The file cannot be read or written.
	#[error("{path}: {source}")]
	Io {
		/// The file.
		path: PathBuf,
		/// What the system said.
		source: std::io::Error,
	},
	/// The directory has no file that an import needs.
	#[error("{path} is missing; {hint}")]
	Missing {
		/// The file that is not there.
		path: PathBuf,
		/// Where it comes from.
		hint: &'static str,
	},
	/// The file is longer than an honest one of its kind.
	#[error("{path}: {bytes} bytes, at most {limit} are read; this is not a {what}")]
	TooLong {
		/// The file.
		path: PathBuf,
		/// Its length.
		bytes: u64,
		/// Bytes that are read.
		limit: u64,
		/// What the file should be.
		what: &'static str,
	},
	/// The file breaks the rules of its format.
	#[error("{path}: {problem}; fetch or export the file again")]
	Malformed {
		/// The file.
		path: PathBuf,
		/// The rule.
		problem: String,
	},
	/// A tensor of the file cannot become one of a program.
	#[error("{path}: tensor `{tensor}`: {problem}")]
	Tensor {
		/// The file.
		path: PathBuf,
		/// The tensor.
		tensor: String,
		/// What is wrong with it.
		problem: TensorProblem,
	},
	/// A field of a configuration is missing, unknown, or has a value without an equivalent here.
	#[error("{path}: field `{field}`: {problem}")]
	Field {
		/// The file.
		path: PathBuf,
		/// The field.
		field: String,
		/// What is wrong with it.
		problem: FieldProblem,
	},
	/// A node of an ONNX graph has no equivalent.
	#[error("{path}: node {index} `{node}`, op {op} (opset {opset}): {problem}")]
	Node {
		/// The file.
		path: PathBuf,
		/// Position of the node.
		index: usize,
		/// Its name, or its first output's.
		node: String,
		/// Its type, with its domain where that is not ONNX's own.
		op: String,
		/// Version of the operator set that the model is written in.
		opset: i64,
		/// Why it has none.
		problem: String,
	},
	/// What the model is asked for does not fit the model.
	#[error("{0}")]
	Request(String),
	/// The tokenizer refused its file or a text.
	#[error("{path}: {problem}")]
	Tokenizer {
		/// The file.
		path: PathBuf,
		/// What it said.
		problem: String,
	},
	/// The network is not a valid program.
	#[error("the network is not a program: {0}")]
	Build(#[from] assay_models::BuildError),
	/// The program cannot be loaded.
	#[error(transparent)]
	Engine(#[from] assay_engine::EngineError),
	/// A trained model cannot be evaluated.
	#[error("evaluation: {0}")]
	Evaluate(#[from] assay_models::EvaluateError),
}

/// What is wrong with a tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
	/// It is not in the file.
	#[error("missing; the checkpoint is not of this family or size")]
	Missing,
	/// Nothing of the network reads it.
	#[error("the network has no place for it; importing without it would compute something else")]
	Unused,
	/// It has another shape than the configuration says, or other elements than its header says.
	#[error(
		"shape {found:?} where {expected:?} is expected; configuration or header and weights are not of one model"
	)]
	Shape {
		/// In the file.
		found: Vec<usize>,
		/// By the configuration or the header.
		expected: Vec<usize>,
	},
	/// Programs hold matrices.
	#[error("shape {0:?}: programs hold tensors of one or two non-empty dimensions below 2^32")]
	Rank(Vec<usize>),
	/// Its element type has no exact place in f32 or i32.
	#[error("type {0} does not fit f32 or i32 exactly; convert to F32, F16, BF16, I32 or I64 first")]
	Type(String),
	/// It holds floating-point numbers where integers are needed, or the other way round.
	#[error("type {found} where {expected} is needed")]
	OtherType {
		/// In the file.
		found: String,
		/// What the network reads.
		expected: &'static str,
	},
	/// An I64 element is outside of i32.
	#[error("element {element} is {value}, outside of i32")]
	OutOfRange {
		/// Position, row-major.
		element: u64,
		/// Its value.
		value: i64,
	},
	/// An element is NaN or infinite: any run would fail on it.
	#[error("element {element} is NaN or infinite; the checkpoint is broken")]
	NotFinite {
		/// Position, row-major.
		element: u64,
	},
	/// The name is longer than a program allows.
	#[error("the name is longer than {limit} bytes; rename it", limit = assay_program::types::MAX_NAME)]
	Name,
	/// Memory for it cannot be had.
	#[error("{0} bytes cannot be allocated; import on a machine with more memory")]
	Memory(u64),
}

/// What is wrong with a field of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
	/// It is not there.
	#[error("missing; it has no safe default")]
	Missing,
	/// It is not one that the family is known to have.
	#[error("unknown to this family; it may change what the model computes, so remove it only if it does not")]
	Unknown,
	/// It has another JSON type, or is outside of the range that makes sense.
	#[error("{found} where {expected} is expected")]
	Value {
		/// The value, shortened.
		found: String,
		/// What is expected.
		expected: &'static str,
	},
	/// It asks for something that has no equivalent here.
	#[error("{found} has no equivalent here; supported: {supported}")]
	Unsupported {
		/// The value, shortened.
		found: String,
		/// What is supported.
		supported: &'static str,
	},
}

impl ImportError {
	pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
		move |source| ImportError::Io { path: path.into(), source }
	}

	pub(crate) fn malformed(path: &Path, problem: impl ToString) -> Self {
		ImportError::Malformed { path: path.into(), problem: problem.to_string() }
	}

	pub(crate) fn tensor(path: &Path, tensor: &str, problem: TensorProblem) -> Self {
		ImportError::Tensor { path: path.into(), tensor: shortened(tensor), problem }
	}

	pub(crate) fn field(path: &Path, field: impl Into<String>, problem: FieldProblem) -> Self {
		ImportError::Field { path: path.into(), field: shortened(&field.into()), problem }
	}
}

/// At most 100 characters of a text that a file holds, for a message.
pub(crate) fn shortened(text: &str) -> String {
	const LIMIT: usize = 100;
	let mut short: String = text.chars().take(LIMIT).collect();
	if short.len() < text.len() {
		short.push_str("...");
	}
	short
}
