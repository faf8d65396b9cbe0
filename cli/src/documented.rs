//! The documentation names every field of the JSON output and no other. Compiled for tests only.

use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// Compares the fields of `value`, and of the objects in it, with the rows of docs/json-output.md.
///
/// A row `| a.b | c, d |` names the fields of what the field `b` of `a` holds; a list counts as its entries. A row for `b` alone
/// holds wherever none is more exact.
pub(crate) fn assert_documented(what: &str, value: &impl Serialize) {
	let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json-output.md");
	let text = std::fs::read_to_string(&path).expect("docs/json-output.md can be read");
	compare(&text, what, &serde_json::to_value(value).expect("JSON"));
}

fn compare(text: &str, what: &str, value: &Value) {
	match value {
		Value::Object(fields) => {
			let short = what.rsplit_once('.').map_or(what, |(_, field)| field);
			let documented = row(text, what).or_else(|| row(text, short));
			let documented = documented.unwrap_or_else(|| panic!("docs/json-output.md has no row `{what}`"));
			let found: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
			assert_eq!(found, documented, "fields of `{what}` and of docs/json-output.md");
			for (name, inner) in fields {
				compare(text, &format!("{what}.{name}"), inner);
			}
		}
		Value::Array(entries) => entries.iter().for_each(|entry| compare(text, what, entry)),
		_ => {}
	}
}

/// The fields in the second cell of the row whose first cell is `what`.
fn row<'a>(text: &'a str, what: &str) -> Option<BTreeSet<&'a str>> {
	let mut rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
	let cells = rows.find_map(|row| row.strip_prefix(what)?.strip_prefix("` |"))?;
	let fields = cells.split('|').next().unwrap_or_default();
	Some(fields.split('`').skip(1).step_by(2).collect())
}
