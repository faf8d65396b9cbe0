//! Garbage and hostile transactions: refused with an error, and the chain goes on.

use anyhow::{Context, Result};
use assay_agent::{calls, chain::Call, keys::Keypair, SubmitError, Submitter};
use assay_protocol::{dispute::Move, parameters::UNIT, records::operators::Role};
use assay_tests::{jobs::Small, network::Network, until};
use rand::{rngs::StdRng, Rng, RngExt, SeedableRng};
use std::time::Duration;
use subxt::rpcs::client::RpcParams;

/// Sends bytes as a transaction.
async fn submit_raw(network: &Network, bytes: &[u8]) -> Result<String, String> {
	let mut params = RpcParams::new();
	params.push(format!("0x{}", hex::encode(bytes))).map_err(|error| error.to_string())?;
	network.chain.request("author_submitExtrinsic", params).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_the_chain_goes_on() -> Result<()> {
	let folder = assay_tests::folder("bad_input")?;
	let mut network = Network::start(&folder).await?;
	let mut random = StdRng::seed_from_u64(1);

	for length in [0, 1, 2, 3, 7, 32, 100, 1_000, 100_000, 3_000_000] {
		let mut bytes = vec![0u8; length];
		random.fill_bytes(&mut bytes);
		assert!(submit_raw(&network, &bytes).await.is_err(), "{length} random bytes");
		// A length prefix and a version that promise a transaction.
		for version in [0x04, 0x05, 0x44, 0x45, 0x84] {
			let mut framed = codec::Encode::encode(&codec::Compact(length as u32 + 1));
			framed.push(version);
			framed.extend(&bytes);
			assert!(submit_raw(&network, &framed).await.is_err(), "version {version:#x}, {length} random bytes");
		}
	}
	// Lengths that promise more than there is.
	for prefix in [vec![0xff; 4], vec![0x03, 0xff, 0xff, 0xff, 0xff], vec![0xfe, 0xff, 0xff, 0xff, 0x84]] {
		assert!(submit_raw(&network, &prefix).await.is_err(), "{prefix:?}");
	}

	let mallory = Keypair::from_uri("//Ferdie")?;
	let submitter = Submitter::new(network.chain.clone(), mallory.clone());
	// Signed transactions whose arguments are random bytes.
	let targets = [
		("Operators", "register_worker"),
		("Market", "post_job"),
		("Market", "bid"),
		("Verification", "open"),
		("Verification", "answer_challenge"),
		("Disputes", "play"),
		("Disputes", "submit_evidence"),
	];
	for (pallet, name) in targets {
		for length in [0usize, 5, 300, 20_000] {
			let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
			let call = Call::new(pallet, name, Raw(bytes));
			let refused = submitter.submit(call).await;
			assert!(refused.is_err(), "{pallet}.{name} with {length} random bytes: {refused:?}");
		}
	}

	// Well-formed calls that make no sense: executed, refused with a name, without effect.
	let spec = Small::default().draft(&folder)?.spec;
	let mut endless = spec.clone();
	endless.program.header.steps = u64::MAX;
	let mut rich = spec.clone();
	rich.offer.max_price = u128::MAX;
	let mut unreachable = spec.clone();
	unreachable.endpoint = vec![b'/'; 4_000];
	let hostile = [
		calls::post_job(&endless),
		calls::post_job(&rich),
		calls::post_job(&unreachable),
		calls::bid(u64::MAX, 1),
		calls::close_auction(7),
		calls::cancel_job(7),
		calls::commit_milestone(7, u32::MAX, [0; 32]),
		calls::draw(7, 0),
		calls::commit_blind(7, 0, 0, [0; 32]),
		calls::open(7, 0, &[]),
		calls::reveal(7, 0, 0, [0; 32], [0; 32], [0; 32]),
		calls::settle(7, 0),
		calls::play(7, &Move::Choose(u8::MAX)),
		calls::time_out(u64::MAX),
		calls::bond_more(Role::Worker, u128::MAX),
		calls::unbond(Role::Verifier, UNIT),
		calls::withdraw(Role::Worker),
	];
	let sent = hostile.into_iter().map(|call| submitter.submit(call));
	for outcome in futures::future::join_all(sent).await {
		match outcome {
			Err(SubmitError::Refused { call, error }) => {
				assert!(!error.is_empty(), "{call} is refused by name");
				println!("{call}: {error}");
			}
			other => panic!("not refused by the runtime: {other:?}"),
		}
	}
	let snapshot = network.chain.finalized().await?;
	assert!(snapshot.jobs().await?.is_empty(), "no job was made");
	let (_, held) = snapshot.balance(&mallory.account()).await?;
	assert_eq!(held, 0, "no money is on hold");
	let now = snapshot.number();
	let chain = network.chain.clone();
	until(Duration::from_secs(20), "the chain finalises more blocks", || {
		let chain = chain.clone();
		async move { Ok((chain.finalized().await?.number() > now + 3).then_some(())) }
	})
	.await
	.context("after garbage")?;
	network.check_health()?;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}

/// Bytes that stand for themselves.
struct Raw(Vec<u8>);

impl codec::Encode for Raw {
	fn encode(&self) -> Vec<u8> {
		self.0.clone()
	}
}
