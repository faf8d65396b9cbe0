use crate::{
	types::saturated_len,
	weights::{WeightInfo, MAX_OPS},
	Config, DisputeRecordOf, Disputes, Error, Event, OpenByJob, Pallet,
};
use assay_program::{OpGeometry, StepContext};
use assay_protocol::{
	dispute::{rule, step, time_out, LeafClaim, Move, Outcome, Side},
	interfaces::OnVerdict,
	records::disputes::LeafKind,
	BlockNumber, Reason,
};
use assay_referee::Evidence;
use codec::Compact;
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, Pays, PostDispatchInfo},
	pallet_prelude::DispatchResult,
	weights::Weight,
};
use sp_runtime::traits::BlockNumberProvider;

/// Pallet and call index of an encoded call.
const CALL_HEAD: u32 = 2;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_play(who: T::AccountId, id: u64, played: Move) -> DispatchResultWithPostInfo {
		let mut record = Disputes::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		let by = side_of::<T>(&record, &who).ok_or(Error::<T>::NotAParty)?;
		let (state, outcome) =
			step(&record.state, &record.context, &played, by, Self::now()).map_err(Error::<T>::from)?;
		let len = saturated_len(&played);
		count_move(&mut record, id, len);
		record.state = state;
		let played_weight = T::WeightInfo::play(len);
		if let Some(outcome) = outcome {
			Self::conclude(id, record, outcome, None, Weight::zero());
			return Ok(Some(played_weight.saturating_add(T::WeightInfo::verdict())).into());
		}
		let (moves, to_move, deadline) = (record.moves, record.state.phase.to_move(), record.state.deadline());
		Disputes::<T>::insert(id, record);
		Self::deposit_event(Event::Moved { id, moves, to_move, deadline });
		Ok(Some(played_weight).into())
	}

	pub(crate) fn do_submit_evidence(id: u64, evidence: Evidence) -> DispatchResultWithPostInfo {
		let mut record = Disputes::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		let outcome =
			rule(&record.state, &record.context, &evidence).map_err(|error| Error::<T>::from(error.reason()))?;
		let len = saturated_len(&evidence);
		count_move(&mut record, id, len);
		let referee = T::WeightInfo::submit_evidence(len, executed_ops(&record, &evidence));
		let leaf = leaf_kind(&evidence);
		Self::conclude(id, record, outcome, Some(leaf), referee);
		let actual_weight = Some(referee.saturating_add(T::WeightInfo::verdict()));
		Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::No })
	}

	pub(crate) fn do_timeout(id: u64) -> DispatchResult {
		let record = Disputes::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		let outcome = time_out(&record.state, Self::now()).map_err(Error::<T>::from)?;
		Self::conclude(id, record, outcome, None, Weight::zero());
		Ok(())
	}

	/// Blocks in which users could transact.
	pub(crate) fn now() -> BlockNumber {
		T::Clock::current_block_number()
	}

	/// Removes an ended dispute and reports the verdict. Storage is consistent before the receiver is called: it may
	/// dismiss the job's other disputes.
	fn conclude(id: u64, record: DisputeRecordOf<T>, outcome: Outcome, leaf: Option<LeafKind>, referee: Weight) {
		let accusation = record.accusation;
		Disputes::<T>::remove(id);
		OpenByJob::<T>::mutate_exists(accusation.job, |open| {
			*open = open.take().map(|mut ids| {
				ids.retain(|open_id| *open_id != id);
				ids
			});
			if open.as_ref().is_some_and(|ids| ids.is_empty()) {
				*open = None;
			}
		});
		Self::deposit_event(Event::Ended {
			id,
			job: accusation.job,
			milestone: accusation.milestone,
			segment: accusation.segment,
			outcome,
			reason: outcome.reason(),
			moves: record.moves,
			bytes: record.bytes,
			leaf,
			referee,
		});
		T::OnVerdict::verdict(
			accusation.job,
			accusation.attempt,
			accusation.milestone,
			accusation.segment,
			&accusation.challenger,
			outcome.winner == Side::Challenger,
		);
	}
}

/// The side that an account plays, if it plays one.
fn side_of<T: Config>(record: &DisputeRecordOf<T>, who: &T::AccountId) -> Option<Side> {
	if *who == record.accusation.defender {
		Some(Side::Defender)
	} else if *who == record.accusation.challenger {
		Some(Side::Challenger)
	} else {
		None
	}
}

/// Counts a move whose argument besides the id takes `len` bytes.
fn count_move<AccountId>(record: &mut assay_protocol::records::disputes::DisputeRecord<AccountId>, id: u64, len: u32) {
	let call = CALL_HEAD.saturating_add(saturated_len(&Compact(id))).saturating_add(len);
	record.moves = record.moves.saturating_add(1);
	record.bytes = record.bytes.saturating_add(call);
}

fn leaf_kind(evidence: &Evidence) -> LeafKind {
	match evidence {
		Evidence::Micro(micro) => LeafKind::Op(micro.op.op.item.kind),
		Evidence::State(_) => LeafKind::StateAssembly,
	}
}

/// Scalar operations that the referee executed on accepted evidence, whose parts are proven; the greatest number where
/// they cannot be told.
fn executed_ops<AccountId>(
	record: &assay_protocol::records::disputes::DisputeRecord<AccountId>,
	evidence: &Evidence,
) -> u64 {
	let (Evidence::Micro(micro), Some(LeafClaim::Link { chunk, span })) = (evidence, record.state.leaf()) else {
		// A leaf of a state takes hashing alone, which is charged by length.
		return 0;
	};
	let header = &record.context.program.header;
	let decls = || core::iter::once(&micro.op.output).chain(&micro.op.inputs);
	let geometry = OpGeometry::of(&micro.op.op.item, header.batch, |id| {
		decls().find(|decl| decl.index == id.0).map(|decl| &decl.item)
	});
	let context = StepContext { seed: header.seed, step: chunk.op.trace.step.step };
	geometry
		.ok()
		.and_then(|geometry| geometry.micro_cost(&context, chunk.chunk, span.lo))
		.map_or(MAX_OPS, |cost| cost.ops.min(MAX_OPS))
}

impl<T> From<Reason> for Error<T> {
	fn from(reason: Reason) -> Self {
		Error::Refused(reason.into())
	}
}
