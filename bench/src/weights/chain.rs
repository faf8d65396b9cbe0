//! A runtime on a fresh state, executed as a node executes it.

use anyhow::{anyhow, Context, Result};
use codec::{Decode, Encode};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::StorageInfo;
use sc_client_db::BenchmarkingState;
use sc_executor::WasmExecutor;
use serde_json::Value;
use sp_core::{
	storage::Storage,
	traits::{CallContext, CodeExecutor, Externalities, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{BasicExternalities, OverlayedChanges, StateMachine};

type Executor = WasmExecutor<(sp_io::SubstrateHostFunctions, frame_benchmarking::benchmarking::HostFunctions)>;
type State = BenchmarkingState<BlakeTwo256>;

/// The chain whose genesis the benchmarks start from.
const PRESET: &str = "development";

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
	/// Times: nothing else is recorded.
	Time,
	/// Storage accesses and the size of their proof.
	Storage,
}

/// A runtime with the genesis state of its development chain.
pub(crate) struct Chain {
	runtime: Runtime,
	timed: State,
	tracked: State,
}

impl Chain {
	/// Starts the chain of a runtime that was built with its benchmarks.
	pub(crate) fn new(code: Vec<u8>) -> Result<Self> {
		let hash = sp_io::hashing::blake2_256(&code).to_vec();
		let runtime = Runtime { code, hash, executor: Executor::builder().build() };
		let genesis = runtime.genesis().context("genesis")?;
		let state = |genesis, tracking| State::new(genesis, None, tracking, tracking).map_err(|error| anyhow!(error));
		Ok(Self { runtime, timed: state(genesis.clone(), false)?, tracked: state(genesis, true)? })
	}

	/// The runtime's benchmarks by pallet, without those that are not for weights.
	pub(crate) fn benchmarks(&self) -> Result<Vec<BenchmarkList>> {
		let extra = false;
		let (benchmarks, _): (Vec<BenchmarkList>, Vec<StorageInfo>) = self
			.call(&self.timed, "Benchmark_benchmark_metadata", &extra.encode())
			.context("is the runtime built with the feature runtime-benchmarks?")?;
		Ok(benchmarks)
	}

	/// Runs one benchmark. The state is the genesis again afterwards.
	pub(crate) fn run(&self, purpose: Purpose, config: &BenchmarkConfig) -> Result<Vec<BenchmarkBatch>> {
		let state = match purpose {
			Purpose::Time => &self.timed,
			Purpose::Storage => &self.tracked,
		};
		let batches: Result<Vec<BenchmarkBatch>, String> =
			self.call(state, "Benchmark_dispatch_benchmark", &config.encode())?;
		batches.map_err(|error| anyhow!(error))
	}

	fn call<R: Decode>(&self, state: &State, method: &str, argument: &[u8]) -> Result<R> {
		let Runtime { code, hash, executor } = &self.runtime;
		let fetcher = WrappedRuntimeCode(code.as_slice().into());
		let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: hash.clone() };
		let (mut overlay, mut extensions) = (OverlayedChanges::default(), Extensions::default());
		let returned = StateMachine::new(
			state,
			&mut overlay,
			executor,
			method,
			argument,
			&mut extensions,
			&code,
			CallContext::Offchain,
		)
		.execute()
		.map_err(|error| anyhow!("{method}: {error}"))?;
		decode(method, &returned)
	}
}

struct Runtime {
	code: Vec<u8>,
	hash: Vec<u8>,
	executor: Executor,
}

impl Runtime {
	/// The genesis state of the preset.
	fn genesis(&self) -> Result<Storage> {
		let mut config = self.preset(None)?;
		merge(&mut config, self.preset(Some(PRESET))?);
		let mut ext = BasicExternalities::new_empty();
		let built: Result<(), String> =
			self.call(&mut ext, "GenesisBuilder_build_state", &config.to_string().into_bytes().encode())?;
		built.map_err(|error| anyhow!(error))?;
		Ok(ext.into_storages())
	}

	/// A preset as JSON: a patch of the default, which has no name.
	fn preset(&self, name: Option<&str>) -> Result<Value> {
		let mut ext = BasicExternalities::new_empty();
		let json: Option<Vec<u8>> = self.call(&mut ext, "GenesisBuilder_get_preset", &name.encode())?;
		Ok(serde_json::from_slice(&json.with_context(|| format!("the runtime has no preset {name:?}"))?)?)
	}

	fn call<R: Decode>(&self, ext: &mut dyn Externalities, method: &str, argument: &[u8]) -> Result<R> {
		let fetcher = WrappedRuntimeCode(self.code.as_slice().into());
		let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: self.hash.clone() };
		let (returned, _) = self.executor.call(ext, &code, method, argument, CallContext::Offchain);
		decode(method, &returned.map_err(|error| anyhow!("{method}: {error}"))?)
	}
}

fn decode<R: Decode>(method: &str, mut bytes: &[u8]) -> Result<R> {
	R::decode(&mut bytes).with_context(|| format!("{method} returned something else"))
}

/// Replaces what the patch names.
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
