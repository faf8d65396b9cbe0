//! Existing models as programs.

mod error;
mod hf;
mod json;
mod network;
mod onnx;
mod safetensors;

pub use crate::{
	error::{FieldProblem, ImportError, TensorProblem},
	hf::{Checkpoint, ModelDirectory, Tokenizer, Window},
	network::{
		fine_tuning, forward, gelu_erf, Bert, BertHead, Family, FineTuning, Forward, Gpt2, Inputs, Llama, Nonlinearity,
		Rope, Rows, Scaling, Weights, OUTPUT,
	},
	onnx::{Onnx, OnnxInput, OnnxPort},
	safetensors::{write_safetensors, Dtype, Entry, Named, Safetensors},
};
