use assay_runtime::{
	constants::{DECIMALS, SS58_PREFIX, SYMBOL},
	WASM_BINARY,
};
use sc_chain_spec::Properties;
use sc_service::{ChainType, GenericChainSpec};

/// A chain specification without extensions.
pub(crate) type ChainSpec = GenericChainSpec;

/// One validator and a block a second.
pub(crate) fn development() -> Result<ChainSpec, String> {
	from_preset("Assay Development", "assay_dev", ChainType::Development, sp_genesis_builder::DEV_RUNTIME_PRESET)
}

/// Four validators and the speed of a public network.
pub(crate) fn local_testnet() -> Result<ChainSpec, String> {
	from_preset(
		"Assay Local Testnet",
		"assay_local",
		ChainType::Local,
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
	)
}

fn from_preset(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let code = WASM_BINARY.ok_or(
		"this node was built with SKIP_WASM_BUILD and has no runtime inside: build it without, or name a raw chain specification",
	)?;
	Ok(ChainSpec::builder(code, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(chain_type)
		.with_protocol_id(id)
		.with_properties(properties())
		.with_genesis_config_preset_name(preset)
		.build())
}

/// What wallets show amounts and addresses with.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), SYMBOL.into());
	properties.insert("tokenDecimals".into(), DECIMALS.into());
	properties.insert("ss58Format".into(), SS58_PREFIX.into());
	properties
}
