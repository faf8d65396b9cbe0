//! What PTX may not hold, because a result would depend on the device, on chance, or on a compiler's taste.

/// Operations that round, where PTX without `.rn` means another rounding, or freedom to contract.
const ROUNDING: [&str; 7] = ["add", "sub", "mul", "fma", "mad", "div", "sqrt"];

/// The one product that kernels have done by tensor cores: of signed bytes, exact in 32 bits, without saturation.
const BYTE_PRODUCT: &str = "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32";

/// A line that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
	pub(crate) line: usize,
	pub(crate) text: String,
	pub(crate) rule: &'static str,
}

/// Every line of `ptx` that breaks a rule.
pub(crate) fn lint(ptx: &str) -> Vec<Finding> {
	let mut findings = Vec::new();
	for (line, text) in (1..).zip(ptx.lines()) {
		let code = text.split("//").next().unwrap_or("");
		for statement in code.split(['{', '}', ';']) {
			if let Some(rule) = broken(statement) {
				findings.push(Finding { line, text: text.trim().to_owned(), rule });
			}
		}
	}
	findings
}

/// The rule that a statement breaks.
fn broken(statement: &str) -> Option<&'static str> {
	let mut words = statement.split_whitespace();
	// A label or a predicate may come before the instruction.
	let instruction = words.find(|word| !word.starts_with('@') && !word.ends_with(':'))?;
	if instruction.starts_with('.') {
		return None;
	}
	let mut parts = instruction.split('.');
	let operation = parts.next()?;
	let modifiers: Vec<&str> = parts.collect();
	let has = |modifier: &str| modifiers.contains(&modifier);
	let is_float = |modifier: &&str| {
		["f16", "bf16", "tf32", "f32", "f64"].iter().any(|float| modifier.trim_end_matches("x2") == *float)
	};
	let float = modifiers.iter().any(is_float);

	if ["mma", "wmma", "wgmma", "tcgen05"].contains(&operation) {
		if float {
			return Some("tensor cores add floats in an order of their own");
		}
		if instruction != BYTE_PRODUCT {
			return Some("of tensor cores, only the product of bytes that wraps around is used, and known to be exact");
		}
	}
	if ["atom", "red", "multimem"].contains(&operation) && float {
		return Some("atomic float operations add in the order of arrival");
	}
	if has("approx") || has("full") || ["ex2", "lg2", "sin", "cos", "tanh", "rcp", "rsqrt"].contains(&operation) {
		return Some("approximations differ between devices");
	}
	if has("ftz") || has("sat") || has("satfinite") {
		return Some("subnormals are kept and nothing is clamped");
	}
	if modifiers.iter().any(|modifier| is_float(modifier) && *modifier != "f32") {
		return Some("f32 is the only float type of the lane");
	}
	if operation == "cvt" && float {
		return Some("a conversion goes through integers, as the functions define it");
	}
	if ["min", "max"].contains(&operation) && float {
		return Some("the device's min and max order zeros and drop NaNs in their own way");
	}
	if ROUNDING.contains(&operation) && float && !has("rn") {
		return Some("the rounding must be named: .rn");
	}
	if operation == "testp" || operation == "copysign" {
		return Some("not used by any kernel; think before allowing it");
	}
	if operation == "call" && !statement.contains("bar") {
		return Some("every function is inlined");
	}
	None
}
