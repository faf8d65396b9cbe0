//! Training and evaluation programs of anything that turns rows into logits.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, EngineError, RunError, State, Tensor};
use assay_program::{Axis, Header, Init, Program, TensorId};

use crate::{softmax_cross_entropy, BuildError, Graph, Split, Value};

/// A program and the data it reads.
#[derive(Clone, Debug)]
pub struct Model {
	/// The program.
	pub program: Program,
	/// Its data tensors.
	pub data: Vec<(TensorId, Tensor)>,
}

/// What an optimiser works on.
pub(crate) struct Step {
	/// Parameters, in the order of `forward`.
	pub(crate) params: Vec<Value>,
	/// Their gradients.
	pub(crate) gradients: Vec<Value>,
}

/// The training program on `train`: `forward` makes logits and parameters from a batch, `update` the updates. Its metric is
/// the batch's loss.
pub(crate) fn training(
	header: Header,
	train: &Split,
	classes: u32,
	forward: impl FnOnce(&mut Graph, Value) -> (Value, Vec<Value>),
	update: impl FnOnce(&mut Graph, Step),
) -> Result<Model, BuildError> {
	let mut graph = Graph::new(header.batch);
	let (x, y, data) = inputs(&mut graph, train);
	let (x, labels) = (graph.gather_batch(x, 0), graph.gather_batch(y, 0));
	let targets = graph.one_hot(labels, classes);
	let (logits, params) = forward(&mut graph, x);
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	graph.metric(loss);
	let gradients = graph.gradients(loss, &params);
	update(&mut graph, Step { params, gradients });
	Ok(Model { program: graph.finish(header)?, data })
}

/// A program of one step that evaluates parameters on all rows of `held_out`. Its metrics are loss and accuracy; it also
/// leaves them in its state, as `evaluation.loss` and `evaluation.accuracy`.
pub(crate) fn evaluation(
	header: Header,
	held_out: &Split,
	classes: u32,
	forward: impl FnOnce(&mut Graph, Value) -> (Value, Vec<Value>),
) -> Result<Model, BuildError> {
	let rows = held_out.x.spec().rows;
	let mut graph = Graph::new(1);
	let (x, y, data) = inputs(&mut graph, held_out);
	let targets = graph.one_hot(y, classes);
	let (logits, _) = forward(&mut graph, x);
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	// A row is wrong if its largest logit is above its label's.
	let at_label = graph.mul(targets, logits);
	let at_label = graph.sum(at_label, Axis::Cols);
	let largest = graph.max(logits, Axis::Cols);
	let wrong = graph.greater(largest, at_label);
	let wrong = graph.sum(wrong, Axis::Rows);
	let share = graph.div(wrong, rows as f32);
	let accuracy = graph.sub(1.0, share);
	for (name, value) in [("evaluation.loss", loss), ("evaluation.accuracy", accuracy)] {
		let state = graph.state(name, 1, 1, Init::Zeros);
		graph.update(state, value);
		graph.metric(value);
	}
	Ok(Model { program: graph.finish(Header { steps: 1, segment_steps: 1, ..header })?, data })
}

/// How well parameters do on held-out rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
	/// Mean cross entropy, nats.
	pub loss: f32,
	/// Share of rows classified right.
	pub accuracy: f32,
}

/// Why an evaluation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
	/// The evaluation program cannot be built.
	#[error(transparent)]
	Build(#[from] BuildError),
	/// The evaluation program cannot be loaded.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The evaluation program cannot be run.
	#[error(transparent)]
	Run(#[from] RunError),
}

/// Runs the evaluation program `model` with the parameters in `state`, a state of `trained`.
pub(crate) fn evaluate(
	model: Model,
	trained: &Engine,
	state: &State,
	cpu: Arc<Cpu>,
) -> Result<Evaluation, EvaluateError> {
	let metrics = model.program.metrics.clone();
	let engine = Engine::new(model.program, model.data, cpu)?;
	let start = engine.initial_state_with(|name| trained.state_tensor_named(state, name))?;
	let values = engine.outputs(&start, &metrics)?;
	let value = |index: usize| values.get(index).and_then(|tensor| tensor.to_f32().first().copied());
	Ok(Evaluation { loss: value(0).unwrap_or(f32::NAN), accuracy: value(1).unwrap_or(f32::NAN) })
}

fn inputs(graph: &mut Graph, split: &Split) -> (Value, Value, Vec<(TensorId, Tensor)>) {
	let x = graph.data("x", split.x.spec(), split.x.root());
	let y = graph.data("y", split.y.spec(), split.y.root());
	let data = [(x, &split.x), (y, &split.y)];
	(x, y, data.into_iter().filter_map(|(value, tensor)| Some((value.tensor()?, tensor.clone()))).collect())
}
