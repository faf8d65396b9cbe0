//! Reads the text of a module.

use std::collections::{BTreeMap, HashMap};

use super::instruction::{Compare, DotTile, FloatOp, Instruction, Int, IntOp, Kernel, Op, Place, Source, Space};

/// Line, and the text that is not understood.
type Unknown = (usize, String);

/// The kernels of a module.
pub(crate) fn module(text: &str) -> Result<BTreeMap<String, Kernel>, Unknown> {
	let mut kernels = BTreeMap::new();
	let mut reader: Option<(String, Reader)> = None;
	for (line, text) in (1..).zip(text.lines()) {
		let code = text.split("//").next().unwrap_or("").trim();
		let unknown = || (line, code.to_owned());
		if let Some(rest) = code.strip_prefix(".visible .entry ") {
			reader = Some((rest.trim_end_matches('(').to_owned(), Reader::default()));
		} else if let Some((name, open)) = &mut reader {
			if code == "}" {
				let kernel = open.finish().ok_or_else(unknown)?;
				kernels.insert(core::mem::take(name), kernel);
				reader = None;
			} else {
				open.line(line, code).ok_or_else(unknown)?;
			}
		} else if !code.is_empty()
			&& ![".version", ".target", ".address_size"].iter().any(|word| code.starts_with(word))
		{
			return Err(unknown());
		}
	}
	Ok(kernels)
}

/// A kernel while it is read.
#[derive(Default)]
struct Reader {
	kernel: Kernel,
	registers: HashMap<String, u32>,
	/// Parameters and shared variables: where each begins.
	symbols: HashMap<String, u64>,
	labels: HashMap<String, usize>,
	/// Branches whose label may come later.
	branches: Vec<(usize, String)>,
}

impl Reader {
	fn line(&mut self, line: usize, code: &str) -> Option<()> {
		if code.is_empty() || [")", "{"].contains(&code) {
			return Some(());
		}
		if let Some(label) = code.strip_suffix(':') {
			self.labels.insert(label.to_owned(), self.kernel.code.len());
			return Some(());
		}
		if let Some(rest) = code.strip_prefix(".param ") {
			let (kind, name) = rest.trim_end_matches(',').split_once(' ')?;
			let size = type_of(kind.strip_prefix('.')?)?.bits as usize / 8;
			// A parameter's address is its number, in the high half.
			self.symbols.insert(name.to_owned(), (self.kernel.parameters.len() as u64) << 32);
			self.kernel.parameters.push(size);
			return Some(());
		}
		if code.starts_with(".shared ") {
			let mut words = code.trim_end_matches(';').split_whitespace().skip(2);
			let align: usize = words.next()?.parse().ok()?;
			let (name, len) = words.nth(1)?.trim_end_matches(']').split_once('[')?;
			let start = self.kernel.shared.next_multiple_of(align);
			self.symbols.insert(name.to_owned(), start as u64);
			self.kernel.shared = start + len.parse::<usize>().ok()?;
			return Some(());
		}
		if code.starts_with('.') {
			return [".reg ", ".pragma ", ".maxntid ", ".minnctapersm "]
				.iter()
				.any(|word| code.starts_with(word))
				.then_some(());
		}
		let mut code = code.strip_suffix(';')?;
		let mut guard = None;
		if let Some(rest) = code.strip_prefix('@') {
			let (predicate, rest) = rest.split_once(char::is_whitespace)?;
			let wanted = !predicate.starts_with('!');
			guard = Some((self.register(predicate.trim_start_matches('!'))?, wanted));
			code = rest.trim();
		}
		let (mnemonic, operands) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
		let op = self.op(mnemonic, operands.trim())?;
		self.kernel.code.push(Instruction { line, guard, op });
		Some(())
	}

	fn finish(&mut self) -> Option<Kernel> {
		for (at, label) in &self.branches {
			let target = *self.labels.get(label)?;
			if let Op::Branch { to } = &mut self.kernel.code[*at].op {
				*to = target;
			}
		}
		self.kernel.registers = self.registers.len();
		Some(core::mem::take(&mut self.kernel))
	}

	fn op(&mut self, mnemonic: &str, text: &str) -> Option<Op> {
		let parts: Vec<&str> = mnemonic.split('.').collect();
		let (base, modifiers) = parts.split_first()?;
		match (*base, modifiers) {
			("ret", []) => return Some(Op::Return),
			("bar", ["sync"]) if text == "0" => return Some(Op::Barrier),
			("bra", [] | ["uni"]) => {
				self.branches.push((self.kernel.code.len(), text.to_owned()));
				return Some(Op::Branch { to: usize::MAX });
			}
			("mma", ["sync", "aligned", "m16n8k32", "row", "col", "s32", "s8", "s8", "s32"]) => {
				return self.dot_tile(text)
			}
			("ld" | "st", modifiers) => return self.memory(*base == "ld", modifiers, text),
			_ => {}
		}
		let operands: Vec<&str> = text.split(',').map(str::trim).collect();
		let (to, sources) = operands.split_first()?;
		let to = self.register(to)?;
		let sources = sources.iter().map(|source| self.source(source)).collect::<Option<Vec<_>>>()?;
		let kind = |name: &str| type_of(name);
		match (*base, modifiers, sources.as_slice()) {
			("mov", [of], [from]) => Some(Op::Move { bits: kind(of)?.bits, to, from: *from }),
			("cvta", ["to", "global", "u64"], [from]) => Some(Op::Move { bits: 64, to, from: *from }),
			("cvt", [to_type, from_type], [from]) => {
				let from_type = kind(from_type).filter(|_| !from_type.starts_with('f') && !to_type.starts_with('f'))?;
				Some(Op::Convert { from_type, to_bits: kind(to_type)?.bits, to, from: *from })
			}
			("not", [of], [from]) => Some(Op::Not { bits: kind(of)?.bits, to, from: *from }),
			("selp", [of], [yes, no, condition]) => {
				Some(Op::Select { bits: kind(of)?.bits, to, yes: *yes, no: *no, condition: *condition })
			}
			("shf", ["l", "wrap", "b32"], [low, high, by]) => {
				Some(Op::FunnelLeft { to, low: *low, high: *high, by: *by })
			}
			("dp4a", ["s32", "s32"], [a, b, c]) => Some(Op::DotBytes { to, a: *a, b: *b, c: *c }),
			("bfi", [of @ ("b32" | "b64")], [from, into, first, len]) => {
				let bits = kind(of)?.bits;
				Some(Op::InsertBits { bits, to, from: *from, into: *into, first: *first, len: *len })
			}
			("bfe", [of @ ("u32" | "u64")], [from, first, len]) => {
				Some(Op::ExtractBits { bits: kind(of)?.bits, to, from: *from, first: *first, len: *len })
			}
			("setp", [how, "f32"], [a, b]) => {
				let or_unordered = how.len() == 3 && how.ends_with('u');
				let how = compare(if or_unordered { &how[..2] } else { how })?;
				Some(Op::CompareFloat { how, or_unordered, to, a: *a, b: *b })
			}
			("setp", [how, of], [a, b]) => Some(Op::CompareInt { how: compare(how)?, of: kind(of)?, to, a: *a, b: *b }),
			("fma", ["rn", "f32"], [a, b, c]) => Some(Op::Float { op: FloatOp::Fma, to, a: *a, b: *b, c: *c }),
			("sqrt", ["rn", "f32"], [a]) => Some(Op::Float { op: FloatOp::Sqrt, to, a: *a, b: *a, c: *a }),
			(_, ["rn", "f32"], [a, b]) => {
				let op = match *base {
					"add" => FloatOp::Add,
					"sub" => FloatOp::Sub,
					"mul" => FloatOp::Mul,
					"div" => FloatOp::Div,
					_ => return None,
				};
				Some(Op::Float { op, to, a: *a, b: *b, c: *a })
			}
			(_, modifiers, [a, b]) => {
				let (op, of) = match (*base, modifiers) {
					("mul", ["lo", of]) => (IntOp::MulLow, of),
					("mul", ["wide", of]) => (IntOp::MulWide, of),
					("add", [of]) => (IntOp::Add, of),
					("sub", [of]) => (IntOp::Sub, of),
					("min", [of]) => (IntOp::Min, of),
					("max", [of]) => (IntOp::Max, of),
					("div", [of]) => (IntOp::Div, of),
					("rem", [of]) => (IntOp::Rem, of),
					("and", [of]) => (IntOp::And, of),
					("or", [of]) => (IntOp::Or, of),
					("xor", [of]) => (IntOp::Xor, of),
					("shl", [of]) => (IntOp::Shl, of),
					("shr", [of]) => (IntOp::Shr, of),
					_ => return None,
				};
				let of = kind(of).filter(|_| !of.starts_with('f'))?;
				Some(Op::Int { op, of, to, a: *a, b: *b })
			}
			_ => None,
		}
	}

	/// Four groups of registers in braces: result, first and second operand, what is added.
	fn dot_tile(&mut self, text: &str) -> Option<Op> {
		let mut groups = text.split('}').map(|group| {
			let names = group.trim_start_matches([',', ' ']).strip_prefix('{')?;
			Some(names.split(',').map(str::trim).collect::<Vec<_>>())
		});
		let [to, a, b, c, rest] = core::array::from_fn(|_| groups.next());
		if rest.flatten().is_some() {
			return None;
		}
		let mut sources =
			|names: Vec<&str>| names.into_iter().map(|name| self.source(name)).collect::<Option<Vec<_>>>();
		let (a, b, c) = (sources(a??)?, sources(b??)?, sources(c??)?);
		let to = to??.into_iter().map(|name| self.register(name)).collect::<Option<Vec<_>>>()?;
		let (to, a, b, c) = (to.try_into().ok()?, a.try_into().ok()?, b.try_into().ok()?, c.try_into().ok()?);
		Some(Op::DotTile(Box::new(DotTile { to, a, b, c })))
	}

	/// `ld.space.vec.type to, [address]` or `st.space.vec.type [address], from`.
	fn memory(&mut self, load: bool, modifiers: &[&str], text: &str) -> Option<Op> {
		let (kind, modifiers) = modifiers.split_last()?;
		let width = type_of(kind)?.bits as usize / 8;
		let (vector, modifiers) = match modifiers.split_last() {
			Some((&"v2", rest)) => (2, rest),
			Some((&"v4", rest)) => (4, rest),
			_ => (1, modifiers),
		};
		let space = match modifiers {
			["param"] => Space::Parameter,
			// An address without a space is a global one: no kernel makes one of shared memory.
			[] | ["global"] | ["global", "nc"] => Space::Global,
			["shared"] => Space::Shared,
			_ => return None,
		};
		let (address, values) = if load {
			let (values, address) = text.rsplit_once(',')?;
			(address, values)
		} else {
			text.split_once(',')?
		};
		let address = address.trim().strip_prefix('[')?.strip_suffix(']')?;
		let (base, offset) = match address.split_once('+') {
			Some((base, offset)) => (base, offset.parse::<i64>().ok()? as u64),
			None => (address, 0),
		};
		let place = Place { space, base: self.source(base)?, offset, width };
		let values: Vec<&str> = values.trim().trim_matches(['{', '}']).split(',').map(str::trim).collect();
		if values.len() != vector {
			return None;
		}
		if load {
			let to = values.into_iter().map(|value| self.register(value)).collect::<Option<_>>()?;
			Some(Op::Load { place, to })
		} else {
			let from = values.into_iter().map(|value| self.source(value)).collect::<Option<_>>()?;
			Some(Op::Store { place, from })
		}
	}

	fn register(&mut self, name: &str) -> Option<u32> {
		let next = u32::try_from(self.registers.len()).ok()?;
		let is_register = name.starts_with('%') && !name.contains('.');
		is_register.then(|| *self.registers.entry(name.to_owned()).or_insert(next))
	}

	fn source(&mut self, text: &str) -> Option<Source> {
		if let Some((name, axis)) = text.strip_prefix('%').and_then(|rest| rest.split_once('.')) {
			let name = ["tid", "ntid", "ctaid", "nctaid"].iter().position(|known| *known == name)?;
			let axis = ["x", "y", "z"].iter().position(|known| *known == axis)?;
			return Some(Source::Special(name, axis));
		}
		if text.starts_with('%') {
			return self.register(text).map(Source::Register);
		}
		if let Some(address) = self.symbols.get(text) {
			return Some(Source::Constant(*address));
		}
		if let Some(bits) = text.strip_prefix("0f") {
			return u32::from_str_radix(bits, 16).ok().map(|bits| Source::Constant(u64::from(bits)));
		}
		let number = text.parse::<i64>().ok().map(|number| number as u64);
		number.or_else(|| text.parse::<u64>().ok()).map(Source::Constant)
	}
}

/// A type by its name in PTX; floats as their bits.
fn type_of(name: &str) -> Option<Int> {
	if name == "pred" {
		return Some(Int { bits: 1, signed: false });
	}
	let (kind, bits) = name.split_at_checked(1)?;
	let bits = bits.parse().ok().filter(|bits| [8, 16, 32, 64].contains(bits))?;
	(["b", "u", "s"].contains(&kind) || name == "f32").then_some(Int { bits, signed: kind == "s" })
}

fn compare(name: &str) -> Option<Compare> {
	Some(match name {
		"eq" => Compare::Eq,
		"ne" => Compare::Ne,
		"lt" => Compare::Lt,
		"le" => Compare::Le,
		"gt" => Compare::Gt,
		"ge" => Compare::Ge,
		_ => return None,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn with(line: &str) -> Result<BTreeMap<String, Kernel>, Unknown> {
		module(&format!(".version 8.1\n.visible .entry f(\n\t.param .u64 f_param_0\n)\n{{\n\t{line}\n\tret;\n}}\n"))
	}

	#[test]
	fn what_is_not_known_is_refused_with_its_line() {
		assert_eq!(with("mov.u32 %r1, %tid.x;").expect("known")["f"].code.len(), 2);
		let unknown = [
			"add.f32 %f1, %f2, %f3;",
			"add.rz.f32 %f1, %f2, %f3;",
			"fma.rn.ftz.f32 %f1, %f2, %f3, %f4;",
			"sqrt.approx.f32 %f1, %f2;",
			"add.rn.f64 %fd1, %fd2, %fd3;",
			"cvt.rn.f32.s32 %f1, %r1;",
			"max.f32 %f1, %f2, %f3;",
			"ld.local.u32 %r1, [%rd1];",
			"dp4a.u32.s32 %r1, %r2, %r3, %r4;",
			"mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32 {%r1, %r2, %r3, %r4}, {%r5, %r6, %r7, %r8}, {%r9, %r10}, {%r1, %r2, %r3, %r4};",
			"mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%r9, %r10}, {%r1, %r2, %r3, %r4};",
			"ld.global.v4.u32 {%r1, %r2}, [%rd1];",
			"atom.global.add.f32 %f1, [%rd1], %f2;",
			"bar.sync 1;",
			"mov.u32 %r1, %laneid;x",
			"mov.u32 %r1, %r2",
			".local .align 4 .b8 stack[8];",
		];
		for line in unknown {
			assert_eq!(with(line).map(|_| ()), Err((6, line.to_owned())), "{line}");
		}
		assert!(with("bra $L__nowhere;").is_err());
	}
}
