//! A call to the chain: names resolved through the runtime's metadata, arguments encoded by the types both sides share.

use codec::Encode;
use subxt::{
	ext::{
		scale_encode::{self, EncodeAsFields, FieldIter},
		scale_type_resolver::TypeResolver,
	},
	tx::Payload,
};

/// A dispatchable call with its encoded arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
	pallet: &'static str,
	name: &'static str,
	arguments: Arguments,
}

/// Arguments, encoded one after the other in the order the call declares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments(Vec<u8>);

impl Call {
	/// `pallet.name(arguments)`; `arguments` is the tuple of all arguments, or `()`.
	pub fn new(pallet: &'static str, name: &'static str, arguments: impl Encode) -> Self {
		Self { pallet, name, arguments: Arguments(arguments.encode()) }
	}

	/// `pallet.name`, for messages.
	pub fn label(&self) -> String {
		format!("{}.{}", self.pallet, self.name)
	}

	/// Length of the encoded arguments, bytes.
	pub fn size(&self) -> usize {
		self.arguments.0.len()
	}
}

impl EncodeAsFields for Arguments {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		_: &mut dyn FieldIter<'_, R::TypeId>,
		_: &R,
		out: &mut Vec<u8>,
	) -> Result<(), scale_encode::Error> {
		out.extend(&self.0);
		Ok(())
	}
}

impl Payload for Call {
	type CallData = Arguments;

	fn pallet_name(&self) -> &str {
		self.pallet
	}

	fn call_name(&self) -> &str {
		self.name
	}

	fn call_data(&self) -> &Arguments {
		&self.arguments
	}
}
