//! `assay provider run`.

use super::{
	super::arguments::{self, Key, Reach},
	registered::{beside, compare_bond, DEFAULT_BOND},
	verifier_run::{path, until_stopped, wait_for, Keep},
};
use crate::console::Console;
use assay_cli::Error;
use assay_device::DeviceChoice;
use assay_engine::Path;
use assay_protocol::{records::operators::Role, Balance};
use assay_worker::{PricePolicy, WorkerConfig};
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Data-plane port of a worker.
const PORT: u16 = 4201;

/// Run the worker: register, bid, execute, prove. Ends at Ctrl-C; a restart continues where it stopped.
#[derive(clap::Args)]
pub(crate) struct Run {
	#[command(flatten)]
	key: Key,
	/// Folder for state, blobs and the data-plane identity [default: ~/.assay/provider].
	#[arg(long, value_name = "FOLDER")]
	data_dir: Option<PathBuf>,
	#[command(flatten)]
	reach: Reach,
	/// Bond to register with the first time [default: 1000]; jobs reserve collateral in it. Later `assay provider bond` and `unbond` change it.
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	bond: Option<Balance>,
	/// Share of the client's maximum to bid, per mille.
	#[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(1..=1000))]
	price_permille: u32,
	/// Never bid below this.
	#[arg(long, default_value = "0", value_parser = arguments::amount)]
	least_price: Balance,
	/// Threads to compute with; 0 for all cores.
	#[arg(long, default_value_t = 0)]
	threads: usize,
	/// Instructions to compute with: auto, portable, avx2, avx512, amx or neon. All give the same bits. auto does not take amx, which
	/// nobody has run on a processor that has it: run the tests of assay-cpu there first.
	#[arg(long, default_value = "auto", value_parser = path)]
	path: Path,
	/// What to run jobs on: cpu, auto (the first CUDA device that computes the right bits, else the CPU), cuda, or cuda:N. With
	/// cuda the daemon does not start where there is no such device. `assay provider devices` lists them. No card has run a
	/// job yet: try yours with scripts/gpu-check first.
	#[arg(long, default_value_t = DeviceChoice::default())]
	device: DeviceChoice,
	/// Memory offered to a job, MiB.
	#[arg(long, default_value_t = 2048, value_name = "MIB")]
	memory: u32,
	#[command(flatten)]
	keep: Keep,
	/// Cheat, to test that it is caught.
	#[cfg(feature = "adversary")]
	#[arg(long, hide = true)]
	misbehave: Option<assay_worker::adversary::Misbehaviour>,
}

impl Run {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let folder = arguments::folder(&self.data_dir, "provider");
		let peer = self.reach.config(node, self.key.load()?, folder, PORT);
		console.note(format!("worker {} in {}", peer.keypair.address(), peer.folder.display()));
		let account = peer.keypair.account();
		wait_for(node, console).await;
		let config = WorkerConfig {
			peer,
			bond: self.bond.unwrap_or(DEFAULT_BOND),
			price: PricePolicy { share_permille: self.price_permille, least: self.least_price },
			threads: self.threads,
			path: self.path,
			device: self.device,
			memory_mib: self.memory,
			courtesies: self.keep.terms(),
			#[cfg(feature = "adversary")]
			misbehaviour: self.misbehave,
		};
		let stop = CancellationToken::new();
		let daemon =
			beside(assay_worker::run(config, stop.clone()), compare_bond(Role::Worker, account, self.bond, node));
		until_stopped(daemon, stop, console).await
	}
}
