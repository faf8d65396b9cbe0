//! The messages of ONNX that an import reads, by the field numbers of `onnx.proto`.

use super::wire::{Field, Fields, WireError};

/// Most nodes, and most initial values; programs have no more ops and tensors.
const MAX_ITEMS: usize = 1 << 14;

/// Most attributes of a node.
const MAX_ATTRIBUTES: usize = 16;

/// Most inputs or outputs of a node, dimensions of a shape, or domains.
const MAX_PARTS: usize = 64;

/// Why a file is not a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtoError {
	#[error("not a protocol buffer of ONNX: {0}")]
	Wire(#[from] WireError),
	#[error("more than {limit} {what}")]
	TooMany { what: &'static str, limit: usize },
	#[error("{0}")]
	Other(&'static str),
}

#[derive(Debug, Default)]
pub(crate) struct Model<'a> {
	/// Domain and version of the operator sets.
	pub(crate) opsets: Vec<(&'a str, i64)>,
	pub(crate) graph: Graph<'a>,
}

#[derive(Debug, Default)]
pub(crate) struct Graph<'a> {
	pub(crate) nodes: Vec<Node<'a>>,
	pub(crate) initializers: Vec<TensorProto<'a>>,
	pub(crate) inputs: Vec<Port<'a>>,
	pub(crate) outputs: Vec<Port<'a>>,
}

#[derive(Debug, Default)]
pub(crate) struct Node<'a> {
	pub(crate) name: &'a str,
	pub(crate) op: &'a str,
	pub(crate) domain: &'a str,
	pub(crate) inputs: Vec<&'a str>,
	pub(crate) outputs: Vec<&'a str>,
	pub(crate) attributes: Vec<Attribute<'a>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Attribute<'a> {
	pub(crate) name: &'a str,
	pub(crate) float: f32,
	pub(crate) int: i64,
	pub(crate) text: &'a [u8],
	pub(crate) tensor: Option<TensorProto<'a>>,
	pub(crate) ints: Vec<i64>,
	/// `AttributeProto.AttributeType`.
	pub(crate) kind: i64,
}

/// A tensor whose elements are still encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct TensorProto<'a> {
	pub(crate) name: &'a str,
	pub(crate) dims: Vec<i64>,
	/// `TensorProto.DataType`.
	pub(crate) data_type: i64,
	pub(crate) raw: Option<&'a [u8]>,
	/// Packed `float_data`.
	pub(crate) floats: &'a [u8],
	/// Packed `int32_data` or `int64_data`.
	pub(crate) ints: &'a [u8],
	pub(crate) external: bool,
}

/// An input or output of the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Port<'a> {
	pub(crate) name: &'a str,
	/// `TensorProto.DataType`; 0 where the file does not say.
	pub(crate) data_type: i64,
	/// Extents; `None` for one that is not fixed. No list where the file gives no shape.
	pub(crate) shape: Option<Vec<Option<u64>>>,
}

type Result<T> = core::result::Result<T, ProtoError>;

fn each<'a>(bytes: &'a [u8], mut read: impl FnMut(u32, Field<'a>) -> Result<()>) -> Result<()> {
	let mut fields = Fields::new(bytes);
	while let Some((number, field)) = fields.next()? {
		read(number, field)?;
	}
	Ok(())
}

fn push<T>(list: &mut Vec<T>, item: T, limit: usize, what: &'static str) -> Result<()> {
	if list.len() == limit {
		return Err(ProtoError::TooMany { what, limit });
	}
	list.push(item);
	Ok(())
}

impl<'a> Model<'a> {
	pub(crate) fn read(bytes: &'a [u8]) -> Result<Self> {
		let (mut model, mut graphs) = (Self::default(), 0);
		each(bytes, |number, field| {
			match number {
				7 => {
					graphs += 1;
					model.graph = Graph::read(field.bytes(number)?)?;
				}
				8 => push(&mut model.opsets, opset(field.bytes(number)?)?, MAX_PARTS, "operator sets")?,
				25 => return Err(ProtoError::Other("it defines functions of its own; export it with them inlined")),
				_ => {}
			}
			Ok(())
		})?;
		match graphs {
			1 => Ok(model),
			_ => Err(ProtoError::Other("it has no graph, or several")),
		}
	}
}

fn opset(bytes: &[u8]) -> Result<(&str, i64)> {
	let mut opset = ("", 0);
	each(bytes, |number, field| {
		match number {
			1 => opset.0 = field.text(number)?,
			2 => opset.1 = field.int(number)?,
			_ => {}
		}
		Ok(())
	})?;
	Ok(opset)
}

impl<'a> Graph<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self> {
		let mut graph = Self::default();
		each(bytes, |number, field| {
			match number {
				1 => push(&mut graph.nodes, Node::read(field.bytes(number)?)?, MAX_ITEMS, "nodes")?,
				5 => {
					let tensor = TensorProto::read(field.bytes(number)?)?;
					push(&mut graph.initializers, tensor, MAX_ITEMS, "initial values")?;
				}
				11 => push(&mut graph.inputs, Port::read(field.bytes(number)?)?, MAX_ITEMS, "inputs")?,
				12 => push(&mut graph.outputs, Port::read(field.bytes(number)?)?, MAX_PARTS, "outputs")?,
				15 => return Err(ProtoError::Other("it has sparse initial values; export it with dense ones")),
				_ => {}
			}
			Ok(())
		})?;
		Ok(graph)
	}
}

impl<'a> Node<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self> {
		let mut node = Self::default();
		each(bytes, |number, field| {
			match number {
				1 => push(&mut node.inputs, field.text(number)?, MAX_PARTS, "inputs of a node")?,
				2 => push(&mut node.outputs, field.text(number)?, MAX_PARTS, "outputs of a node")?,
				3 => node.name = field.text(number)?,
				4 => node.op = field.text(number)?,
				5 => {
					let attribute = Attribute::read(field.bytes(number)?)?;
					push(&mut node.attributes, attribute, MAX_ATTRIBUTES, "attributes of a node")?;
				}
				7 => node.domain = field.text(number)?,
				_ => {}
			}
			Ok(())
		})?;
		Ok(node)
	}
}

impl<'a> Attribute<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self> {
		let mut attribute = Self::default();
		each(bytes, |number, field| {
			match number {
				1 => attribute.name = field.text(number)?,
				2 => attribute.float = field.float(number)?,
				3 => attribute.int = field.int(number)?,
				4 => attribute.text = field.bytes(number)?,
				5 => attribute.tensor = Some(TensorProto::read(field.bytes(number)?)?),
				8 => ints(&mut attribute.ints, number, field, "integers of an attribute")?,
				20 => attribute.kind = field.int(number)?,
				_ => {}
			}
			Ok(())
		})?;
		Ok(attribute)
	}
}

fn ints(list: &mut Vec<i64>, number: u32, field: Field<'_>, what: &'static str) -> Result<()> {
	let mut over = false;
	field.ints(number, |int| {
		over |= list.len() == MAX_PARTS;
		if !over {
			list.push(int);
		}
	})?;
	if over {
		return Err(ProtoError::TooMany { what, limit: MAX_PARTS });
	}
	Ok(())
}

impl<'a> TensorProto<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self> {
		let mut tensor = Self::default();
		let packed = |kept: &mut &'a [u8], number: u32, field: Field<'a>| {
			if !kept.is_empty() {
				return Err(ProtoError::Other("the elements of a tensor come in several parts"));
			}
			match field {
				Field::Bytes(bytes) => *kept = bytes,
				_ => return Err(WireError::Type(number).into()),
			}
			Ok(())
		};
		each(bytes, |number, field| {
			match number {
				1 => ints(&mut tensor.dims, number, field, "dimensions")?,
				2 => tensor.data_type = field.int(number)?,
				4 => packed(&mut tensor.floats, number, field)?,
				5 | 7 => packed(&mut tensor.ints, number, field)?,
				8 => tensor.name = field.text(number)?,
				9 => tensor.raw = Some(field.bytes(number)?),
				13 => tensor.external = true,
				14 => tensor.external |= field.int(number)? == 1,
				_ => {}
			}
			Ok(())
		})?;
		Ok(tensor)
	}
}

impl<'a> Port<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self> {
		let mut port = Self::default();
		each(bytes, |number, field| {
			match number {
				1 => port.name = field.text(number)?,
				// TypeProto, of which field 1 is the type of a tensor.
				2 => each(field.bytes(number)?, |number, field| {
					if number == 1 {
						each(field.bytes(number)?, |number, field| {
							match number {
								1 => port.data_type = field.int(number)?,
								2 => port.shape = Some(shape(field.bytes(number)?)?),
								_ => {}
							}
							Ok(())
						})?;
					}
					Ok(())
				})?,
				_ => {}
			}
			Ok(())
		})?;
		Ok(port)
	}
}

fn shape(bytes: &[u8]) -> Result<Vec<Option<u64>>> {
	let mut shape = Vec::new();
	each(bytes, |number, field| {
		if number == 1 {
			let mut extent = None;
			each(field.bytes(number)?, |number, field| {
				if number == 1 {
					extent = u64::try_from(field.int(number)?).ok();
				}
				Ok(())
			})?;
			push(&mut shape, extent, MAX_PARTS, "dimensions")?;
		}
		Ok(())
	})?;
	Ok(shape)
}
