//! Operators as ops of a program.

mod activation;
mod arrange;
mod channels;
mod conv;
mod elementwise;
mod images;
mod known;
mod logic;
mod matrix;
mod pick;
mod pool;
mod rows;
mod window;

use super::{
	array::{Held, Lowering, Refusal},
	node::Call,
};

/// Lowers one node; returns the values of its outputs.
pub(crate) fn run(to: &mut Lowering, call: &mut Call<'_>) -> Result<Vec<Held>, Refusal> {
	let one = |held: Held| Ok(vec![held]);
	match call.op {
		"Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" => one(elementwise::binary(to, call)?),
		"Pow" => one(elementwise::power(to, call)?),
		"Relu" | "Tanh" | "Sigmoid" | "Erf" | "Sqrt" | "Exp" | "Log" | "Neg" | "Abs" | "Reciprocal" | "Gelu" => {
			one(elementwise::unary(to, call)?)
		}
		"Clip" => one(activation::clip(to, call)?),
		"LeakyRelu" => one(activation::leaky(to, call)?),
		"PRelu" => one(activation::prelu(to, call)?),
		"HardSigmoid" | "HardSwish" => one(activation::hard(to, call)?),
		"Conv" => one(conv::conv(to, call)?),
		"MaxPool" | "AveragePool" => one(pool::pool(to, call)?),
		"GlobalAveragePool" | "GlobalMaxPool" => one(pool::global(to, call)?),
		"BatchNormalization" => one(channels::batch_norm(to, call)?),
		"Pad" => one(channels::pad(to, call)?),
		"MatMul" => one(matrix::matmul(to, call)?),
		"Gemm" => one(matrix::gemm(to, call)?),
		"Softmax" | "LogSoftmax" => one(rows::softmax(to, call)?),
		"LayerNormalization" => one(rows::layer_norm(to, call)?),
		"ReduceSum" | "ReduceMean" | "ReduceMax" => one(rows::reduce(to, call)?),
		"Reshape" => one(arrange::reshape(to, call)?),
		"Flatten" => one(arrange::flatten(to, call)?),
		"Squeeze" => one(arrange::squeeze(to, call)?),
		"Unsqueeze" => one(arrange::unsqueeze(to, call)?),
		"Transpose" => one(arrange::transpose(to, call)?),
		"Gather" => one(pick::gather(to, call)?),
		"Slice" => one(pick::slice(to, call)?),
		"Split" => pick::split(to, call),
		"Concat" => one(pick::concat(to, call)?),
		"Identity" => one(call.input(0)?),
		"Dropout" => one(known::dropout(call)?),
		"Constant" => one(known::constant(call)?),
		"Shape" => one(known::shape(call)?),
		"And" | "Or" | "Not" | "Equal" => one(logic::connective(to, call)?),
		"Where" => one(logic::choose(to, call)?),
		"GatherND" => one(logic::gather_nd(to, call)?),
		"Cast" => one(known::cast(call)?),
		_ => Err("the operator is not known; the page on imports lists those that are".into()),
	}
}
