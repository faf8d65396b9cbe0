//! Every way a worker can cheat, at once on one chain: each is caught, slashed for the right reason, and each job is
//! finished by others with the honest result.

use anyhow::{Context, Result};
use assay_agent::keys::{Account, Keypair};
use assay_protocol::{dispute::Side, Reason};
use assay_tests::{
	client::{expected_root, Client, Closed},
	jobs::Small,
	ledger::{total, Balances, Costs},
	network::{Network, Terms},
};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(420);

/// A cheat, and what it must be slashed for. Where a segment is named it is in the second milestone, so that the job is
/// taken up again from the first.
const CHEATS: [(&str, &str, Reason); 6] = [
	("//cheat//1", "skip-training@4", Reason::LostDispute),
	("//cheat//2", "flip-bit@5", Reason::LostDispute),
	("//cheat//3", "wrong-batch@3", Reason::LostDispute),
	("//cheat//4", "wrong-rate@4", Reason::LostDispute),
	("//cheat//5", "refuse-serve", Reason::NotServed),
	("//cheat//6", "never-open", Reason::NotOpened),
];
const HONEST: [&str; 3] = ["//Bob", "//Charlie", "//worker//3"];
const VERIFIERS: [&str; 4] = ["//Dave", "//Eve", "//verifier//3", "//verifier//4"];

fn account(key: &str) -> Account {
	Keypair::from_uri(key).expect("a development key").account()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cheating_worker_is_slashed_and_every_job_is_finished() -> Result<()> {
	let folder = assay_tests::folder("cheating_workers")?;
	let mut network = Network::start(&folder).await?;
	// The cheats underbid everybody: each takes one of the jobs.
	let cheats = CHEATS.iter().zip(1..).map(|((key, mode, _), rank)| Terms::worker(key, 100 * rank).misbehaving(mode));
	let honest = HONEST.iter().map(|key| Terms::worker(key, 900));
	let verifiers = VERIFIERS.iter().map(|key| Terms::verifier(key));
	network.join(cheats.chain(honest).chain(verifiers).collect()).await?;
	let client = Client::start(network.url(), "//Ferdie", &folder.join("client")).await?;

	let keys =
		CHEATS.iter().map(|(key, _, _)| *key).chain(HONEST).chain(VERIFIERS).chain(["//Ferdie", "//Alice//stash"]);
	let accounts: Vec<Account> = keys.map(account).collect();
	let before = Balances::at(&network.chain.finalized().await?, &accounts).await?;
	let mut drafts = Vec::new();
	for number in 0..CHEATS.len() as u32 {
		drafts.push(Small { number, ..Small::default() }.draft(&folder)?);
	}
	let root = expected_root(&drafts[0])?;
	let posted = futures::future::try_join_all(drafts.iter().map(|draft| client.post(draft))).await?;
	let closed: Vec<Closed> =
		futures::future::try_join_all(posted.iter().map(|posted| client.follow(posted, LIMIT, |_, _| Ok(())))).await?;

	for job in &closed {
		assert_eq!(job.closing().map(|closing| closing.reason), Some(Reason::Completed), "job {}", job.id);
		assert_eq!(job.job.verified.root, root, "job {} ends in the honest state", job.id);
		assert!(job.job.account.balances(), "job {}: {:?}", job.id, job.job.account);
		let last = job.job.shares.last().context("no lease")?;
		assert!(HONEST.iter().any(|key| account(key) == last.worker), "job {} is finished by an honest worker", job.id);
	}
	let after = Balances::at(&network.chain.finalized().await?, &accounts).await?;
	let costs = Costs::between(&network.chain, before.block, after.block).await?;
	for (key, mode, expected) in CHEATS {
		let who = account(key);
		let slashes: Vec<_> = costs.workers.iter().filter(|(slashed, _, _)| *slashed == who).collect();
		assert_eq!(slashes.len(), 1, "{mode} is slashed once");
		let (_, job, split) = slashes[0];
		assert!(split.burned * 2 >= total(split), "{mode}: at least half burns");
		assert!(split.challenger > 0 || expected != Reason::LostDispute, "{mode}: the challenger is rewarded");
		let closed = closed.iter().find(|closed| closed.id == *job).context("slashed over another job")?;
		let share = closed.job.shares.iter().find(|share| share.worker == who).context("slashed without a lease")?;
		assert_eq!(share.ended, Some(expected), "{mode}");
		if expected == Reason::LostDispute {
			let ruling =
				closed.rulings.iter().find(|ruling| ruling.outcome.winner == Side::Challenger).context(mode)?;
			assert_eq!(ruling.reason, Reason::Refuted, "{mode} is ruled by the referee, not by the clock");
			assert!(ruling.leaf.is_some(), "{mode}: a micro-operation was executed");
			println!("{mode}: {} moves, {} bytes, leaf {:?}", ruling.moves, ruling.bytes, ruling.leaf);
		}
	}
	assert_eq!(costs.workers.len(), CHEATS.len(), "nobody else is slashed: {:?}", costs.workers);
	assert!(costs.verifiers.is_empty(), "no verifier is slashed: {:?}", costs.verifiers);
	let burned: u128 = costs.workers.iter().map(|(_, _, split)| split.burned).sum();
	let sum: i128 = accounts.iter().map(|who| before.change(&after, who)).sum();
	assert_eq!(sum, -(burned as i128), "what is missing is what was burned");
	network.check_health()?;
	client.shutdown().await;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}
