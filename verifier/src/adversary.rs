//! Dishonest verifiers, to test that each is caught. Only built with the `adversary` feature, which release builds lack.

use crate::{
	check::{Answer, Answers, CheckId},
	error::VerifierError,
};
use assay_agent::keys::Account;
use assay_commitment::frontier;
use assay_engine::SegmentOracle;
use assay_protocol::{
	dispute::{
		player::{evidence, next_move, Action, TraceOracle},
		Context, DisputeState, Move, Phase, Side,
	},
	records::market::Job,
};
use std::str::FromStr;

/// A way to cheat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
	/// Does not execute: commits to a guess.
	Guess,
	/// Accuses an honest worker and plays the dispute to the end.
	AccuseFalsely,
	/// Registers and never answers.
	StayAway,
}

impl FromStr for Misbehaviour {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text {
			"guess" => Ok(Self::Guess),
			"accuse-falsely" => Ok(Self::AccuseFalsely),
			"stay-away" => Ok(Self::StayAway),
			_ => Err(format!("{text}: write guess, accuse-falsely or stay-away")),
		}
	}
}

impl Misbehaviour {
	/// Puts an answer in place without work where that is the cheat; `false` if it does not answer at all.
	pub(crate) fn prepare(&self, answers: &Answers, id: CheckId, job: &Job<Account>) -> Result<bool, VerifierError> {
		match self {
			Self::StayAway => Ok(false),
			Self::AccuseFalsely => Ok(true),
			Self::Guess => {
				if answers.get(id)?.is_none() {
					let pre_root = job.verified.root;
					let guess =
						Answer { nonce: rand::random(), pre_root, post_root: rand::random(), pre: None, post: None };
					answers.put(id, &guess)?;
				}
				Ok(true)
			}
		}
	}

	/// The answer to give instead of the found one.
	pub(crate) fn answer(&self, mut found: Answer) -> Answer {
		if *self == Self::AccuseFalsely {
			found.post_root[0] ^= 1;
		}
		found
	}

	/// Whether it makes no move in a dispute.
	pub(crate) fn is_silent_in_disputes(&self) -> bool {
		matches!(self, Self::Guess | Self::StayAway)
	}

	/// Plays a dispute that it cannot win: always the first part, to the leaf.
	pub(crate) fn accuse(
		&self,
		state: &DisputeState,
		context: &Context,
		oracle: &mut SegmentOracle,
	) -> Result<Option<Action>, VerifierError> {
		let played = match &state.phase {
			Phase::StepsChoose { .. }
			| Phase::TensorChoose { .. }
			| Phase::LinksChoose { .. }
			| Phase::StateChoose { .. } => Move::Choose(0),
			Phase::TraceChoose(trace) => {
				let revealed = trace.descent.last();
				let n = context.program.n_ops.saturating_add(1);
				let first = revealed.and_then(|revealed| frontier(revealed.node, n).first().copied());
				match first {
					Some(node) if node.is_leaf() && node.start < context.program.n_ops => {
						Move::ChooseOp { child: 0, opening: oracle.op_opening(node.start)? }
					}
					_ => Move::Choose(0),
				}
			}
			Phase::Leaf(_) => {
				return Ok(evidence(state, context, oracle)?.map(|evidence| Action::Evidence(Box::new(evidence))))
			}
			_ => return Ok(next_move(state, context, Side::Challenger, oracle)?),
		};
		Ok(Some(Action::Move(played)))
	}
}
