//! What is measured, the same code natively and as WebAssembly: the guest includes this file.

use alloc::vec::Vec;
use assay_commitment::layout::CHUNK_BYTES;
use assay_program::{
	shape::infer, Axis, BinaryKind, DType, OpGeometry, OpKind, OperandSpec, Reduction, StepContext, TensorSpec,
	UnaryKind, Window,
};
use assay_referee::{execute, judge, Evidence, MicroClaim, MicroOutput, Verdict};
use assay_softfloat::F32;
use codec::Decode;
use core::hint::black_box;

/// Operands of one measurement of `fma`.
pub(crate) const OPERANDS: usize = 1 << 12;

/// Batch rows of every case.
const BATCH: u32 = 64;

/// Inputs of `fma`: random signs, exponents in `[-8, 8)`, all mantissas.
pub(crate) struct Operands {
	a: Vec<F32>,
	b: Vec<F32>,
	c: Vec<F32>,
}

impl Operands {
	pub(crate) fn new() -> Self {
		let operands = |seed: u64| {
			let mut random = Random(seed);
			let mut operand = || {
				let bits = random.next();
				F32((bits & 0x807f_ffff) | ((119 + (bits >> 23) % 16) << 23))
			};
			(0..OPERANDS).map(|_| operand()).collect()
		};
		Self { a: operands(1), b: operands(2), c: operands(3) }
	}

	/// Independent operations. Returns their exclusive or.
	pub(crate) fn each(&self) -> u32 {
		let operands = self.a.iter().zip(&self.b).zip(&self.c);
		operands.fold(0, |bits, ((a, b), c)| bits ^ black_box(a.fma(*b, *c)).0)
	}

	/// Each result is the next one's summand, as in a matrix product.
	pub(crate) fn chain(&self) -> u32 {
		self.a.iter().zip(&self.b).fold(F32::ZERO, |sum, (a, b)| a.fma(*b, sum)).0
	}
}

/// An op of a shape whose micro-ops are as large as the kind's get.
#[derive(Clone)]
pub(crate) struct Case {
	pub(crate) name: &'static str,
	kind: OpKind,
	inputs: Vec<OperandSpec>,
	/// The smallest that fits, where the inputs alone decide.
	output: Option<TensorSpec>,
	elements: Elements,
}

/// Values of f32 operands.
#[derive(Clone, Copy)]
enum Elements {
	/// `±[1, 2)`: sums cancel.
	Signed,
	/// `[1, 2)`.
	Positive,
}

/// Every op kind, and both layouts where they read differently.
pub(crate) fn cases() -> Vec<Case> {
	use Elements::{Positive, Signed};
	let f32s = |rows, cols| OperandSpec::Tensor { spec: TensorSpec::f32(rows, cols), data: true };
	let ids = |rows| OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I32, rows, cols: 1 }, data: false };
	let matmul = |trans_a, trans_b| OpKind::MatMul { trans_a, trans_b };
	let blocks = |blocks| OpKind::BlockMatMul { trans_a: false, trans_b: false, blocks, share: 1 };
	let reduce = |reduction, axis| OpKind::Reduce { reduction, axis };
	let case = |name, kind, inputs, elements| Case { name, kind, inputs, output: None, elements };
	let into = |name, kind, inputs, rows, cols| {
		let output = Some(TensorSpec::f32(rows, cols));
		Case { name, kind, inputs, output, elements: Signed }
	};
	let mut cases = alloc::vec![
		case("matmul", matmul(false, false), alloc::vec![f32s(64, 4096), f32s(4096, 64)], Signed),
		case("matmul, left transposed", matmul(true, false), alloc::vec![f32s(4096, 64), f32s(4096, 64)], Signed),
		case("matmul, right transposed", matmul(false, true), alloc::vec![f32s(64, 4096), f32s(64, 4096)], Signed),
		case("matmul, both transposed", matmul(true, true), alloc::vec![f32s(4096, 64), f32s(64, 4096)], Signed),
		case("matmul of one row", matmul(false, false), alloc::vec![f32s(1, 4096), f32s(4096, 1024)], Signed),
		case("sum over columns", reduce(Reduction::Sum, Axis::Cols), alloc::vec![f32s(64, 8192)], Signed),
		case("sum over rows", reduce(Reduction::Sum, Axis::Rows), alloc::vec![f32s(8192, 1024)], Signed),
		case("max over columns", reduce(Reduction::Max, Axis::Cols), alloc::vec![f32s(64, 8192)], Signed),
		case("max over rows", reduce(Reduction::Max, Axis::Rows), alloc::vec![f32s(8192, 1024)], Signed),
		case("fma", OpKind::Fma, alloc::vec![f32s(64, 64), f32s(64, 64), f32s(64, 64)], Signed),
		case("gather", OpKind::GatherBatch { stream: 0 }, alloc::vec![f32s(1000, 64)], Signed),
		into("one hot", OpKind::OneHot, alloc::vec![ids(BATCH)], BATCH, 64),
		case("blocks of 64 rows", blocks(4), alloc::vec![f32s(256, 4096), f32s(4 * 4096, 64)], Signed),
		case("blocks of one row", blocks(64), alloc::vec![f32s(64, 4096), f32s(64 * 4096, 64)], Signed),
		case("lookup", OpKind::Lookup, alloc::vec![f32s(4096, 64), ids(64)], Signed),
		into("scatter rows", OpKind::ScatterRows, alloc::vec![ids(4096), f32s(4096, 64)], 64, 64),
		into("columns", OpKind::Columns { first: 16 }, alloc::vec![f32s(64, 64)], 64, 32),
		into("pad columns", OpKind::PadColumns { first: 16 }, alloc::vec![f32s(64, 32)], 64, 64),
		case("flatten", OpKind::Flatten, alloc::vec![f32s(64, 64)], Signed),
		case("split heads", OpKind::SplitHeads { rows: 16, heads: 8 }, alloc::vec![f32s(64, 256)], Signed),
		case("merge heads", OpKind::MergeHeads { rows: 16, heads: 8 }, alloc::vec![f32s(512, 32)], Signed),
		case("causal", OpKind::Causal { rows: 64, offset: 0, fill: 0 }, alloc::vec![f32s(64, 64)], Signed),
		case("dropout", OpKind::Dropout { stream: 0, keep: 1 << 31, scale: 0 }, alloc::vec![f32s(64, 64)], Signed),
	];
	let bytes = |rows, cols| OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I8, rows, cols }, data: true };
	let sums = |rows, cols| OperandSpec::Tensor { spec: TensorSpec { dtype: DType::I32, rows, cols }, data: false };
	let int8 = |trans_a, trans_b| OpKind::MatMulI8 { trans_a, trans_b };
	let window = |side: u32, kernel| Window {
		height: side,
		width: side,
		kernel_height: kernel,
		kernel_width: kernel,
		stride: 1,
		padding: kernel / 2,
	};
	cases.extend([
		case("int8 matmul", int8(false, false), alloc::vec![bytes(64, 4096), bytes(4096, 64)], Signed),
		case("int8 matmul, left transposed", int8(true, false), alloc::vec![bytes(4096, 64), bytes(4096, 64)], Signed),
		case("int8 matmul of one row", int8(false, false), alloc::vec![bytes(1, 4096), bytes(4096, 1024)], Signed),
		case("quantise", OpKind::Quantise, alloc::vec![f32s(64, 64), f32s(64, 1)], Signed),
		case("dequantise", OpKind::Dequantise, alloc::vec![sums(64, 64), f32s(64, 1), f32s(1, 64)], Signed),
		case("arg max", OpKind::ArgMax, alloc::vec![f32s(64, 8192)], Signed),
		case("gumbel", OpKind::Gumbel { stream: 0 }, alloc::vec![f32s(64, 64)], Signed),
		case("hadamard", OpKind::Hadamard { log2: 5, axis: Axis::Rows }, alloc::vec![f32s(64, 64)], Signed),
		case("im2col", OpKind::Im2col(window(32, 31)), alloc::vec![f32s(1024, 1)], Signed),
		case("col2im", OpKind::Col2im(window(16, 3)), alloc::vec![f32s(256, 576)], Signed),
		case("reshape", OpKind::Reshape, alloc::vec![f32s(64, 64)], Signed),
	]);
	let unary: [(&str, UnaryKind, Elements); 12] = [
		("neg", UnaryKind::Neg, Signed),
		("abs", UnaryKind::Abs, Signed),
		("relu", UnaryKind::Relu, Signed),
		("exp", UnaryKind::Exp, Signed),
		("log", UnaryKind::Log, Positive),
		("tanh", UnaryKind::Tanh, Signed),
		("sqrt", UnaryKind::Sqrt, Positive),
		("sigmoid", UnaryKind::Sigmoid, Signed),
		("erf", UnaryKind::Erf, Signed),
		("sin", UnaryKind::Sin, Signed),
		("cos", UnaryKind::Cos, Signed),
		("rsqrt", UnaryKind::Rsqrt, Positive),
	];
	let binary = [
		("add", BinaryKind::Add),
		("sub", BinaryKind::Sub),
		("mul", BinaryKind::Mul),
		("div", BinaryKind::Div),
		("max", BinaryKind::Max),
		("min", BinaryKind::Min),
		("greater", BinaryKind::Greater),
	];
	let square = f32s(64, 64);
	cases.extend(unary.map(|(name, kind, elements)| case(name, OpKind::Unary(kind), alloc::vec![square], elements)));
	cases.extend(binary.map(|(name, kind)| case(name, OpKind::Binary(kind), alloc::vec![square; 2], Signed)));
	cases
}

/// A micro-op with everything that it reads.
pub(crate) struct MicroOp {
	geometry: OpGeometry,
	context: StepContext,
	link: u32,
	accumulator: Vec<u8>,
	chunks: Vec<Vec<u8>>,
	/// Scalar operations.
	pub(crate) ops: u64,
	/// Opened bytes with their proofs, and the accumulator.
	pub(crate) bytes: u64,
}

impl MicroOp {
	/// The link of the first chunk with the most operations, and of these the one that reads the most.
	pub(crate) fn largest(case: &Case) -> Option<Self> {
		let output = case.output.or_else(|| infer(case.kind, &case.inputs, BATCH).ok())?;
		let geometry = OpGeometry::new(case.kind, case.inputs.clone(), output, BATCH).ok()?;
		let context = StepContext { seed: [1; 32], step: 0 };
		let cost = |link: &u32| geometry.micro_cost(&context, 0, *link).map(|cost| (cost.ops, cost.bytes));
		let link = (0..geometry.chain_len()).max_by_key(cost)?;
		let (ops, bytes) = cost(&link)?;
		let mut random = Random(1);
		let chunks = geometry
			.micro_inputs(&context, 0, link)?
			.iter()
			.map(|run| {
				let n = (CHUNK_BYTES << run.log2) / 4;
				match case.inputs.get(usize::from(run.operand))?.spec()?.dtype {
					DType::F32 => Some(case.elements.draw(n, &mut random)),
					DType::I32 => Some(identities(n, &mut random)),
					DType::I8 => Some((0..4 * n).map(|_| (random.next() >> 24) as u8).collect()),
				}
			})
			.collect::<Option<_>>()?;
		let accumulated = if link > 0 { geometry.accumulator_words(0)? } else { 0 };
		let accumulator = case.elements.draw(accumulated, &mut random);
		Some(Self { geometry, context, link, accumulator, chunks, ops, bytes })
	}

	/// Executes it. Returns a digest of the result, the same on every machine; `None` if it has none.
	pub(crate) fn execute(&self) -> Option<u32> {
		let chunks: Vec<&[u8]> = self.chunks.iter().map(Vec::as_slice).collect();
		let output = execute(&self.geometry, &self.context, 0, self.link, &self.accumulator, &chunks).ok()?;
		Some(match output {
			MicroOutput::Accumulator(bytes) => digest(&bytes),
			MicroOutput::Chunk(bytes) => digest(&bytes),
		})
	}
}

/// Decodes an encoded claim and evidence and rules, as the chain does at the end of a dispute. True if the claim is
/// upheld; `None` if the evidence is refused.
pub(crate) fn rule(claim: &[u8], evidence: &[u8]) -> Option<bool> {
	let claim = MicroClaim::decode(&mut &*claim).ok()?;
	let evidence = Evidence::decode(&mut &*evidence).ok()?;
	judge(&claim, &evidence).ok().map(|verdict| verdict == Verdict::Upheld)
}

impl Elements {
	fn draw(self, n: usize, random: &mut Random) -> Vec<u8> {
		let element = |bits: u32| match self {
			Elements::Signed => 0x3f80_0000 | (bits & 0x807f_ffff),
			Elements::Positive => 0x3f80_0000 | (bits & 0x007f_ffff),
		};
		(0..n).flat_map(|_| element(random.next()).to_le_bytes()).collect()
	}
}

/// Integers in `0..64`.
fn identities(n: usize, random: &mut Random) -> Vec<u8> {
	(0..n).flat_map(|_| (random.next() % 64).to_le_bytes()).collect()
}

fn digest(bytes: &[u8]) -> u32 {
	bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// A linear congruential generator's upper half.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u32 {
		self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
		(self.0 >> 32) as u32
	}
}
