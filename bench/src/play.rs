//! A dispute from the first move to the verdict, both sides played as the daemons play them.

use std::{ops::ControlFlow, sync::Arc};

use anyhow::{bail, Context as _, Result};
use assay_engine::{Engine, SegmentOracle};
use assay_models::Model;
use assay_program::Program;
use assay_protocol::dispute::{
	player::{next_move, Action},
	rule, step, Context, DisputeState, LeafClaim, Outcome, Side,
};
use assay_referee::{Evidence, MicroClaim};
use codec::{Compact, Encode};

/// Pallet and call index of an encoded call.
const CALL_HEAD: usize = 2;
/// Number of the dispute; its length on chain is that of a small one.
const ID: Compact<u64> = Compact(1);
/// More than any dispute takes: see [`assay_protocol::dispute::player::most_moves`].
const MOST_MOVES: u32 = 200;

/// A finished dispute.
pub(crate) struct Played {
	/// Moves, the evidence included.
	pub(crate) moves: u32,
	/// Bytes of all encoded calls, without signatures and other extensions.
	pub(crate) bytes: usize,
	/// Bytes of the call that submits the evidence, part of `bytes`.
	pub(crate) evidence_bytes: usize,
	/// What the referee executed.
	pub(crate) leaf: String,
	pub(crate) claim: MicroClaim,
	pub(crate) evidence: Evidence,
	pub(crate) winner: Side,
}

/// Plays segment 0 of the model: the worker runs the program as `lie` changes it, the verifier runs it as it is.
pub(crate) fn play(model: &Model, honest: Arc<Engine>, lie: impl FnOnce(&mut Program) -> Result<()>) -> Result<Played> {
	let mut program = model.program.clone();
	lie(&mut program)?;
	let liar =
		Engine::new(program, model.data.clone(), Arc::new(assay_engine::Cpu::new(assay_engine::Path::Auto, 1)?))?;
	let start = honest.initial_state();
	let steps = honest.segment_steps(0).context("a job without segments")?;
	let mut end = start.clone();
	liar.run(&mut end, steps.end, &mut |_| ControlFlow::Continue(()))?;
	let context = Context {
		program: honest.commitment().clone(),
		first_step: steps.start,
		end_step: steps.end,
		pre_root: honest.state_root(&start)?,
		post_root: liar.state_root(&end)?,
		clock: MOST_MOVES,
	};
	let mut defender = SegmentOracle::new(Arc::new(liar), start.clone(), steps.end)?;
	let mut challenger = SegmentOracle::new(honest, start, steps.end)?;
	let mut state = DisputeState::open(&context, 0).map_err(|reason| anyhow::anyhow!("{reason:?}"))?;
	let mut bytes = 0;
	for now in 1..MOST_MOVES {
		let side = state.phase.to_move();
		let oracle = match side {
			Side::Defender => &mut defender,
			Side::Challenger => &mut challenger,
		};
		let action = next_move(&state, &context, side, oracle)?.context("its turn")?;
		match action {
			Action::Move(played) => {
				bytes += call_bytes(&played);
				let (next, outcome) =
					step(&state, &context, &played, side, now).map_err(|reason| anyhow::anyhow!("{reason:?}"))?;
				if let Some(Outcome { winner, ground }) = outcome {
					bail!("ended before the referee: {winner:?}, {ground:?}");
				}
				state = next;
			}
			Action::Evidence(evidence) => {
				let outcome = rule(&state, &context, &evidence).map_err(|error| anyhow::anyhow!("{error:?}"))?;
				let leaf = state.leaf().context("evidence before the leaf")?;
				let evidence_bytes = call_bytes(&evidence);
				return Ok(Played {
					moves: now,
					bytes: bytes + evidence_bytes,
					evidence_bytes,
					leaf: leaf_name(leaf, honest_program(&challenger)),
					claim: leaf.micro_claim(&context),
					evidence: *evidence,
					winner: outcome.winner,
				});
			}
		}
	}
	bail!("no end after {MOST_MOVES} moves")
}

fn honest_program(oracle: &SegmentOracle) -> &Program {
	oracle.engine().program()
}

fn call_bytes(argument: &impl Encode) -> usize {
	CALL_HEAD + ID.encoded_size() + argument.encoded_size()
}

fn leaf_name(leaf: &LeafClaim, program: &Program) -> String {
	match leaf {
		LeafClaim::Link { chunk, span } => {
			let kind = program.ops.get(chunk.op.op as usize).map(|op| format!("{:?}", op.kind)).unwrap_or_default();
			let kind = kind.split([' ', '{']).next().unwrap_or_default().to_lowercase();
			format!("{kind}, link {} of {}", span.hi, chunk.op.links)
		}
		LeafClaim::State { index, .. } => format!("state after the step, leaf {index}"),
	}
}
