//! Verifiers that guess, accuse falsely, or stay away: the first two are slashed, the third is replaced, and the honest
//! worker is paid in full.

use anyhow::Result;
use assay_agent::keys::{Account, Keypair};
use assay_cli::history::Happening;
use assay_protocol::{dispute::Side, interfaces::VerifierFault, records::operators::Role, Reason};
use assay_tests::{
	client::{expected_root, Client},
	jobs::Small,
	ledger::{Balances, Costs},
	network::{Network, Terms},
};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(360);
const GUESS: &str = "//guess";
const ACCUSE: &str = "//accuse";
const AWAY: &str = "//away";
const HONEST: [&str; 4] = ["//Dave", "//Eve", "//verifier//3", "//verifier//4"];

fn account(key: &str) -> Account {
	Keypair::from_uri(key).expect("a development key").account()
}

#[tokio::test(flavor = "multi_thread")]
async fn lazy_and_lying_verifiers_are_slashed_and_absent_ones_replaced() -> Result<()> {
	let folder = assay_tests::folder("cheating_verifiers")?;
	let mut network = Network::start(&folder).await?;
	// Verifiers are drawn by stake: these three are all but certain to be among the four of a segment.
	let bad = [(GUESS, "guess"), (ACCUSE, "accuse-falsely"), (AWAY, "stay-away")];
	let mut all = vec![Terms::worker("//Bob", 900)];
	all.extend(bad.map(|(key, mode)| Terms::verifier(key).misbehaving(mode).bonding(100_000)));
	all.extend(HONEST.map(Terms::verifier));
	network.join(all).await?;
	let client = Client::start(network.url(), "//Ferdie", &folder.join("client")).await?;

	let keys = [GUESS, ACCUSE, AWAY, "//Bob", "//Ferdie", "//Alice//stash"].into_iter().chain(HONEST);
	let accounts: Vec<Account> = keys.map(account).collect();
	let before = Balances::at(&network.chain.finalized().await?, &accounts).await?;
	let draft = Small { segments: 2, drawn: 1, verifiers: 4, ..Small::default() }.draft(&folder)?;
	let posted = client.post(&draft).await?;
	let closed = client.follow(&posted, LIMIT, |_, _| Ok(())).await?;

	assert_eq!(closed.closing().map(|closing| closing.reason), Some(Reason::Completed));
	assert_eq!(closed.job.verified.root, expected_root(&draft)?);
	assert_eq!(closed.job.shares.len(), 1, "the honest worker keeps the lease");
	assert_eq!(closed.job.account.paid, posted.spec.offer.max_price / 1_000 * 900, "and has the whole price");
	let newest = network.chain.finalized().await?;
	let after = Balances::at(&newest, &accounts).await?;
	let costs = Costs::between(&network.chain, before.block, after.block).await?;
	assert!(costs.workers.is_empty(), "no worker is slashed: {:?}", costs.workers);
	let faults = |key: &str| {
		let who = account(key);
		costs
			.verifiers
			.iter()
			.filter(move |(slashed, _, _)| *slashed == who)
			.map(|(_, fault, _)| *fault)
			.collect::<Vec<_>>()
	};
	let (guesses, accusations) = (faults(GUESS), faults(ACCUSE));
	assert!(!guesses.is_empty(), "a guess is slashed: {:?}", costs.verifiers);
	assert!(
		guesses.iter().all(|fault| matches!(fault, VerifierFault::WrongPreState | VerifierFault::LostDispute)),
		"{guesses:?}"
	);
	assert!(accusations.contains(&VerifierFault::LostDispute), "a false accusation is slashed: {accusations:?}");
	let upheld =
		closed.rulings.iter().any(|ruling| ruling.outcome.winner == Side::Defender && ruling.reason == Reason::Upheld);
	assert!(upheld, "the referee executed the disputed micro-operation: {:?}", closed.rulings);
	assert!(faults(AWAY).is_empty(), "absence is not a lie: {:?}", faults(AWAY));
	assert!(HONEST.iter().all(|key| faults(key).is_empty()), "no honest verifier is slashed: {:?}", costs.verifiers);
	let replaced = closed.entries.iter().any(|entry| matches!(entry.event, Happening::Redrawn { .. }));
	assert!(replaced, "the absent one is replaced");
	let away = newest.operator(Role::Verifier, &account(AWAY)).await?.map(|operator| operator.reputation.absences);
	assert!(away.is_some_and(|absences| absences > 0), "its absence is noted");
	let burned: u128 = costs.verifiers.iter().map(|(_, _, split)| split.burned).sum();
	let sum: i128 = accounts.iter().map(|who| before.change(&after, who)).sum();
	assert_eq!(sum, -(burned as i128), "what is missing is what was burned");
	network.check_health()?;
	client.shutdown().await;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}
