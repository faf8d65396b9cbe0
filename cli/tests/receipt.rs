//! A receipt that differs from the chain in any field is found out.

#[path = "../src/documented.rs"]
mod documented;

use assay_cli::receipt::{LeaseShare, Money, PaidMilestone, Receipt, Ruling, Slash, VERSION};
use serde_json::Value;

fn receipt() -> Receipt {
	let text = |value: u64| value.to_string();
	Receipt {
		version: VERSION,
		genesis: "aa".repeat(32),
		closed_block: 90,
		closed_block_hash: "bb".repeat(32),
		posted_block: 10,
		job: 3,
		client: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY".into(),
		specification: "cc".repeat(32),
		program_root: "dd".repeat(32),
		initial_root: "ee".repeat(32),
		result_root: "ff".repeat(32),
		reason_code: 20_001,
		reason: "Completed".into(),
		milestones: 2,
		verified: vec![
			PaidMilestone { milestone: 0, block: 40, state_root: "01".repeat(32), paid: text(5), fees: text(1) },
			PaidMilestone { milestone: 1, block: 80, state_root: "ff".repeat(32), paid: text(6), fees: text(2) },
		],
		leases: vec![
			LeaseShare { worker: "w0".into(), milestones: 0, paid: text(0), ended: Some(10_003) },
			LeaseShare { worker: "w1".into(), milestones: 2, paid: text(11), ended: None },
		],
		disputes: vec![Ruling {
			dispute: 0,
			block: 30,
			milestone: 0,
			segment: 2,
			winner: "verifier".into(),
			reason: 20_054,
		}],
		slashes: vec![Slash {
			worker: "w0".into(),
			block: 30,
			to_client: text(1),
			to_challenger: text(2),
			burned: text(3),
		}],
		money: Money {
			escrowed: text(20),
			topped_up: text(1),
			paid: text(11),
			fees: text(3),
			refunded: text(7),
			deposit_burned: text(0),
			fees_burned: text(0),
		},
	}
}

/// Every way to change one leaf of the value or to drop one list entry.
fn changes(value: &Value) -> Vec<Value> {
	match value {
		Value::Object(map) => map
			.iter()
			.flat_map(|(key, inner)| {
				changes(inner).into_iter().map(move |changed| {
					let mut map = map.clone();
					map.insert(key.clone(), changed);
					Value::Object(map)
				})
			})
			.collect(),
		Value::Array(items) => {
			let mut all: Vec<Value> = (0..items.len())
				.map(|at| {
					let mut items = items.clone();
					items.remove(at);
					Value::Array(items)
				})
				.collect();
			for (at, item) in items.iter().enumerate() {
				all.extend(changes(item).into_iter().map(|changed| {
					let mut items = items.clone();
					items[at] = changed;
					Value::Array(items)
				}));
			}
			all
		}
		Value::Number(number) => vec![(number.as_u64().unwrap() + 1).into()],
		Value::String(text) => vec![format!("{text}0").into()],
		Value::Null => vec![10_001.into()],
		Value::Bool(flag) => vec![(!flag).into()],
	}
}

#[test]
fn any_changed_field_is_found() {
	let truth = receipt();
	assert_eq!(truth.differences(&truth), Vec::<String>::new());
	let value = serde_json::to_value(&truth).unwrap();
	let changed = changes(&value);
	// 14 plain fields, 2 milestones of 5, 2 leases of 4, a ruling of 6, a slash of 5, 7 amounts, and 6 dropped entries.
	assert_eq!(changed.len(), 14 + 10 + 8 + 6 + 5 + 7 + 6);
	for changed in changed {
		let forged: Receipt = serde_json::from_value(changed.clone()).expect("still a receipt");
		let differences = forged.differences(&truth);
		assert_eq!(differences.len(), 1, "{changed}: {differences:?}");
	}
}

#[test]
fn the_fields_are_documented() {
	documented::assert_documented("job receipt", &receipt());
}

#[test]
fn a_receipt_file_survives_and_foreign_fields_are_refused() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("receipt.json");
	std::fs::write(&path, serde_json::to_string_pretty(&receipt()).unwrap()).unwrap();
	assert_eq!(Receipt::read(&path).unwrap(), receipt());
	let mut value = serde_json::to_value(receipt()).unwrap();
	value["blessed"] = true.into();
	std::fs::write(&path, value.to_string()).unwrap();
	assert_eq!(Receipt::read(&path).unwrap_err().code(), "receipt-file");
	let newer = serde_json::to_value(Receipt { version: VERSION + 1, ..receipt() }).unwrap();
	std::fs::write(&path, newer.to_string()).unwrap();
	assert_eq!(Receipt::read(&path).unwrap_err().code(), "receipt-file");
}
