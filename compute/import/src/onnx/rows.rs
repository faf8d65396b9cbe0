//! Programs that run a graph over many rows.

use assay_engine::Tensor;
use assay_models::{Graph, Model};

use super::{
	array::{elements, Array, Held, Lowering},
	builder::{Onnx, Walk},
	proto::Port,
};
use crate::{
	classifier::{check_rows, RowBatches},
	error::shortened,
	network::keep_rows,
	ImportError,
};

impl Onnx {
	/// The program that computes the first output for each row of `rows`, F32, `batch` rows per step. The state tensor
	/// [`crate::OUTPUT`] has a row for each: the output's elements for it.
	///
	/// The model has one f32 input, whose first extent stands for the rows of a step; the others make up a row, in row-major
	/// order. In lane I8 the products with matrices of the file are computed in int8.
	///
	/// # Errors
	/// [`ImportError::Request`] if the input or output is not of that form, or not of these rows; [`ImportError::Node`] names
	/// a node that has no equivalent.
	pub fn rows(&self, rows: &Tensor, config: &RowBatches) -> Result<Model, ImportError> {
		check_rows(rows, config)?;
		let model = self.model()?;
		let opset = self.opset(&model)?;
		let (spec, batch) = (rows.spec(), config.batch);
		let mut walk = Walk::new(&self.path, &model.graph, (batch, config.lane))?;
		let open: Vec<&Port<'_>> =
			model.graph.inputs.iter().filter(|port| !walk.values.contains_key(port.name)).collect();
		let [port] = open.as_slice() else {
			let names: Vec<String> = open.iter().map(|port| format!("`{}`", shortened(port.name))).collect();
			let problem = format!("rows are run through a model of one input; this one has {}", names.join(", "));
			return Err(ImportError::Request(if names.is_empty() { "the model has no input".into() } else { problem }));
		};
		let shape = row_shape(port, spec.cols, batch)?;
		let data = walk.lowering.graph.data("rows", spec, rows.root());
		walk.lowering.given.extend(data.tensor().map(|id| (id, rows.clone())));
		let stored = walk.lowering.graph.next_batch(data);
		walk.values.insert(port.name, Held::Array(Array::new(stored, shape)));
		for (index, node) in model.graph.nodes.iter().enumerate() {
			walk.node(index, node, opset)?;
		}
		let port = model.graph.outputs.first();
		let port = port.ok_or_else(|| ImportError::malformed(&self.path, "the graph has no output"))?;
		let request = |problem: String| ImportError::Request(format!("output `{}`: {problem}", shortened(port.name)));
		let held = walk.values.get(port.name).cloned().ok_or_else(|| request("no node computes it".into()))?;
		let array = walk.lowering.array(&held).map_err(request)?;
		let Some((first, rest)) = array.shape.split_first().filter(|(first, _)| **first as u64 == u64::from(batch))
		else {
			return Err(request(format!("shape {:?} has no row for each of {batch} rows", array.shape)));
		};
		let cols = u32::try_from(elements(rest)).map_err(|_| request(format!("{first} rows are too long")))?;
		let array = walk.lowering.in_order(&array).map_err(request)?;
		let scores = walk.lowering.with_columns(array.stored, cols);
		let Lowering { mut graph, mut given, .. } = walk.lowering;
		keep_rows(&mut graph, &mut given, scores, (spec.rows, batch))?;
		Ok(Model { program: Graph::finish(graph, config.header(spec.rows))?, data: given })
	}
}

/// The extents of an input for `batch` rows of `features` numbers.
fn row_shape(port: &Port<'_>, features: u32, batch: u32) -> Result<Vec<usize>, ImportError> {
	let request = |problem: String| Err(ImportError::Request(format!("input `{}`: {problem}", shortened(port.name))));
	if port.data_type != 1 {
		return request("rows are f32; the model takes another type".into());
	}
	let shape = port.shape.clone().unwrap_or_else(|| vec![None, None]);
	let Some((first, rest)) = shape.split_first() else { return request("a scalar has no rows".into()) };
	if let Some(fixed) = first.filter(|fixed| *fixed != u64::from(batch)) {
		return request(format!("the model takes {fixed} rows at a time, not {batch}; use `batch: {fixed}`"));
	}
	let known = rest.iter().flatten().fold(1u64, |product, extent| product.saturating_mul(*extent));
	let unknown = rest.iter().filter(|extent| extent.is_none()).count();
	let wrong = |known: u64| request(format!("the model takes {known} numbers of each row, the rows have {features}"));
	let open = match unknown {
		0 if known == u64::from(features) => 1,
		0 => return wrong(known),
		1 => match u64::from(features).checked_div(known) {
			Some(open) if open > 0 && open * known == u64::from(features) => open,
			_ => return wrong(known),
		},
		_ => return request(format!("{unknown} of its extents are open beside the first; fix all but one")),
	};
	let extent = |extent: &Option<u64>| usize::try_from(extent.unwrap_or(open));
	let row = rest.iter().map(extent).collect::<Result<Vec<_>, _>>();
	let Ok(row) = row else { return request("an extent is too large".into()) };
	Ok([&[batch as usize], row.as_slice()].concat())
}
