//! Walks a graph, node by node, and makes a program of it.

use std::{
	collections::{BTreeMap, BTreeSet},
	path::{Path, PathBuf},
	rc::Rc,
};

use assay_engine::Tensor;
use assay_models::{Graph, Model};
use assay_program::{BinaryKind, DType, Header, Init, Lane, Limits};

use super::{
	array::{elements, Held, Lowering, Refusal},
	node::Call,
	ops,
	proto::{self, Node, Port},
	tensor::{type_name, Constant},
};
use crate::{error::shortened, ImportError, OUTPUT};

/// Longest file that is read: more is not a protocol buffer.
const MAX_FILE: u64 = (1 << 31) - 1;

/// Versions of ONNX's own operator set whose ops mean what is lowered here.
const OPSETS: core::ops::RangeInclusive<i64> = 7..=28;

/// Most dimensions of a tensor.
const MAX_RANK: usize = 12;

/// A model in one file, read but not decoded.
#[derive(Debug)]
pub struct Onnx {
	pub(super) path: PathBuf,
	bytes: Vec<u8>,
}

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxPort {
	/// Name in the graph.
	pub name: String,
	/// Element type, as ONNX spells it.
	pub dtype: &'static str,
	/// Extents, `None` for one that the program fixes; no list where the file has no shape.
	pub shape: Option<Vec<Option<u64>>>,
}

/// The value of an input, which becomes data of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxInput {
	/// Name in the graph.
	pub name: String,
	/// Extents.
	pub shape: Vec<usize>,
	/// F32 or I32 elements in row-major order, in any number of columns.
	pub tensor: Tensor,
}

impl Onnx {
	/// Reads a file and checks that it is a model in a version that is known.
	pub fn open(path: &Path) -> Result<Self, ImportError> {
		let bytes = crate::json::read_file(path, MAX_FILE, "model in one file")?;
		let onnx = Self { path: path.into(), bytes };
		onnx.opset(&onnx.model()?)?;
		Ok(onnx)
	}

	/// What the model reads.
	pub fn inputs(&self) -> Result<Vec<OnnxPort>, ImportError> {
		let model = self.model()?;
		let initial: BTreeSet<&str> = model.graph.initializers.iter().map(|tensor| tensor.name).collect();
		Ok(model.graph.inputs.iter().filter(|input| !initial.contains(input.name)).map(port).collect())
	}

	/// What the model computes.
	pub fn outputs(&self) -> Result<Vec<OnnxPort>, ImportError> {
		Ok(self.model()?.graph.outputs.iter().map(port).collect())
	}

	/// The program of one step that computes the outputs on `inputs`. It leaves them in its state, the first as
	/// [`OUTPUT`], each further one as `output1` and so on: matrices whose columns are the last extent.
	///
	/// [`ImportError::Node`] names the node that has no equivalent.
	pub fn program(&self, inputs: &[OnnxInput]) -> Result<Model, ImportError> {
		let model = self.model()?;
		let opset = self.opset(&model)?;
		let mut walk = Walk::new(&self.path, &model.graph, (1, Lane::F32))?;
		walk.inputs(&model.graph, inputs)?;
		for (index, node) in model.graph.nodes.iter().enumerate() {
			walk.node(index, node, opset)?;
		}
		walk.finish(&model.graph.outputs)
	}

	pub(super) fn model(&self) -> Result<proto::Model<'_>, ImportError> {
		proto::Model::read(&self.bytes).map_err(|error| ImportError::malformed(&self.path, error))
	}

	pub(super) fn opset(&self, model: &proto::Model<'_>) -> Result<i64, ImportError> {
		let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
		let version = model.opsets.iter().find(|(domain, _)| own(domain)).map_or(0, |(_, version)| *version);
		if OPSETS.contains(&version) {
			return Ok(version);
		}
		let (first, last) = (OPSETS.start(), OPSETS.end());
		let problem =
			format!("operator set {version}; {first} to {last} are known. Convert it with onnx.version_converter");
		Err(ImportError::Request(format!("{}: {problem}", self.path.display())))
	}
}

fn port(port: &Port<'_>) -> OnnxPort {
	OnnxPort { name: shortened(port.name), dtype: type_name(port.data_type), shape: port.shape.clone() }
}

/// The values of the graph so far.
pub(super) struct Walk<'a> {
	path: &'a Path,
	pub(super) values: BTreeMap<&'a str, Held>,
	pub(super) lowering: Lowering,
}

impl<'a> Walk<'a> {
	/// The graph's initial values, for batches of so many rows in a lane.
	pub(super) fn new(
		path: &'a Path,
		graph: &proto::Graph<'a>,
		(batch, lane): (u32, Lane),
	) -> Result<Self, ImportError> {
		let (mut values, mut total) = (BTreeMap::new(), 0u64);
		for tensor in &graph.initializers {
			let problem = |problem| ImportError::tensor(path, tensor.name, problem);
			let constant = tensor.constant().map_err(problem)?;
			total = total.saturating_add(elements(constant.shape()));
			let held = Held::Known(Rc::new(constant), Some(tensor.name.into()));
			if values.insert(tensor.name, held).is_some() {
				return Err(ImportError::malformed(
					path,
					format!("two initial values are `{}`", shortened(tensor.name)),
				));
			}
		}
		// A weight in the order of its product, and that in int8.
		let budget = total.saturating_mul(4).saturating_add(1 << 24);
		Ok(Self { path, values, lowering: Lowering::new(budget, batch, lane) })
	}

	fn inputs(&mut self, graph: &proto::Graph<'a>, inputs: &[OnnxInput]) -> Result<(), ImportError> {
		for port in &graph.inputs {
			if !self.values.contains_key(port.name) {
				self.input(port, inputs)?;
			}
		}
		match inputs.iter().find(|input| !self.values.contains_key(input.name.as_str())) {
			Some(input) => Err(ImportError::Request(format!("the model has no input `{}`", input.name))),
			None => Ok(()),
		}
	}

	fn input(&mut self, port: &Port<'a>, inputs: &[OnnxInput]) -> Result<(), ImportError> {
		let name = shortened(port.name);
		let request = |problem: &str| ImportError::Request(format!("input `{name}`: {problem}"));
		let input = inputs.iter().find(|input| input.name == port.name).ok_or_else(|| request("no value is given"))?;
		let spec = input.tensor.spec();
		let shape = || port.shape.clone().unwrap_or_else(|| input.shape.iter().map(|_| None).collect());
		let fits = |(extent, fixed): (&usize, Option<u64>)| fixed.is_none_or(|fixed| fixed == *extent as u64);
		if elements(&input.shape) != spec.elements() {
			return Err(request("the shape is not that of the elements"));
		}
		if shape().len() != input.shape.len() || !input.shape.iter().zip(shape()).all(fits) {
			return Err(request(&format!("shape {:?}, the model takes {:?}", input.shape, shape())));
		}
		let (bits, shape) = (input.tensor.bits(), input.shape.clone());
		let held = match (port.data_type, spec.dtype) {
			(1, DType::F32) => Held::from(Constant::Floats { shape, bits: bits.to_vec() }),
			(6 | 7, DType::I32) => {
				Constant::Ints { shape, values: bits.iter().map(|bits| i64::from(*bits as i32)).collect() }.into()
			}
			(wanted, given) => {
				let wanted = type_name(wanted);
				return Err(request(&format!(
					"type {given:?}, the model takes {wanted}; FLOAT, INT32 and INT64 are known"
				)));
			}
		};
		// As an array at once, so that its name is the input's.
		let held = match held {
			Held::Known(constant, _) if spec.dtype == DType::F32 => {
				let named = Held::Known(constant, Some(port.name.into()));
				Held::Array(self.lowering.array(&named).map_err(|problem| request(&problem))?)
			}
			held => held,
		};
		self.values.insert(port.name, held);
		Ok(())
	}

	pub(super) fn node(&mut self, index: usize, node: &Node<'a>, opset: i64) -> Result<(), ImportError> {
		let results = self.results(node, opset).map_err(|problem| self.refusal(index, node, opset, problem))?;
		for (name, held) in node.outputs.iter().zip(results) {
			if !name.is_empty() && self.values.insert(name, held).is_some() {
				let problem = format!("`{}` has a value already", shortened(name));
				return Err(self.refusal(index, node, opset, problem));
			}
		}
		Ok(())
	}

	fn results(&mut self, node: &Node<'a>, opset: i64) -> Result<Vec<Held>, Refusal> {
		if !node.domain.is_empty() && node.domain != "ai.onnx" {
			return Err("only ONNX's own operators are known".into());
		}
		let known = |name: &&str| match self.values.get(name) {
			_ if name.is_empty() => Ok(None),
			Some(held) => Ok(Some(held.clone())),
			None => {
				Err(format!("input `{}` has no value yet: the graph has a cycle or is not sorted", shortened(name)))
			}
		};
		let inputs = node.inputs.iter().map(known).collect::<Result<_, _>>()?;
		// Outputs without a name are not asked for.
		let outputs = node.outputs.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
		let mut call = Call { op: node.op, opset, inputs, outputs, attributes: node.attributes.clone() };
		let results = ops::run(&mut self.lowering, &mut call)?;
		call.finish()?;
		if let Some(error) = self.lowering.graph.error() {
			return Err(error.to_string());
		}
		let most = Limits::default().ops;
		if self.lowering.graph.ops() > most {
			return Err(format!("with it the program has more than {most} ops"));
		}
		if let Some(held) = results.iter().find(|held| held.shape().len() > MAX_RANK) {
			return Err(format!("a result of rank {}; at most {MAX_RANK}", held.shape().len()));
		}
		if results.len() < outputs {
			return Err(format!("output {} has no equivalent", results.len()));
		}
		Ok(results)
	}

	fn finish(mut self, outputs: &[Port<'_>]) -> Result<Model, ImportError> {
		if outputs.is_empty() {
			return Err(ImportError::malformed(self.path, "the graph has no output"));
		}
		for (index, port) in outputs.iter().enumerate() {
			let request = |problem: &str| ImportError::Request(format!("output `{}`: {problem}", shortened(port.name)));
			let held = self.values.get(port.name).cloned().ok_or_else(|| request("no node computes it"))?;
			let lowered = self.lowering.array(&held).and_then(|array| self.lowering.matrix(&array));
			let value = lowered.map_err(|problem| request(&problem))?;
			let graph = &mut self.lowering.graph;
			// Only what an op computed can be kept: where it is an input, this copies it.
			let value = graph.binary(BinaryKind::Max, value, value);
			let spec = graph.spec(value);
			let name = if index == 0 { OUTPUT.to_owned() } else { format!("{OUTPUT}{index}") };
			let state = graph.state(&name, spec.rows, spec.cols, Init::Zeros);
			graph.update(state, value);
		}
		let version = assay_program::validate::VERSION;
		let header = Header { version, lane: Lane::F32, seed: [0; 32], steps: 1, batch: 1, segment_steps: 1 };
		let Lowering { graph, given, .. } = self.lowering;
		Ok(Model { program: Graph::finish(graph, header)?, data: given })
	}

	fn refusal(&self, index: usize, node: &Node<'_>, opset: i64, problem: Refusal) -> ImportError {
		let name = if node.name.is_empty() { node.outputs.first().copied().unwrap_or("") } else { node.name };
		let op = match node.domain {
			"" | "ai.onnx" => shortened(node.op),
			domain => format!("{}.{}", shortened(domain), shortened(node.op)),
		};
		ImportError::Node { path: self.path.into(), index, node: shortened(name), op, opset, problem }
	}
}
