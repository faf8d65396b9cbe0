//! The genesis state of a preset, built the way a node has the runtime build it: the preset is a patch of the default.

use assay_runtime::{genesis, RuntimeGenesisConfig};
use frame_support::genesis_builder_helper::{build_state, get_preset};
use serde_json::Value;
use sp_genesis_builder::PresetId;

/// A fresh chain of the preset.
pub(crate) fn of_preset(preset: &str) -> sp_io::TestExternalities {
	let mut config = json(get_preset::<RuntimeGenesisConfig>(&None, genesis::get_preset));
	merge(&mut config, json(genesis::get_preset(&PresetId::from(preset))));
	let mut ext = sp_io::TestExternalities::default();
	ext.execute_with(|| {
		build_state::<RuntimeGenesisConfig>(config.to_string().into_bytes()).expect("the preset builds")
	});
	ext
}

fn json(bytes: Option<Vec<u8>>) -> Value {
	serde_json::from_slice(&bytes.expect("the preset exists")).expect("the preset is JSON")
}

fn merge(config: &mut Value, patch: Value) {
	match (config, patch) {
		(Value::Object(config), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(config.entry(key).or_insert(Value::Null), value);
			}
		}
		(config, patch) => *config = patch,
	}
}
