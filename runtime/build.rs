//! Builds the WebAssembly runtime. With the `metadata-hash` feature it is built twice: once to hash the metadata, once
//! with the hash inside, as hardware wallets need it.

fn main() {
	#[cfg(feature = "std")]
	{
		let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
		#[cfg(feature = "metadata-hash")]
		let builder = builder.enable_metadata_hash("UNIT", 12);
		builder.build();
	}
}
