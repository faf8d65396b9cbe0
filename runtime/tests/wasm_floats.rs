//! No floating point in the runtime.
//!
//! Validators must agree on every bit, and a NaN's payload is not specified. Only the reading and printing of JSON numbers
//! may use floats: it handles genesis presets and never runs in a block.

use std::{collections::BTreeMap, path::PathBuf};
use wasmparser::{KnownCustom, Name, Operator, Parser, Payload, ValType};

/// Parts of the mangled names of functions that may use floats: serde, serde_json, the crate with which serde_json prints
/// numbers, and `core::fmt::float`.
const ALLOWED: [&str; 3] = ["serde", "zmij..private", "4core3fmt5float"];

/// The runtime before compression and with the names of its functions, next to this test's own executable.
fn runtime() -> Option<Vec<u8>> {
	let mut path = std::env::current_exe().ok()?;
	path.pop();
	path.pop();
	path.push("wbuild/assay-runtime/target");
	let found = walk(&path)?;
	std::fs::read(found).ok()
}

fn walk(folder: &std::path::Path) -> Option<PathBuf> {
	let mut folders = vec![folder.to_path_buf()];
	while let Some(folder) = folders.pop() {
		for entry in std::fs::read_dir(folder).ok()?.flatten() {
			let path = entry.path();
			if path.is_dir() {
				folders.push(path);
			} else if path.file_name().is_some_and(|name| name == "assay_runtime.wasm") {
				return Some(path);
			}
		}
	}
	None
}

/// Any operator on floats, moves included: integer code has no reason to emit one.
fn is_float(operator: &Operator) -> bool {
	let text = format!("{operator:?}");
	let name = text.split([' ', '{', '(']).next().unwrap_or_default();
	["F32", "F64"].iter().any(|prefix| name.contains(prefix))
}

/// Counts the float operators of each function, by its name.
fn floats(wasm: &[u8]) -> (BTreeMap<String, usize>, usize) {
	let mut names = BTreeMap::new();
	let mut counts = BTreeMap::new();
	let mut imported = 0u32;
	let mut next = 0u32;
	for payload in Parser::new(0).parse_all(wasm) {
		match payload.expect("the runtime is valid WebAssembly") {
			Payload::ImportSection(imports) => {
				imported = imports
					.into_iter()
					.filter(|import| matches!(import.as_ref().expect("an import").ty, wasmparser::TypeRef::Func(_)))
					.count() as u32;
			}
			Payload::CodeSectionEntry(body) => {
				let index = imported + next;
				next += 1;
				let locals = body
					.get_locals_reader()
					.expect("locals")
					.into_iter()
					.filter(|local| matches!(local.as_ref().expect("a local").1, ValType::F32 | ValType::F64))
					.count();
				let operators = body
					.get_operators_reader()
					.expect("operators")
					.into_iter()
					.filter(|operator| is_float(operator.as_ref().expect("an operator")))
					.count();
				if locals + operators > 0 {
					counts.insert(index, locals + operators);
				}
			}
			Payload::CustomSection(section) => {
				if let KnownCustom::Name(reader) = section.as_known() {
					for name in reader {
						if let Name::Function(functions) = name.expect("a name subsection") {
							for naming in functions {
								let naming = naming.expect("a name");
								names.insert(naming.index, naming.name.to_string());
							}
						}
					}
				}
			}
			_ => {}
		}
	}
	let found = counts
		.into_iter()
		.map(|(index, count)| (names.get(&index).cloned().unwrap_or(format!("function {index}")), count))
		.collect();
	(found, names.len())
}

#[test]
fn floats_only_in_the_reader_of_json_numbers() {
	let Some(wasm) = runtime() else {
		assert!(
			std::env::var_os("SKIP_WASM_BUILD").is_some(),
			"the runtime's wasm is missing from wbuild/: build assay-runtime without SKIP_WASM_BUILD"
		);
		eprintln!("skipped: SKIP_WASM_BUILD is set");
		return;
	};
	let (found, named) = floats(&wasm);
	assert!(named > 1_000, "the runtime has lost its names section: {named} names");
	let forbidden: Vec<_> =
		found.iter().filter(|(name, _)| !ALLOWED.iter().any(|allowed| name.contains(allowed))).collect();
	eprintln!("{} functions may use floats and do: {found:#?}", found.len());
	assert!(forbidden.is_empty(), "float arithmetic in {forbidden:#?}");
}

/// The scan sees what it is to forbid.
#[test]
fn a_float_is_found() {
	let wasm = wat_of_an_addition();
	let (found, _) = floats(&wasm);
	assert_eq!(found.len(), 1);
}

/// A module of one function that adds two f32.
fn wat_of_an_addition() -> Vec<u8> {
	let mut wasm = b"\0asm\x01\0\0\0".to_vec();
	wasm.extend([1, 7, 1, 0x60, 2, 0x7d, 0x7d, 1, 0x7d]);
	wasm.extend([3, 2, 1, 0]);
	wasm.extend([10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x92, 0x0b]);
	wasm
}
