//! Low-rank adaptation of a frozen layer (Hu and others, 2021).

use assay_program::Init;

use crate::{Graph, Value};

/// A layer with a low-rank part beside its frozen weight.
#[derive(Clone, Copy, Debug)]
pub struct Lora {
	/// `x * weight + (x * a) * b * (alpha / rank)`.
	pub output: Value,
	/// Trained, `[columns of x, rank]`.
	pub a: Value,
	/// Trained, `[rank, width]`; zero at first, so that training starts from the frozen layer.
	pub b: Value,
}

/// The layer of `weight`, `[columns of x, width]`, with a part of rank `rank` that is scaled by `alpha / rank`. Gradients do
/// not reach `weight`: a parameter that no update assigns stays what it is, and its root in the state shows it.
pub fn lora(graph: &mut Graph, name: &str, x: Value, weight: Value, rank: u32, alpha: f32) -> Lora {
	let (columns, width) = (graph.spec(x).cols, graph.spec(weight).cols);
	let bound = (3.0 / columns as f32).sqrt();
	let a = graph.uniform_param(&format!("{name}.lora_a"), columns, rank, bound);
	let b = graph.param(&format!("{name}.lora_b"), rank, width, Init::Zeros);
	let frozen = graph.matmul(x, weight);
	let inner = graph.matmul(x, a);
	let part = graph.matmul(inner, b);
	let output = graph.fma(part, alpha / rank as f32, frozen);
	Lora { output, a, b }
}
