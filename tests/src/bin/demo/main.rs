//! The demo: an honest job and a cheated one on a real chain, every party a process of its own.

mod display;
mod report;

use anyhow::{bail, ensure, Context, Result};
use assay_agent::keys::Keypair;
use assay_cli::{
	job_file::{Draft, JobFile},
	receipt::Receipt,
	units::amount,
};
use assay_protocol::{economics::PPM, records::operators::Role, Reason};
use assay_tests::{
	client::{Client, Closed},
	jobs::repository,
	ledger::{Balances, Costs},
	network::{Network, Terms},
};
use clap::Parser;
use display::Screen;
use report::{DisputeReport, JobReport, Party, Report};
use std::{
	path::PathBuf,
	time::{Duration, Instant},
};

const CLIENT: &str = "//Ferdie";
const HONEST: &str = "//Bob";
const CHEAT: &str = "//Charlie";
const VERIFIERS: [&str; 3] = ["//Dave", "//Eve", "//verifier//3"];
/// Longest time that a job of the demo may take.
const LIMIT: Duration = Duration::from_secs(240);
/// Accuracy on the rows held out below which the demo has failed.
const LEAST_ACCURACY: f64 = 0.95;

/// Runs an honest job and a cheated one on a chain of this machine.
#[derive(Parser)]
struct Options {
	/// Writes what happened as JSON to this file.
	#[arg(long, value_name = "FILE")]
	json: Option<PathBuf>,
	/// The job file.
	#[arg(long, value_name = "FILE")]
	job: Option<PathBuf>,
	/// What the cheating worker does: skip-training, flip-bit, wrong-batch or wrong-rate.
	#[arg(long, default_value = "wrong-rate")]
	cheat: String,
	/// Folder for data and logs; a new one by default.
	#[arg(long)]
	folder: Option<PathBuf>,
	/// Keeps the network running at the end until Ctrl-C.
	#[arg(long)]
	stay: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
	let options = Options::parse();
	let folder = match &options.folder {
		Some(folder) => folder.clone(),
		None => tempfile::Builder::new().prefix("assay-demo-").tempdir()?.keep(),
	};
	tokio::select! {
		done = demo(&options, folder) => done,
		_ = tokio::signal::ctrl_c() => bail!("interrupted"),
	}
}

async fn demo(options: &Options, folder: PathBuf) -> Result<()> {
	let started = Instant::now();
	let path = options.job.clone().unwrap_or_else(|| repository().join("examples/digits.yaml"));
	let draft = Draft::load(&path)?;
	let mut screen = Screen::new(started);
	for (name, key) in [("Alice", "//Alice"), ("Ferdie", CLIENT), ("Bob", HONEST), ("Charlie", CHEAT)] {
		screen.name(key, name)?;
	}
	for (key, name) in VERIFIERS.iter().zip(["Dave", "Eve", "Vera"]) {
		screen.name(key, name)?;
	}

	screen.title("A chain, two workers, three verifiers: seven processes with the client");
	screen.say(&format!("data and logs: {}", folder.display()));
	let mut network = Network::start(&folder).await?;
	screen.say(&format!(
		"chain {} makes and finalises blocks (BABE with VRF, GRANDPA)",
		display::short(&hex::encode(network.chain.genesis()))
	));
	let mut parties = vec![Terms::worker(HONEST, 800), Terms::worker(CHEAT, 900)];
	parties.extend(VERIFIERS.map(Terms::verifier));
	network.join(parties).await?;
	screen.say("Bob and Charlie have bonded as workers, Dave, Eve and Vera as verifiers");
	let client = Client::start(network.url(), CLIENT, &folder.join("client")).await?;

	let parties = parties_of(&network)?;
	let accounts: Vec<_> = parties.iter().map(|party| party.account).collect();
	let before = Balances::at(&network.chain.finalized().await?, &accounts).await?;

	screen.title(&format!("Job 1: {} by an honest worker", path.file_name().unwrap_or_default().to_string_lossy()));
	let first = run_job(&mut screen, &mut network, &client, &draft, &folder).await?;

	let segments = draft.file.verify.segments;
	let cheated = segments + 1.min(segments - 1);
	screen.title(&format!("Job 2: the same job, and Charlie cheats in segment {cheated}"));
	screen.say(&explain_cheat(&options.cheat, cheated, &draft));
	let second_draft = checked_everywhere(&draft, &path)?;
	let cheat = Terms::worker(CHEAT, 700).misbehaving(&format!("{}@{cheated}", options.cheat));
	network.restart(CHEAT, cheat).await?;
	let second = run_job(&mut screen, &mut network, &client, &second_draft, &folder).await?;

	let newest = network.chain.finalized().await?;
	let after = Balances::at(&newest, &accounts).await?;
	let costs = Costs::between(&network.chain, before.block, after.block).await?;
	let dispute = second.closed.rulings.last().map(DisputeReport::from);
	let report = Report {
		jobs: vec![first.report, second.report],
		dispute,
		chain: report::ChainReport { blocks: best_block(&network).await?, finalized: newest.number() },
		seconds: started.elapsed().as_secs_f64(),
	};
	screen.title("Who earned and lost what");
	report::print_money(&parties, &before, &after, &costs)?;
	screen.title("Result");
	report.print();
	screen.title("Where to look next");
	println!("  receipts      {0}/receipt-1.json and receipt-2.json; `assay job receipt --verify` checks them against the chain", folder.display());
	println!("  logs          {}/*.log", folder.display());
	println!("  keep it open  scripts/demo --stay, then `assay job explain {} --node URL` and `assay provider status //Charlie --node URL`", second.closed.id);
	println!("  protocol      docs/protocol.md");
	if let Some(path) = &options.json {
		std::fs::write(path, serde_json::to_string_pretty(&report)?).with_context(|| path.display().to_string())?;
		println!("  as data       {}", path.display());
	}
	network.check_health()?;
	check(&report, &second.closed)?;
	if options.stay {
		println!("\nThe node listens at {}. Ctrl-C ends everything.", network.url());
		std::future::pending::<()>().await;
	}
	client.shutdown().await;
	Ok(())
}

struct Done {
	closed: Closed,
	report: JobReport,
}

async fn run_job(
	screen: &mut Screen,
	network: &mut Network,
	client: &Client,
	draft: &Draft,
	folder: &std::path::Path,
) -> Result<Done> {
	let started = Instant::now();
	let posted = client.post(draft).await?;
	let closed = client
		.follow(&posted, LIMIT, |snapshot, entries| {
			for operator in &mut network.operators {
				let lines = operator.process.new_lines()?;
				screen.log(operator.process.name(), &lines);
			}
			screen.block(snapshot, entries);
			Ok(())
		})
		.await?;
	let wall = started.elapsed();
	let closing = closed.closing().context("the job is not closed")?;
	ensure!(closing.reason == Reason::Completed, "the job was closed: {}", closing.reason);
	let evaluation = client.evaluate(draft, closed.id).await?;
	let accuracy = evaluation.accuracy.context("a classifier has an accuracy")?;
	screen.say(&format!(
		"Ferdie fetched the model, checked it against the chain and evaluated it: {:.2} % of {} digits that nobody else has seen",
		accuracy * 100.0,
		evaluation.held_out
	));
	let receipt = Receipt::of(&network.chain, closed.id, |_| {}).await?;
	receipt.verify(&network.chain, |_| {}).await?;
	let file = folder.join(format!("receipt-{}.json", if folder.join("receipt-1.json").exists() { 2 } else { 1 }));
	std::fs::write(&file, serde_json::to_string_pretty(&receipt)?)?;
	let plan = posted.spec.validate(&closed.job.parameters).map_err(|reason| anyhow::anyhow!("{reason}"))?;
	let report = JobReport::new(&closed, &plan, f64::from(accuracy), wall, receipt);
	Ok(Done { closed, report })
}

/// The same job with every segment checked.
fn checked_everywhere(draft: &Draft, path: &std::path::Path) -> Result<Draft> {
	let text = std::fs::read_to_string(path)?;
	let mut file = JobFile::parse(&path.display().to_string(), &text)?;
	file.verify.drawn = draft.file.verify.segments - 1;
	Ok(Draft::build(file, path.parent().unwrap_or(std::path::Path::new(".")))?)
}

fn explain_cheat(mode: &str, segment: u32, draft: &Draft) -> String {
	let what = match mode {
		"skip-training" => "returns the state before the segment as the state after it",
		"flip-bit" => "flips one bit of one weight",
		"wrong-batch" => "trains on other rows than the seed draws",
		_ => "trains with twice the rate",
	};
	let verify = &draft.file.verify;
	let ppm = draft.spec.detection(1);
	format!(
		"Charlie is restarted as a cheat that underbids Bob and, in segment {segment} alone, {what}.\n\
		 Detection is a matter of chance: with {} of {} segments drawn, as in job 1, one wrong segment is caught with probability {:.1} %.\n\
		 So that this demo ends the same way every time, Ferdie has every segment of job 2 checked. Nothing else differs.",
		verify.drawn + 1,
		verify.segments,
		f64::from(ppm) * 100.0 / f64::from(PPM),
	)
}

fn parties_of(network: &Network) -> Result<Vec<Party>> {
	let account = |key: &str| Ok::<_, anyhow::Error>(Keypair::from_uri(key)?.account());
	let mut parties = vec![Party::new("Ferdie", "client", account(CLIENT)?)];
	for operator in &network.operators {
		let name = match operator.terms.key.as_str() {
			HONEST => "Bob",
			CHEAT => "Charlie",
			"//Dave" => "Dave",
			"//Eve" => "Eve",
			_ => "Vera",
		};
		let role = match (operator.terms.role, name) {
			(Role::Worker, "Charlie") => "worker, cheats in job 2",
			(Role::Worker, _) => "worker",
			(Role::Verifier, _) => "verifier",
		};
		parties.push(Party::new(name, role, operator.account));
	}
	parties.push(Party::new("Alice", "validator", account("//Alice//stash")?));
	Ok(parties)
}

async fn best_block(network: &Network) -> Result<u64> {
	#[derive(serde::Deserialize)]
	struct Header {
		number: String,
	}
	let header: Header = network.chain.request("chain_getHeader", subxt::rpcs::client::RpcParams::new()).await?;
	Ok(u64::from_str_radix(header.number.trim_start_matches("0x"), 16)?)
}

/// What the demo promises.
fn check(report: &Report, second: &Closed) -> Result<()> {
	for job in &report.jobs {
		ensure!(job.accuracy >= LEAST_ACCURACY, "the accuracy {} is below {LEAST_ACCURACY}", job.accuracy);
	}
	let roots: Vec<_> = report.jobs.iter().map(|job| &job.result_root).collect();
	ensure!(roots.windows(2).all(|pair| pair[0] == pair[1]), "the two jobs ended in different states");
	ensure!(report.dispute.is_some(), "nobody disputed the cheat");
	ensure!(second.job.account.slashed.burned > 0, "the cheat was not slashed");
	ensure!(second.job.shares.len() == 2, "the job was not finished by another worker");
	let first_lease = second.job.shares.first().map_or(0, |share| share.milestones);
	ensure!(first_lease > 0, "no milestone was verified before the cheat, so nothing was resumed");
	println!(
		"\nBoth jobs ended in the same state, bit for bit. The cheat lost {}.",
		amount(assay_tests::ledger::total(&second.job.account.slashed))
	);
	Ok(())
}
