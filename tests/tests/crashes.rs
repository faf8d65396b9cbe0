//! `kill -9` of worker, verifiers and node at random moments: the job is finished with the right result, nobody is slashed,
//! and no segment is executed to its end twice.

use anyhow::{ensure, Context, Result};
use assay_protocol::Reason;
use assay_tests::{
	client::{expected_root, Client},
	jobs::Small,
	ledger::Costs,
	network::Network,
	network::Terms,
};
use rand::{rngs::StdRng, Rng, RngExt, SeedableRng};
use std::{collections::BTreeMap, time::Duration};

const LIMIT: Duration = Duration::from_secs(360);
const WORKER: &str = "//Bob";
const VERIFIERS: [&str; 3] = ["//Dave", "//Eve", "//verifier//3"];
const JOB: Small =
	Small { milestones: 3, segments: 4, segment_steps: 400, drawn: 1, verifiers: 1, hidden: 96, number: 0 };

/// Kills in turn the worker, a verifier and the node, with random pauses.
async fn crash(network: &mut Network, random: &mut StdRng) -> Result<u32> {
	for verifier in VERIFIERS.iter().copied().take(2) {
		for victim in [WORKER, verifier, "node", WORKER] {
			tokio::time::sleep(Duration::from_millis(random.random_range(500..5_000))).await;
			println!("kill -9 {victim} at block {}", network.chain.finalized().await?.number());
			if victim == "node" {
				network.crash_node().await?;
			} else {
				let process = &mut network.operator(victim)?.process;
				process.kill()?;
				process.restart(None)?;
			}
		}
	}
	Ok(4)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_kills_of_everyone() -> Result<()> {
	let seed: u64 = match std::env::var("ASSAY_SEED") {
		Ok(text) => text.parse().context("ASSAY_SEED is a number")?,
		Err(_) => rand::rng().next_u64(),
	};
	println!("repeat with ASSAY_SEED={seed}");
	let mut random = StdRng::seed_from_u64(seed);
	let folder = assay_tests::folder("crashes")?;
	let mut network = Network::start(&folder).await?;
	let mut all = vec![Terms::worker(WORKER, 900)];
	all.extend(VERIFIERS.map(Terms::verifier));
	network.join(all).await?;
	let client = Client::start(network.url(), "//Ferdie", &folder.join("client")).await?;
	let draft = JOB.draft(&folder)?;
	let posted = client.post(&draft).await?;
	let from = posted.block;
	let (closed, kills) =
		tokio::try_join!(client.follow(&posted, LIMIT, |_, _| Ok(())), crash(&mut network, &mut random))?;

	assert_eq!(closed.closing().map(|closing| closing.reason), Some(Reason::Completed));
	assert_eq!(closed.job.verified.root, expected_root(&draft)?);
	assert_eq!(closed.job.shares.len(), 1, "the worker kept its lease");
	let newest = network.chain.finalized().await?.number();
	let costs = Costs::between(&network.chain, from, newest).await?;
	assert!(costs.workers.is_empty() && costs.verifiers.is_empty(), "a crash is no fault: {costs:?}");
	let executed = executions(&network.operator(WORKER)?.process.output()?)?;
	assert!(executed.values().all(|times| *times == 1), "no segment is executed to its end twice: {executed:?}");
	// A kill between the durable record and the log line hides one line.
	let missing = JOB.total() as usize - executed.len();
	assert!(missing <= kills as usize, "every segment is executed: {executed:?}");
	network.check_health()?;
	client.shutdown().await;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}

/// How often each segment was executed to its end.
fn executions(log: &str) -> Result<BTreeMap<u32, u32>> {
	let mut times = BTreeMap::new();
	for line in log.lines().filter(|line| line.contains("segment executed")) {
		let (_, rest) = line.split_once(" segment=").context("a line without its segment")?;
		let segment: u32 = rest.split_whitespace().next().context("no number")?.parse()?;
		*times.entry(segment).or_default() += 1;
	}
	ensure!(!times.is_empty(), "the log tells of no segment");
	Ok(times)
}
