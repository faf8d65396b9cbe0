//! `assay verifier run`.

use super::{
	super::arguments::{self, interrupted, Key, Reach},
	registered::{beside, compare_bond, DEFAULT_BOND},
};
use crate::console::Console;
use assay_agent::upkeep::Courtesies;
use assay_cli::{network, Error};
use assay_device::DeviceChoice;
use assay_engine::Path;
use assay_protocol::{records::operators::Role, Balance};
use assay_verifier::VerifierConfig;
use std::{future::Future, path::PathBuf, time::Duration};
use tokio_util::sync::CancellationToken;

/// Data-plane port of a verifier.
const PORT: u16 = 4301;

/// Run the verifier: register, re-execute, dispute. Ends at Ctrl-C; a restart continues where it stopped.
#[derive(clap::Args)]
pub(crate) struct Run {
	#[command(flatten)]
	key: Key,
	/// Folder for state, blobs and the data-plane identity [default: ~/.assay/verifier].
	#[arg(long, value_name = "FOLDER")]
	data_dir: Option<PathBuf>,
	#[command(flatten)]
	reach: Reach,
	/// Bond to register with the first time [default: 1000]; each check reserves part of it. Later `assay verifier bond` and `unbond` change it.
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	bond: Option<Balance>,
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
	/// Memory for checks, MiB: no job may take more, and all checks that run at once share it [default: half of what the
	/// machine has free].
	#[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
	memory: Option<u32>,
	#[command(flatten)]
	keep: Keep,
	/// Cheat, to test that it is caught.
	#[cfg(feature = "adversary")]
	#[arg(long, hide = true)]
	misbehave: Option<assay_verifier::adversary::Misbehaviour>,
}

impl Run {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let folder = arguments::folder(&self.data_dir, "verifier");
		let peer = self.reach.config(node, self.key.load()?, folder, PORT);
		console.note(format!("verifier {} in {}", peer.keypair.address(), peer.folder.display()));
		let account = peer.keypair.account();
		wait_for(node, console).await;
		let config = VerifierConfig {
			peer,
			bond: self.bond.unwrap_or(DEFAULT_BOND),
			threads: self.threads,
			path: self.path,
			device: self.device,
			memory_mib: self.memory.unwrap_or_else(assay_agent::memory::half_of_free),
			courtesies: self.keep.terms(),
			#[cfg(feature = "adversary")]
			misbehaviour: self.misbehave,
		};
		let stop = CancellationToken::new();
		let daemon =
			beside(assay_verifier::run(config, stop.clone()), compare_bond(Role::Verifier, account, self.bond, node));
		until_stopped(daemon, stop, console).await
	}
}

/// Parses a vector path.
pub(super) fn path(text: &str) -> Result<Path, String> {
	let mut known = [Path::Auto].into_iter().chain(Path::ALL);
	let path = known.find(|path| path.name() == text).ok_or("use auto, portable, avx2, avx512, amx or neon")?;
	path.supported().then_some(path).ok_or_else(|| format!("this processor lacks {text} or gets it wrong; use auto"))
}

/// Tells that a daemon waits for its node.
pub(super) async fn wait_for(node: &str, console: &Console) {
	if let Err(error) = network::probe(node).await {
		console.note(format!("{error}; waiting for it"));
	}
}

/// Runs a daemon until it ends or a signal comes, then lets it wind down. A second signal ends at once.
pub(super) async fn until_stopped<E: std::fmt::Display>(
	daemon: impl Future<Output = Result<(), E>>,
	stop: CancellationToken,
	console: &Console,
) -> Result<(), Error> {
	let failed = |error: E| Error::Daemon(error.to_string());
	tokio::pin!(daemon);
	tokio::select! {
		ended = &mut daemon => return ended.map_err(failed),
		() = interrupted() => stop.cancel(),
	}
	console.note("stopping after what is on its way; once more to end at once");
	tokio::select! {
		ended = &mut daemon => ended.map_err(failed),
		() = interrupted() => Err(Error::Interrupted),
	}
}

/// What is kept on disk for others.
#[derive(clap::Args)]
pub(super) struct Keep {
	/// Days for which the result of a closed job is kept for who has not fetched it.
	#[arg(long, default_value_t = 14, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
	keep_results: u16,
	/// Disk for what others may want and no job at hand needs: results of closed jobs; program, data and last verified state of
	/// jobs that this machine worked on before. The oldest go first.
	#[arg(long, default_value_t = 16, value_name = "GIB")]
	keep_gib: u16,
}

impl Keep {
	pub(super) fn terms(&self) -> Courtesies {
		let age = Duration::from_secs(u64::from(self.keep_results) * 24 * 3600);
		Courtesies { age, bytes: u64::from(self.keep_gib) << 30 }
	}
}
