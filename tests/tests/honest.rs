//! One honest job: verified, paid, fetched, evaluated; and every coin is where it belongs.

use anyhow::Result;
use assay_agent::keys::{Account, Keypair};
use assay_cli::receipt::Receipt;
use assay_protocol::{records::operators::Role, Reason};
use assay_tests::{
	client::{expected_root, Client},
	jobs::Small,
	ledger::{Balances, Costs},
	network::{process_name, Network, Terms},
	process::program,
	until,
};
use std::{ops::RangeInclusive, path::Path, time::Duration};

const LIMIT: Duration = Duration::from_secs(180);

fn account(key: &str) -> Account {
	Keypair::from_uri(key).expect("a development key").account()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_job_is_verified_and_paid_and_every_coin_is_accounted_for() -> Result<()> {
	let folder = assay_tests::folder("honest")?;
	let mut network = Network::start(&folder).await?;
	let verifiers = ["//Dave", "//Eve", "//verifier//3"];
	let mut all = vec![Terms::worker("//Bob", 800), Terms::worker("//Charlie", 900)];
	all.extend(verifiers.map(Terms::verifier));
	network.join(all).await?;
	let client = Client::start(network.url(), "//Ferdie", &folder.join("client")).await?;

	let (ferdie, bob, charlie, validator) =
		(account("//Ferdie"), account("//Bob"), account("//Charlie"), account("//Alice//stash"));
	let accounts: Vec<Account> = [ferdie, bob, charlie, validator].into_iter().chain(verifiers.map(account)).collect();
	let before = Balances::at(&network.chain.finalized().await?, &accounts).await?;
	let draft = Small { verifiers: 2, drawn: 1, ..Small::default() }.draft(&folder)?;
	let posted = client.post(&draft).await?;
	let closed = client.follow(&posted, LIMIT, |_, _| Ok(())).await?;

	assert_eq!(closed.closing().map(|closing| closing.reason), Some(Reason::Completed));
	assert_eq!(closed.job.verified.root, expected_root(&draft)?, "the result is that of the program");
	assert_eq!(closed.job.shares.len(), 1);
	assert_eq!(closed.job.shares[0].worker, bob, "the lower bid wins");
	assert_eq!(closed.checks(), 2 * 2 * 2, "two milestones, two segments each, two verifiers per segment");
	assert!(closed.rulings.is_empty(), "honest parties agree");
	let evaluation = client.evaluate(&draft, closed.id).await?;
	let accuracy = evaluation.accuracy.expect("of a classifier");
	assert!(accuracy > 0.2, "better than guessing: {accuracy}");
	let receipt = Receipt::of(&network.chain, closed.id, |_| {}).await?;
	receipt.verify(&network.chain, |_| {}).await?;

	let after = Balances::at(&network.chain.finalized().await?, &accounts).await?;
	let costs = Costs::between(&network.chain, before.block, after.block).await?;
	let money = closed.job.account;
	assert!(money.balances(), "the job's own account: {money:?}");
	assert_eq!((money.escrow(), money.deposit, money.deposit_burned), (0, 0, 0), "nothing is left on hold");
	assert_eq!(money.paid, posted.spec.offer.max_price / 1_000 * 800, "the bid is the price");
	let earned = |who: &Account| before.change(&after, who) + costs.fee(who) as i128;
	assert_eq!(earned(&ferdie), -((money.paid + money.fees_paid) as i128), "the client paid the price and the checks");
	assert_eq!(earned(&bob), money.paid as i128, "the worker has the price");
	assert_eq!(earned(&charlie), 0, "the loser's deposit is back");
	let checks: i128 = verifiers.map(|key| earned(&account(key))).iter().sum();
	assert_eq!(checks, money.fees_paid as i128, "the verifiers share the fees");
	let fees: u128 = costs.fees.values().sum();
	assert_eq!(before.change(&after, &validator), fees as i128, "the validator has the transaction fees");
	let sum: i128 = accounts.iter().map(|who| before.change(&after, who)).sum();
	assert_eq!(sum, 0, "no coin appeared or vanished");
	only_the_result_is_kept(&network, "//Bob", 1..=1).await?;
	for verifier in verifiers {
		// Who checked the last segment has the result too.
		only_the_result_is_kept(&network, verifier, 0..=1).await?;
	}
	a_machine_with_a_broken_lane_refuses_to_bid(&network, &folder).await?;
	network.check_health()?;
	client.shutdown().await;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}

/// Program, data and all other states leave a daemon's folder with the job.
async fn only_the_result_is_kept(network: &Network, key: &str, blobs: RangeInclusive<usize>) -> Result<()> {
	let folder = network.folder().join(process_name(key)).join("blobs/blobs");
	until(LIMIT, "a folder without what no job needs", || async {
		let mut found = 0;
		for part in std::fs::read_dir(&folder)? {
			let files = std::fs::read_dir(part?.path())?.filter_map(Result::ok);
			found += files.filter(|file| file.path().extension().is_some_and(|suffix| suffix == "data")).count();
		}
		Ok(blobs.contains(&found).then_some(()))
	})
	.await
}

/// One lane of its vector products has the last bit wrong: the daemon says so and ends before it registers.
async fn a_machine_with_a_broken_lane_refuses_to_bid(network: &Network, folder: &Path) -> Result<()> {
	let output = tokio::process::Command::new(program("assay", "ASSAY_BIN")?)
		.args(["provider", "run", "--key", "//broken", "--misbehave", "faulty-lane", "--node", network.url()])
		.args(["--data-dir".as_ref(), folder.join("broken").as_os_str()])
		.output();
	let output = tokio::time::timeout(LIMIT, output).await??;
	let text = String::from_utf8_lossy(&output.stderr);
	assert!(!output.status.success() && text.contains("does not compute the right bits"), "{text}");
	let snapshot = network.chain.finalized().await?;
	assert!(snapshot.operator(Role::Worker, &account("//broken")).await?.is_none());
	Ok(())
}
