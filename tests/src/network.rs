//! A one-validator chain with operators, each a process of its own.

use crate::{
	process::{program, Process},
	until,
};
use anyhow::{bail, Context, Result};
use assay_agent::{
	calls,
	keys::{Account, Keypair},
	Chain, Submitter,
};
use assay_protocol::{
	parameters::UNIT,
	records::operators::{Contact, Role},
};
use std::{
	net::TcpListener,
	path::{Path, PathBuf},
	time::Duration,
};

/// How long the node may take to make and finalise its first blocks. Compiling the runtime takes most of it.
const NODE_START: Duration = Duration::from_secs(90);
/// How long an operator may take to register.
const REGISTER: Duration = Duration::from_secs(60);
/// Money that an account without any gets.
const ENDOWMENT: u128 = 200_000 * UNIT;

/// How an operator is started.
#[derive(Clone, Debug)]
pub struct Terms {
	/// Worker or verifier.
	pub role: Role,
	/// Secret URI.
	pub key: String,
	/// Bond, UNIT.
	pub bond: u32,
	/// A worker's bid, per mille of the client's maximum.
	pub price_permille: u32,
	/// How it misbehaves, as `--misbehave` takes it.
	pub misbehave: Option<String>,
}

impl Terms {
	/// An honest worker.
	pub fn worker(key: &str, price_permille: u32) -> Self {
		Self { role: Role::Worker, key: key.into(), bond: 1_000, price_permille, misbehave: None }
	}

	/// An honest verifier.
	pub fn verifier(key: &str) -> Self {
		Self { role: Role::Verifier, key: key.into(), bond: 1_000, price_permille: 0, misbehave: None }
	}

	/// The same, misbehaving.
	#[must_use]
	pub fn misbehaving(mut self, mode: &str) -> Self {
		self.misbehave = Some(mode.into());
		self
	}

	/// The same with another bond, UNIT.
	#[must_use]
	pub const fn bonding(mut self, bond: u32) -> Self {
		self.bond = bond;
		self
	}
}

/// A worker or verifier process.
pub struct Operator {
	/// What it was started with.
	pub terms: Terms,
	/// Its account.
	pub account: Account,
	/// The process.
	pub process: Process,
}

/// The node and everyone around it.
pub struct Network {
	folder: PathBuf,
	url: String,
	/// The validator's process.
	pub node: Process,
	/// A connection to it.
	pub chain: Chain,
	/// Workers and verifiers.
	pub operators: Vec<Operator>,
	bank: Submitter,
}

impl Network {
	/// Starts a development chain with its data under `folder` and waits until it finalises blocks.
	///
	/// # Errors
	/// When the node is not built or does not come up.
	pub async fn start(folder: &Path) -> Result<Self> {
		std::fs::create_dir_all(folder)?;
		let (rpc, p2p) = (free_port()?, free_port()?);
		let arguments = [
			"--dev",
			"--base-path",
			&folder.join("node").display().to_string(),
			"--state-pruning",
			"archive",
			"--blocks-pruning",
			"archive",
			"--rpc-port",
			&rpc.to_string(),
			"--listen-addr",
			&format!("/ip4/127.0.0.1/tcp/{p2p}"),
			"--no-mdns",
			"--no-prometheus",
			"--no-telemetry",
		];
		let arguments = arguments.map(String::from).to_vec();
		let mut node =
			Process::start("node", &program("assay-node", "ASSAY_NODE_BIN")?, arguments, folder.join("node.log"))?;
		let url = format!("ws://127.0.0.1:{rpc}");
		let chain = reach(&mut node, &url).await?;
		let bank = Submitter::new(chain.clone(), Keypair::from_uri("//Alice")?);
		Ok(Self { folder: folder.into(), url, node, chain, operators: Vec::new(), bank })
	}

	/// Where data and logs are.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// The node's address.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Starts operators and waits until each is registered.
	///
	/// # Errors
	/// When one does not come up.
	pub async fn join(&mut self, all: Vec<Terms>) -> Result<()> {
		let accounts: Vec<Account> =
			all.iter().map(|terms| Ok(Keypair::from_uri(&terms.key)?.account())).collect::<Result<_>>()?;
		self.endow(&accounts).await?;
		let assay = program("assay", "ASSAY_BIN")?;
		for (terms, account) in all.into_iter().zip(&accounts) {
			let name = process_name(&terms.key);
			let arguments = self.arguments(&name, &terms);
			let process = Process::start(&name, &assay, arguments, self.folder.join(format!("{name}.log")))?;
			self.operators.push(Operator { terms, account: *account, process });
		}
		for account in &accounts {
			self.wait_registered(account).await?;
		}
		Ok(())
	}

	fn arguments(&self, name: &str, terms: &Terms) -> Vec<String> {
		let mut arguments: Vec<String> = Vec::new();
		let mut add = |name: &str, value: String| arguments.extend([name.to_string(), value]);
		add("--node", self.url.clone());
		add("--key", terms.key.clone());
		add("--data-dir", self.folder.join(name).display().to_string());
		add("--listen", "/ip4/127.0.0.1/udp/0/quic-v1".into());
		add("--bond", terms.bond.to_string());
		add("--threads", "1".into());
		if let Some(mode) = &terms.misbehave {
			add("--misbehave", mode.clone());
		}
		if terms.role == Role::Worker {
			add("--price-permille", terms.price_permille.to_string());
		}
		let group = if terms.role == Role::Worker { "provider" } else { "verifier" };
		[group.to_string(), "run".into()].into_iter().chain(arguments).collect()
	}

	/// Gives money to those that have little.
	async fn endow(&self, accounts: &[Account]) -> Result<()> {
		let snapshot = self.chain.finalized().await?;
		let mut transfers = Vec::new();
		for account in accounts {
			if snapshot.balance(account).await?.0 < ENDOWMENT {
				transfers.push(self.bank.submit(calls::transfer(*account, ENDOWMENT)));
			}
		}
		for sent in futures::future::join_all(transfers).await {
			sent?;
		}
		Ok(())
	}

	async fn wait_registered(&mut self, account: &Account) -> Result<()> {
		let (chain, account) = (self.chain.clone(), *account);
		let operator = self.by_account(&account)?;
		let (role, name, log) =
			(operator.terms.role, operator.process.name().to_string(), operator.process.log().display().to_string());
		until(REGISTER, &format!("{name} registers (see {log})"), || {
			let ended = self.by_account(&account).and_then(|operator| operator.process.ended());
			let chain = chain.clone();
			async move {
				if let Some(status) = ended? {
					bail!("it ended with {status}");
				}
				Ok(chain.finalized().await?.operator(role, &account).await?.map(|_| ()))
			}
		})
		.await
		.with_context(|| format!("{name}, see {log}"))
	}

	fn by_account(&mut self, account: &Account) -> Result<&mut Operator> {
		self.operators.iter_mut().find(|operator| operator.account == *account).context("no such operator")
	}

	/// The operator with this secret URI.
	///
	/// # Errors
	/// When there is none.
	pub fn operator(&mut self, key: &str) -> Result<&mut Operator> {
		self.operators
			.iter_mut()
			.find(|operator| operator.terms.key == key)
			.with_context(|| format!("no operator {key}"))
	}

	/// Ends an operator, if it still runs, starts it with other terms on the same folder and waits until it has published its
	/// new address.
	///
	/// # Errors
	/// When it does not come up.
	pub async fn restart(&mut self, key: &str, terms: Terms) -> Result<()> {
		let name = process_name(key);
		let arguments = self.arguments(&name, &terms);
		let chain = self.chain.clone();
		let operator = self.operator(key)?;
		let (role, account) = (terms.role, operator.account);
		let before = contact(&chain, role, &account).await?;
		operator.terms = terms;
		operator.process.restart(Some(arguments))?;
		until(REGISTER, &format!("{name} publishes its new address"), || {
			let (chain, before) = (chain.clone(), before.clone());
			async move { Ok((contact(&chain, role, &account).await? != before).then_some(())) }
		})
		.await
	}

	/// Kills the node at once and starts it again on the same database.
	///
	/// # Errors
	/// When it does not come up.
	pub async fn crash_node(&mut self) -> Result<()> {
		let before = self.chain.finalized().await?.number();
		self.node.kill()?;
		self.node.restart(None)?;
		let chain = self.chain.clone();
		until(NODE_START, "the node finalises blocks after a crash", || {
			let chain = chain.clone();
			async move {
				// Until the connection is there again every read fails; that is what is waited for.
				Ok(chain.finalized().await.ok().filter(|snapshot| snapshot.number() > before).map(|_| ()))
			}
		})
		.await
	}

	/// Whether a program panicked or ended by itself.
	///
	/// # Errors
	/// With the name of the log.
	pub fn check_health(&mut self) -> Result<()> {
		// The runtime's own refusal of undecodable bytes is a panic inside WebAssembly, which the node survives and logs
		// without a thread.
		healthy(&mut self.node, "Thread '")?;
		self.operators.iter_mut().try_for_each(|operator| healthy(&mut operator.process, "panicked at"))
	}
}

/// Whether the process runs and no line of its log tells of a panic.
fn healthy(process: &mut Process, mark: &str) -> Result<()> {
	if let Some(status) = process.ended()? {
		bail!("{} ended with {status}, see {}", process.name(), process.log().display());
	}
	let output = process.output()?;
	match output.lines().find(|line| line.contains("panicked at") && line.contains(mark)) {
		Some(line) => bail!("{} panicked, see {}: {line}", process.name(), process.log().display()),
		None => Ok(()),
	}
}

/// The name of the process that signs with `key`, and of its folder and log.
pub fn process_name(key: &str) -> String {
	key.trim_matches('/').replace("//", "-").replace('/', "-").to_lowercase()
}

async fn contact(chain: &Chain, role: Role, who: &Account) -> Result<Option<Contact>> {
	Ok(chain.finalized().await?.operator(role, who).await?.map(|operator| operator.contact))
}

async fn reach(node: &mut Process, url: &str) -> Result<Chain> {
	let log = node.log().display().to_string();
	let chain = until(NODE_START, &format!("the node answers (see {log})"), || {
		let ended = node.ended();
		async move {
			if let Some(status) = ended? {
				bail!("the node ended with {status}");
			}
			// Nobody listens at first.
			Ok(Chain::connect(url).await.ok())
		}
	})
	.await
	.with_context(|| format!("see {log}"))?;
	until(NODE_START, &format!("the node finalises blocks (see {log})"), || {
		let chain = chain.clone();
		async move { Ok((chain.finalized().await?.number() > 0).then_some(())) }
	})
	.await?;
	Ok(chain)
}

/// A port that nobody listens on now, below those that systems give to outgoing connections: a node that is killed and
/// started again must find its port free, whatever runs beside it.
fn free_port() -> Result<u16> {
	use std::hash::{BuildHasher, RandomState};
	for attempt in 0..100u32 {
		let port = 12_000 + (RandomState::new().hash_one(attempt) % 18_000) as u16;
		if TcpListener::bind(("127.0.0.1", port)).is_ok() {
			return Ok(port);
		}
	}
	bail!("no free port between 12000 and 30000")
}
