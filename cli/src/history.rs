//! What happened to a job, as the chain's events tell it.

use crate::{
	units::{amount, smallest},
	Error,
};
use assay_agent::{
	chain::ChainEvent,
	keys::{address, Account},
	Chain, ChainError, Snapshot,
};
use assay_protocol::{
	dispute::{LeafClaim, Outcome, Phase, Side},
	interfaces::SlashSplit,
	records::disputes::LeafKind,
	Balance, BlockNumber, Hash, JobId, MilestoneIndex, Reason, SegmentIndex,
};
use codec::Compact;
use serde::Serialize;
use std::{collections::HashMap, fmt};

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
	/// In which block.
	pub block: u64,
	/// What.
	#[serde(flatten)]
	pub event: Happening,
}

/// A reason as text and code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
	/// The stable code.
	pub code: u16,
	/// Its name.
	pub name: &'static str,
	/// One line.
	pub title: &'static str,
}

impl From<Reason> for Why {
	fn from(reason: Reason) -> Self {
		Self { code: reason.code(), name: reason.name(), title: reason.title() }
	}
}

/// What can happen to a job. Accounts are SS58 text, hashes hexadecimal, amounts text of the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Happening {
	Posted {
		client: String,
		#[serde(serialize_with = "smallest")]
		escrow: Balance,
	},
	Bid {
		worker: String,
		#[serde(serialize_with = "smallest")]
		price: Balance,
	},
	BidRemoved {
		worker: String,
		reason: Option<Why>,
	},
	Lease {
		worker: String,
		#[serde(serialize_with = "smallest")]
		price: Balance,
		#[serde(serialize_with = "smallest")]
		collateral: Balance,
		attempt: u32,
	},
	AuctionFailed,
	Committed {
		milestone: MilestoneIndex,
		root: String,
	},
	Drawn {
		milestone: MilestoneIndex,
		seed: String,
		segments: Vec<DrawnSegment>,
	},
	Redrawn {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifiers: Vec<String>,
	},
	Blind {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
	},
	OpeningDue {
		milestone: MilestoneIndex,
		until: BlockNumber,
	},
	Opened {
		milestone: MilestoneIndex,
		until: BlockNumber,
	},
	Revealed {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
		agreed: bool,
	},
	Unserved {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		verifier: String,
		until: BlockNumber,
	},
	ChallengeAnswered {
		milestone: MilestoneIndex,
		segment: SegmentIndex,
	},
	Verified {
		milestone: MilestoneIndex,
		state_root: String,
		checks: u32,
	},
	MilestoneFailed {
		milestone: MilestoneIndex,
		reason: Why,
	},
	Paid {
		milestone: MilestoneIndex,
		state_root: String,
		#[serde(serialize_with = "smallest")]
		paid: Balance,
		#[serde(serialize_with = "smallest")]
		fees: Balance,
	},
	DisputeOpened {
		dispute: u64,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		worker: String,
		verifier: String,
	},
	DisputeMoved {
		dispute: u64,
		moves: u32,
		waits_for: &'static str,
		at: String,
		deadline: BlockNumber,
	},
	DisputeEnded {
		dispute: u64,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		winner: &'static str,
		reason: Why,
		leaf: Option<String>,
		moves: u32,
		bytes: u32,
	},
	DisputeDismissed {
		dispute: u64,
	},
	WorkerSlashed {
		worker: String,
		#[serde(serialize_with = "smallest")]
		to_client: Balance,
		#[serde(serialize_with = "smallest")]
		to_challenger: Balance,
		#[serde(serialize_with = "smallest")]
		burned: Balance,
	},
	LeaseEnded {
		worker: String,
		reason: Why,
	},
	Reopened {
		milestone: MilestoneIndex,
		#[serde(serialize_with = "smallest")]
		max_price: Balance,
		attempt: u32,
	},
	Closed {
		reason: Why,
		result_root: String,
		#[serde(serialize_with = "smallest")]
		paid: Balance,
		#[serde(serialize_with = "smallest")]
		refunded: Balance,
	},
	Forgotten,
}

/// A drawn segment and its verifiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawnSegment {
	/// The segment.
	pub segment: SegmentIndex,
	/// Who checks it.
	pub verifiers: Vec<String>,
}

/// Reads the events of one job, block after block.
#[derive(Clone, Debug)]
pub struct Reader {
	job: JobId,
	/// Disputes of the job seen so far: their later events do not name the job.
	disputes: HashMap<u64, ()>,
}

/// Fields of `Disputes.Ended`; the last is the weight charged for the referee.
type Ended = (
	u64,
	JobId,
	MilestoneIndex,
	SegmentIndex,
	Outcome,
	Reason,
	u32,
	u32,
	Option<LeafKind>,
	(Compact<u64>, Compact<u64>),
);

impl Reader {
	/// For one job. Start at or before the block that posted it.
	pub fn new(job: JobId) -> Self {
		Self { job, disputes: HashMap::new() }
	}

	/// What happened to the job in this block, in order.
	///
	/// # Errors
	/// [`Error::BlockGone`] when the node does not keep the block; [`Error::Chain`].
	pub async fn read(&mut self, snapshot: &Snapshot) -> Result<Vec<Entry>, Error> {
		let block = snapshot.number();
		let events = snapshot.events().await.map_err(|error| match error {
			ChainError::Read(reason) => Error::BlockGone { block, reason },
			other => Error::Chain(other),
		})?;
		let mut entries = Vec::new();
		for event in &events {
			if let Some(mut event) = self.happening(event)? {
				if let Happening::DisputeMoved { dispute, at, .. } = &mut event {
					*at = snapshot
						.dispute(*dispute)
						.await?
						.map(|record| describe(&record.state.phase))
						.unwrap_or_default();
				}
				entries.push(Entry { block, event });
			}
		}
		Ok(entries)
	}

	/// What the event says about the job; `None` if it is about something else.
	///
	/// # Errors
	/// [`ChainError::Decode`] when the chain is of another version.
	pub fn happening(&mut self, event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
		match event.pallet.as_str() {
			"Market" if event.name != "ParametersSet" && self.is_mine(event)? => self.market(event),
			"Verification" if self.is_mine(event)? => self.verification(event),
			"Disputes" => self.dispute(event),
			"Operators" if event.name == "WorkerSlashed" => {
				let (who, job, split): (Account, JobId, SlashSplit) = event.decode()?;
				Ok((job == self.job).then(|| Happening::WorkerSlashed {
					worker: address(&who),
					to_client: split.client,
					to_challenger: split.challenger,
					burned: split.burned,
				}))
			}
			_ => Ok(None),
		}
	}

	/// Whether the event's first field, a job, is this one.
	fn is_mine(&self, event: &ChainEvent) -> Result<bool, ChainError> {
		let first: Option<[u8; 8]> = event.fields.get(..8).and_then(|bytes| bytes.try_into().ok());
		let job = first.ok_or_else(|| ChainError::Decode { what: format!("event {}.{}", event.pallet, event.name) })?;
		Ok(u64::from_le_bytes(job) == self.job)
	}

	fn market(&self, event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
		Ok(Some(match event.name.as_str() {
			"JobPosted" => {
				let (_, client, escrow): (JobId, Account, Balance) = event.decode()?;
				Happening::Posted { client: address(&client), escrow }
			}
			"BidPlaced" => {
				let (_, worker, price): (JobId, Account, Balance) = event.decode()?;
				Happening::Bid { worker: address(&worker), price }
			}
			"BidRemoved" => {
				let (_, worker, reason): (JobId, Account, Option<Reason>) = event.decode()?;
				Happening::BidRemoved { worker: address(&worker), reason: reason.map(Why::from) }
			}
			"LeaseGranted" => {
				let (_, worker, price, collateral, attempt): (JobId, Account, Balance, Balance, u32) =
					event.decode()?;
				Happening::Lease { worker: address(&worker), price, collateral, attempt }
			}
			"AuctionFailed" => Happening::AuctionFailed,
			"MilestonePaid" => {
				let (_, milestone, root, paid, fees): (JobId, MilestoneIndex, Hash, Balance, Balance) =
					event.decode()?;
				Happening::Paid { milestone, state_root: hex::encode(root), paid, fees }
			}
			"LeaseEnded" => {
				let (_, worker, reason): (JobId, Account, Reason) = event.decode()?;
				Happening::LeaseEnded { worker: address(&worker), reason: reason.into() }
			}
			"OrderReopened" => {
				let (_, milestone, max_price, attempt): (JobId, MilestoneIndex, Balance, u32) = event.decode()?;
				Happening::Reopened { milestone, max_price, attempt }
			}
			"JobClosed" => {
				let (_, reason, _, root, paid, refunded): (JobId, Reason, u16, Hash, Balance, Balance) =
					event.decode()?;
				Happening::Closed { reason: reason.into(), result_root: hex::encode(root), paid, refunded }
			}
			"JobForgotten" => Happening::Forgotten,
			_ => return Ok(None),
		}))
	}

	fn verification(&self, event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
		type Place = (JobId, MilestoneIndex, SegmentIndex);
		Ok(Some(match event.name.as_str() {
			"MilestoneCommitted" => {
				let (_, milestone, root): (JobId, MilestoneIndex, Hash) = event.decode()?;
				Happening::Committed { milestone, root: hex::encode(root) }
			}
			"Drawn" => {
				type Drawn = (JobId, MilestoneIndex, Hash, Vec<(SegmentIndex, Vec<Account>)>);
				let (_, milestone, seed, segments): Drawn = event.decode()?;
				let drawn =
					|(segment, who): (SegmentIndex, Vec<Account>)| DrawnSegment { segment, verifiers: addresses(&who) };
				Happening::Drawn {
					milestone,
					seed: hex::encode(seed),
					segments: segments.into_iter().map(drawn).collect(),
				}
			}
			"Redrawn" => {
				let ((_, milestone, segment), who): (Place, Vec<Account>) = event.decode()?;
				Happening::Redrawn { milestone, segment, verifiers: addresses(&who) }
			}
			"BlindCommitted" => {
				let ((_, milestone, segment), who): (Place, Account) = event.decode()?;
				Happening::Blind { milestone, segment, verifier: address(&who) }
			}
			"OpeningDue" => {
				let (_, milestone, until): (JobId, MilestoneIndex, BlockNumber) = event.decode()?;
				Happening::OpeningDue { milestone, until }
			}
			"Opened" => {
				let (_, milestone, until): (JobId, MilestoneIndex, BlockNumber) = event.decode()?;
				Happening::Opened { milestone, until }
			}
			"Revealed" => {
				let ((_, milestone, segment), who, agreed): (Place, Account, bool) = event.decode()?;
				Happening::Revealed { milestone, segment, verifier: address(&who), agreed }
			}
			"Unserved" => {
				let ((_, milestone, segment), who, until): (Place, Account, BlockNumber) = event.decode()?;
				Happening::Unserved { milestone, segment, verifier: address(&who), until }
			}
			"ChallengeAnswered" => {
				let ((_, milestone, segment), _): (Place, Hash) = event.decode()?;
				Happening::ChallengeAnswered { milestone, segment }
			}
			"MilestoneVerified" => {
				let (_, milestone, root, checks): (JobId, MilestoneIndex, Hash, u32) = event.decode()?;
				Happening::Verified { milestone, state_root: hex::encode(root), checks }
			}
			"MilestoneFailed" => {
				let (_, milestone, reason): (JobId, MilestoneIndex, Reason) = event.decode()?;
				Happening::MilestoneFailed { milestone, reason: reason.into() }
			}
			_ => return Ok(None),
		}))
	}

	fn dispute(&mut self, event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
		Ok(match event.name.as_str() {
			"Opened" => {
				type Opened = (u64, JobId, u32, MilestoneIndex, SegmentIndex, Account, Account);
				let (dispute, job, _, milestone, segment, worker, verifier): Opened = event.decode()?;
				(job == self.job).then(|| {
					self.disputes.insert(dispute, ());
					let (worker, verifier) = (address(&worker), address(&verifier));
					Happening::DisputeOpened { dispute, milestone, segment, worker, verifier }
				})
			}
			"Moved" => {
				let (dispute, moves, to_move, deadline): (u64, u32, Side, BlockNumber) = event.decode()?;
				self.disputes.contains_key(&dispute).then(|| Happening::DisputeMoved {
					dispute,
					moves,
					waits_for: side(to_move),
					at: String::new(),
					deadline,
				})
			}
			"Ended" => {
				let (dispute, job, milestone, segment, outcome, reason, moves, bytes, leaf, _): Ended =
					event.decode()?;
				(job == self.job).then(|| Happening::DisputeEnded {
					dispute,
					milestone,
					segment,
					winner: side(outcome.winner),
					reason: reason.into(),
					leaf: leaf.map(|leaf| match leaf {
						LeafKind::Op(kind) => format!("{kind:?}"),
						LeafKind::StateAssembly => "state assembly".into(),
					}),
					moves,
					bytes,
				})
			}
			"Dismissed" => {
				let dispute: u64 = event.decode()?;
				self.disputes.contains_key(&dispute).then_some(Happening::DisputeDismissed { dispute })
			}
			_ => None,
		})
	}
}

/// Every event of a job from block `from` to block `to`. `progress` is called with each block's number.
///
/// # Errors
/// [`Error::BlockGone`], [`Error::Chain`].
pub async fn scan(
	chain: &Chain,
	job: JobId,
	from: u64,
	to: u64,
	mut progress: impl FnMut(u64),
) -> Result<Vec<Entry>, Error> {
	let mut reader = Reader::new(job);
	let mut entries = Vec::new();
	for block in from..=to {
		let snapshot = chain.at(block).await.map_err(|error| match error {
			ChainError::Read(reason) => Error::BlockGone { block, reason },
			other => Error::Chain(other),
		})?;
		entries.extend(reader.read(&snapshot).await?);
		progress(block);
	}
	Ok(entries)
}

fn addresses(accounts: &[Account]) -> Vec<String> {
	accounts.iter().map(address).collect()
}

const fn side(side: Side) -> &'static str {
	match side {
		Side::Defender => "worker",
		Side::Challenger => "verifier",
	}
}

/// How far the dispute has narrowed.
fn describe(phase: &Phase) -> String {
	match phase {
		Phase::StepsReveal(span) | Phase::StepsChoose { span, .. } => format!("steps {}..{}", span.lo, span.hi),
		Phase::TraceReveal(step) => format!("step {}", step.step),
		Phase::TraceChoose(trace) | Phase::TraceDescend { trace, .. } => format!("step {}, ops", trace.step.step),
		Phase::TensorReveal { op, .. } | Phase::TensorChoose { op, .. } => {
			format!("step {}, op {}", op.trace.step.step, op.op)
		}
		Phase::LinksReveal { chunk, .. } | Phase::LinksChoose { chunk, .. } => chunk_place(chunk),
		Phase::StateReveal { trace, .. } | Phase::StateChoose { trace, .. } => {
			format!("step {}, state after it", trace.step.step)
		}
		Phase::Leaf(LeafClaim::State { trace, .. }) => {
			format!("step {}, one leaf of the state after it", trace.step.step)
		}
		Phase::Leaf(LeafClaim::Link { .. }) => "one micro-operation".into(),
	}
}

fn chunk_place(chunk: &assay_protocol::dispute::ChunkClaim) -> String {
	format!("step {}, op {}, chunk {}", chunk.op.trace.step.step, chunk.op.op, chunk.chunk)
}

impl fmt::Display for Why {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} ({})", self.title, self.code)
	}
}

impl fmt::Display for Entry {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "#{:<7} {}", self.block, self.event)
	}
}

impl fmt::Display for Happening {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Posted { client, escrow } => write!(f, "posted by {client}, {} in escrow", amount(*escrow)),
			Self::Bid { worker, price } => write!(f, "bid of {} by {worker}", amount(*price)),
			Self::BidRemoved { worker, reason: Some(reason) } => write!(f, "bid of {worker} gone: {reason}"),
			Self::BidRemoved { worker, reason: None } => {
				write!(f, "bid of {worker} no longer stands; its deposit returned")
			}
			Self::Lease { worker, price, collateral, attempt } => {
				write!(f, "lease {attempt} to {worker} for {}, collateral {}", amount(*price), amount(*collateral))
			}
			Self::AuctionFailed => write!(f, "no bidder was able any more; bidding starts anew"),
			Self::Committed { milestone, root } => write!(f, "milestone {milestone} committed: {root}"),
			Self::Drawn { milestone, segments, .. } => {
				let list: Vec<String> = segments
					.iter()
					.map(|drawn| format!("{} ({})", drawn.segment, drawn.verifiers.join(", ")))
					.collect();
				write!(f, "milestone {milestone} drawn: segments {}", list.join(", "))
			}
			Self::Redrawn { milestone, segment, verifiers } => {
				write!(
					f,
					"milestone {milestone}, segment {segment}: absent verifiers replaced by {}",
					verifiers.join(", ")
				)
			}
			Self::Blind { milestone, segment, verifier } => {
				write!(f, "milestone {milestone}, segment {segment}: {verifier} has executed it and committed blind")
			}
			Self::OpeningDue { milestone, until } => {
				write!(f, "milestone {milestone}: the worker must open by block {until}")
			}
			Self::Opened { milestone, until } => {
				write!(f, "milestone {milestone} opened: verifiers reveal by block {until}")
			}
			Self::Revealed { milestone, segment, verifier, agreed } => {
				let word = if *agreed { "agrees" } else { "found another result" };
				write!(f, "milestone {milestone}, segment {segment}: {verifier} {word}")
			}
			Self::Unserved { milestone, segment, verifier, until } => {
				write!(f, "milestone {milestone}, segment {segment}: {verifier} was not served; the worker must answer by block {until}")
			}
			Self::ChallengeAnswered { milestone, segment } => {
				write!(f, "milestone {milestone}, segment {segment}: the worker proved that it holds the state")
			}
			Self::Verified { milestone, checks, .. } => write!(f, "milestone {milestone} verified by {checks} checks"),
			Self::MilestoneFailed { milestone, reason } => write!(f, "milestone {milestone} failed: {reason}"),
			Self::Paid { milestone, paid, fees, state_root } => {
				write!(
					f,
					"milestone {milestone} paid: {} to the worker, {} to verifiers; state {state_root}",
					amount(*paid),
					amount(*fees)
				)
			}
			Self::DisputeOpened { dispute, milestone, segment, worker, verifier } => {
				write!(f, "dispute {dispute} opened: {verifier} accuses {worker} over milestone {milestone}, segment {segment}")
			}
			// The place is unknown where the dispute ended in the same block.
			Self::DisputeMoved { dispute, moves, waits_for, at, deadline } if at.is_empty() => {
				write!(f, "dispute {dispute}, move {moves}; {waits_for} next, by block {deadline}")
			}
			Self::DisputeMoved { dispute, moves, waits_for, at, deadline } => {
				write!(f, "dispute {dispute}, move {moves}: down to {at}; {waits_for} next, by block {deadline}")
			}
			Self::DisputeEnded { dispute, winner, reason, leaf, moves, bytes, .. } => {
				let leaf = leaf.as_deref().unwrap_or("no");
				write!(f, "dispute {dispute} ended, the {winner} was right: {reason}; {leaf} leaf, {moves} moves, {bytes} bytes")
			}
			Self::DisputeDismissed { dispute } => {
				write!(f, "dispute {dispute} dismissed: the matter was decided elsewhere")
			}
			Self::WorkerSlashed { worker, to_client, to_challenger, burned } => write!(
				f,
				"{worker} slashed: {} to the client, {} to the challenger, {} burned",
				amount(*to_client),
				amount(*to_challenger),
				amount(*burned)
			),
			Self::LeaseEnded { worker, reason } => write!(f, "lease of {worker} ended: {reason}"),
			Self::Reopened { milestone, max_price, attempt } => {
				write!(
					f,
					"order up again from milestone {milestone} for at most {} (lease {attempt})",
					amount(*max_price)
				)
			}
			Self::Closed { reason, paid, refunded, .. } => {
				write!(f, "closed: {reason}; {} paid to workers, {} returned", amount(*paid), amount(*refunded))
			}
			Self::Forgotten => write!(f, "record removed from the chain"),
		}
	}
}
