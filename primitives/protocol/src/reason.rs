//! Why something was closed, refused, slashed or decided. The codes are stable: they appear in events, errors and logs.
//!
//! Ranges: client 1 - 9 999, worker 10 000 - 19 999, protocol 20 000 - 29 999, verifier 30 000 and up. A range says whose
//! side the cause lies on, not who is to blame. A code is never reused; a SCALE index never changes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Whose side a reason lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
	/// Who posted the job.
	Client,
	/// Who executes it.
	Worker,
	/// The chain's own rules and time.
	Protocol,
	/// Who re-executes.
	Verifier,
}

macro_rules! reasons {
	($($index:tt $code:tt $name:ident $title:literal $what:literal $next:literal)*) => {
		/// A typed reason with a stable code.
		#[derive(
			Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo,
			MaxEncodedLen,
		)]
		pub enum Reason {
			$(
				#[doc = $title]
				#[codec(index = $index)]
				$name,
			)*
		}

		impl Reason {
			/// Every reason, ascending by code.
			pub const ALL: &'static [Reason] = &[$(Reason::$name),*];

			/// The stable code.
			pub const fn code(self) -> u16 {
				match self {
					$(Reason::$name => $code,)*
				}
			}

			/// The reason with this code.
			pub const fn from_code(code: u16) -> Option<Self> {
				match code {
					$($code => Some(Reason::$name),)*
					_ => None,
				}
			}

			/// The name used in events and errors.
			pub const fn name(self) -> &'static str {
				match self {
					$(Reason::$name => stringify!($name),)*
				}
			}

			/// One line for a list.
			pub const fn title(self) -> &'static str {
				match self {
					$(Reason::$name => $title,)*
				}
			}

			/// What happened.
			pub const fn explanation(self) -> &'static str {
				match self {
					$(Reason::$name => $what,)*
				}
			}

			/// What to do next.
			pub const fn advice(self) -> &'static str {
				match self {
					$(Reason::$name => $next,)*
				}
			}
		}
	};
}

reasons! {
	0 1 CancelledByClient "The client cancelled the order"
		"The client took the job back. Before a first lease the order deposit burned; in a lease the milestone in progress was paid. The rest returned."
		"Post the job again when it is wanted."
	1 10 VersionUnknown "The program's format version is unknown"
		"The program header names a version that this chain does not execute."
		"Rebuild the program with a release that matches the chain."
	2 11 StepsOutOfRange "The number of steps is out of range"
		"A job needs at least one step and at most the chain's limit."
		"Set the steps of the program within the limit or split the job."
	3 12 SegmentStepsOutOfRange "The steps per segment are out of range"
		"A segment needs at least one step and at most the chain's limit, and cannot be longer than the job."
		"Set more or fewer segments or milestones: steps are divided evenly among them."
	4 13 TooManySegments "The job has too many segments"
		"Steps divided by steps per segment is above the chain's limit."
		"Use longer segments or split the job."
	5 14 MilestoneSegmentsOutOfRange "The segments per milestone are out of range"
		"A milestone needs at least one segment and at most the chain's limit, and cannot be longer than the job."
		"Choose fewer or more segments per milestone."
	6 15 TooManyMilestones "The job has too many milestones"
		"Segments divided by segments per milestone is above the chain's limit."
		"Set fewer milestones or split the job."
	7 16 ProgramEmpty "The program has no ops or no tensors"
		"The program commitment counts no ops, no tensors, no updates or no state, or more than the chain's limit."
		"Build the program again and check it with `assay job check`."
	8 17 DrawnOutOfRange "The number of drawn segments is out of range"
		"Besides the last segment, at most the other segments of a full milestone can be drawn, within the chain's limit."
		"Lower `verify.drawn` or use milestones with more segments."
	9 18 VerifiersOutOfRange "The number of verifiers is out of range"
		"Every checked segment needs at least one verifier and at most the chain's limit."
		"Set `verify.verifiers` within the limit."
	10 19 FeeTooSmall "The verifier fee is too small"
		"Verifiers are paid per honest check, and a draw keeps their stakes busy: a fee below the chain's least would make that too cheap."
		"Set `verify.fee` to at least the chain's least fee, and to what re-executing one segment costs."
	11 20 PriceTooSmall "The maximum price is too small"
		"The maximum price must pay at least one smallest unit for each milestone."
		"Raise `offer.max`."
	12 21 AmountTooLarge "An amount of the order is too large"
		"The escrow or the collateral that the order implies does not fit the chain's number range."
		"Lower the price, the fee or the insured value."
	13 22 RampInvalid "The price ramp is invalid"
		"The ramp must start at or below the maximum price and last between one block and the deadline."
		"Correct `offer.best_bid` or `offer.ramp`."
	14 23 WindowInvalid "The bidding window is invalid"
		"The window must last at least one block and end before the deadline."
		"Correct `offer.best_bid` or `offer.ramp`."
	15 24 DeadlineTooSoon "The deadline is too soon"
		"The deadline leaves no time for the auction and a first draw."
		"Set `offer.deadline` to more blocks."
	16 25 EndpointInvalid "The data-plane address is empty or too long"
		"Workers and verifiers fetch the program and the data from this address; it must have 1 to 128 bytes."
		"Give a multiaddr with a peer id."
	17 26 MemoryInvalid "The memory requirement is zero"
		"Workers decide by the memory requirement whether they can run the job."
		"Use the prediction of `assay job check`."
	18 27 EscrowNotCovered "The client's balance does not cover the escrow"
		"The maximum price plus all verifier fees plus the order deposit is held when the job is posted. A job that can no longer pay for checking the rest, because earlier checks of failed milestones were paid or burned, is closed."
		"Fund the account or lower the price; post the rest of a closed job again."
	39 28 DeadlineTooLate "The deadline is too late"
		"A lease's collateral may be kept until the deadline, so it is bounded: 2^22 blocks after posting."
		"Set `offer.deadline` to fewer blocks, or split the job."
	19 30 ProgramUnavailable "The program or the data could not be fetched"
		"The worker could not fetch the program or its data from the client's address within the progress window."
		"Keep the address reachable and post the job again."
	20 31 ProgramMismatch "The program does not match its commitment"
		"The fetched program does not hash to the committed root, or its initial state does not."
		"Post the job with the commitment computed by `assay job check`."
	21 32 NonFinite "A result was not a finite number"
		"An op of the program produced NaN or infinity; every honest execution does the same at the same step."
		"Change the program: a smaller learning rate, a stabilised formula. Verified milestones stay valid."
	22 33 OutOfMemory "The job needs more memory than it declared"
		"The worker found that the job does not fit the declared memory requirement."
		"Post the job again with the memory that `assay job check` predicts."

	40 10001 GaveUp "The worker gave up"
		"The worker ended its lease. It was paid for verified milestones and lost the amount of a bid deposit. Its reputation fell."
		"The order is up again from the last verified milestone; this worker may bid on it again only if it had a milestone verified."
	41 10002 Absent "The worker was absent"
		"No milestone was committed within the progress window. It costs reputation and unpaid work, and the amount of a bid deposit if the lease had no milestone verified."
		"Workers: restart the daemon, it resumes from its checkpoint. The order is up again."
	42 10003 LostDispute "The worker lost a dispute"
		"The referee executed the disputed step and refuted the worker's claim. The job's collateral was slashed."
		"Workers: run `assay provider check`; a device that fails conformance must not bid."
	43 10004 NotOpened "The worker did not open a drawn boundary"
		"The open window passed without valid openings. Silence after commitment is slashed as a wrong result would be."
		"Workers: keep the daemon and its checkpoints available until the milestone is settled."
	44 10005 NotServed "The worker did not serve a drawn pre-state"
		"A verifier's challenge was not answered within the serve window. It is slashed as a wrong result would be."
		"Workers: keep the data plane reachable, at an address given with `--announce` where needed."
	45 10006 WorkerClockRanOut "The worker's time in a dispute ran out"
		"The worker did not move within its block budget and lost the dispute."
		"Workers: keep the daemon running while a dispute is open."
	46 10007 WorkerConceded "The worker conceded a dispute"
		"The worker gave up its claim before the referee ruled."
		"Workers: run `assay provider check` before bidding again."
	47 10008 DrainedAway "The worker left at a milestone"
		"A draining worker ended its lease at a verified milestone; nothing is owed by either side."
		"The order is up again from that milestone."
	48 10009 Unserved "Nobody could check a drawn segment"
		"More of the verifiers drawn for a segment reported that they were not served than could check it. The worker answered on chain each time. Up to half of the job's collateral was burned."
		"Workers: keep the data plane reachable for the drawn verifiers, at an address given with `--announce` where needed; an answer on chain is not enough."
	50 10020 BidNotReady "The bidder is not ready"
		"Only registered workers in state Ready, with enough free bond, may bid or take a lease. A bid that would win while its worker takes no work any more loses its deposit."
		"Withdraw a bid that you can no longer keep. Register, finish other leases, or run `assay provider ready` after an absence."
	51 10021 BidJailed "The bidder is jailed"
		"A slashed operator cannot bid until it is released."
		"Wait for the end of the jail term, then run `assay provider ready`; or unbond."
	52 10022 BidUndercollateralised "The bidder's free bond is below the required collateral"
		"The order requires max(2 x price, insured value x segments / drawn, 2 x fees of a milestone's checks, bid deposit) of free bond."
		"Bond more, or bid on smaller orders."
	53 10023 BidAboveMaximum "The bid is above the maximum price"
		"The client pays at most the offer's maximum price."
		"Bid at or below the maximum."
	54 10024 BidAboveRamp "The bid is above the ramp's current price"
		"On a rising ramp the first bid at or below the current price wins; this one was above it."
		"Bid lower, or wait until the ramp has risen."
	55 10025 BidZero "The bid is too small"
		"A bid must pay at least one smallest unit for each milestone that is left."
		"Bid more."
	56 10026 BidDuplicate "The worker has already bid on this order"
		"One bid per worker and order."
		"Withdraw the earlier bid first, or let it stand."
	57 10027 BidTooLate "The bidding window is over"
		"Bids are taken only while the window is open."
		"Watch for new orders."
	58 10028 BidsFull "The order has the maximum number of bids"
		"Bids per order are bounded; only a bid better than the worst could enter."
		"Bid lower, or on another order."
	59 10029 BidByClient "The client cannot work on its own order"
		"The bidder's account is the one that posted the job."
		"Use another order."
	60 10030 BidOutbid "Another bid won"
		"A lower or an earlier equal bid won the auction. The bid deposit was returned."
		"Bid lower next time."
	66 10031 BidBarred "The worker had its try at this job"
		"An earlier lease of this worker on this job ended with a fault, with a job that nobody could check, with a claim against the client, by giving up without a milestone, or twice by absence without one."
		"Bid on other orders."
	61 10040 NotLeaseholder "Only the worker of the running lease may do this"
		"The caller holds no running lease of this job, or the lease has ended."
		"Check the job's current worker."
	62 10041 MilestoneOutOfOrder "The milestone is not the next one"
		"Milestones are committed in order, each once per lease."
		"Commit the next milestone."
	63 10042 RunAheadExceeded "Too many unverified milestones"
		"The worker may be at most the run-ahead limit beyond the verified milestone."
		"Wait until the oldest committed milestone is verified."
	64 10043 OpeningsMismatch "The openings do not match the drawn segments"
		"Exactly one opening for each drawn segment is needed, in the order of the draw."
		"Open the drawn segments, ascending."
	65 10044 OpeningInvalid "A boundary opening does not match the commitment"
		"Salt, state root and proof do not lead to the committed milestone root or the verified state root."
		"Open with the salts and roots that the milestone was built from."

	80 20001 Completed "The job is complete"
		"Every milestone was verified and paid. The unused escrow was returned to the client."
		"Fetch the result by the final state root."
	81 20002 DeadlinePassed "The deadline passed"
		"The job was not finished in time. Verified milestones were paid, the rest of the escrow returned."
		"Post the remaining work with a later deadline."
	82 20003 NoBids "Nobody bid"
		"The auction ended without a valid bid. The escrow and the deposit were returned."
		"Raise the maximum price or lower the requirements; `assay job check` shows who could bid."
	83 20004 NoVerifiers "Not enough verifiers"
		"Too few verifiers were ready or too many busy for too long, or none of a segment committed or revealed in time. Who committed and did not reveal is slashed, the worker is not. For each verifier that was drawn and never heard of a fee of the client burns, at most those of one milestone."
		"The order is up again while the fees last; if this repeats, make segments shorter so that a laptop executes one within the blind window, raise the fee per check, or wait for a quieter time."
	84 20005 TooManyAttempts "Too many leases failed"
		"The order was put up again as often as allowed."
		"Look at the reasons of the failed leases before posting again."
	85 20006 Superseded "The lease that this belongs to has ended"
		"A commitment, check or dispute of an earlier lease has no effect on the current one."
		"Nothing."
	100 20020 TooEarly "It is too early"
		"The window that must pass first is still open, or the beacon's blocks have not all been authored."
		"Try again some blocks later."
	101 20021 TooLate "It is too late"
		"The window for this step has passed."
		"Call the permissionless step that ends the window."
	102 20022 WrongPhase "This step does not belong to the current phase"
		"The verification round or the dispute is in another phase."
		"Read the state again and make the move it waits for."
	103 20023 NotDrawn "The segment was not drawn"
		"Only drawn segments are checked, opened and challenged."
		"Name a drawn segment."
	104 20024 NotEnoughDrawn "The draw does not match the need"
		"Each missing check needs one new verifier that is not yet assigned to the segment."
		"Draw again with the exclusions of the round."
	105 20025 BeaconMissing "A beacon value is no longer kept"
		"The VRF output of a needed block was pruned."
		"Draw sooner. The lease ends when the time to draw is over, and the order goes up again."
	106 20026 TooFewReady "Too many verifiers are busy"
		"A draw is fair only while verifiers with at least half of the bond at work can take a check."
		"Try again some blocks later, when checks under way are done."
	120 20040 NotYourMove "It is the other side's move"
		"In a dispute the sides move in turn."
		"Wait for the other side, or claim the win when its clock has run out."
	121 20041 WrongMove "The dispute waits for another kind of move"
		"The move does not fit the current phase of the dispute."
		"Read the state again and make the move it waits for."
	122 20042 WrongCount "A reveal has the wrong number of hashes"
		"The number of children or interior points is fixed by the state."
		"Reveal exactly the points that the state names."
	123 20043 DoesNotRecombine "The revealed nodes do not combine to the claimed hash"
		"The frontier hashes must recombine to the node that was chosen."
		"Reveal the children of the committed tree."
	124 20044 ChoiceOutOfRange "The choice names no child"
		"The index is not below the number of revealed children."
		"Choose a revealed child."
	125 20045 ProofInvalid "A proof does not lead to the claimed root"
		"The trace must end in the claimed state root, and an opened op or tensor must be part of the program."
		"Build the proof from the committed tree."
	126 20046 OpRequired "The choice of an op must carry its opening"
		"A chosen leaf that is an op needs the op and its tensors opened against the program."
		"Choose with the opening."
	127 20047 ProgramMalformed "The opened op has no valid geometry"
		"The committed program is malformed at this op: shapes do not fit the kind. No honest milestone can exist on it."
		"Do not work on programs that fail `assay job check`."
	128 20048 EvidenceInvalid "The evidence was rejected"
		"An opening of the evidence is missing, malformed or does not lead to its root. The dispute has not changed."
		"Build the evidence from the claims on chain."
	129 20049 EvidenceTooLarge "The evidence is too large"
		"Evidence is at most 160 KiB."
		"Open exactly the chunks that the micro-op reads."
	130 20050 ClockStillRuns "The other side still has time"
		"A win by time can be claimed only when the budget of the side to move is used up."
		"Wait."
	131 20051 ClockRanOut "Your time has run out"
		"The move came after the side's block budget was used up."
		"Nothing; the other side may claim the win."
	132 20052 SameResult "There is nothing to dispute"
		"The claimed and the found state root are equal."
		"Nothing."
	133 20053 Upheld "The referee upheld the claim"
		"The executed micro-op gave exactly the claimed bits; the challenger was wrong."
		"Challengers: run `assay provider check`; a device that fails conformance must not verify."
	134 20054 Refuted "The referee refuted the claim"
		"The executed micro-op gave other bits than claimed, or a value that is not finite."
		"Workers: run `assay provider check`; a device that fails conformance must not bid."

	160 30001 VerifierLostDispute "The verifier lost a dispute"
		"The referee upheld the worker's claim. The verifier's bond at stake in the check was slashed."
		"Verifiers: run `assay provider check` before taking checks again."
	161 30002 NotRevealed "The verifier did not reveal"
		"A blind commitment was not revealed within the window; the bond at stake in the check was slashed."
		"Verifiers: keep the daemon and its nonces until the round is settled."
	162 30003 WrongPreState "The verifier revealed a wrong pre-state root"
		"The revealed pre-state root is not the one the worker's boundary opens to, so another computation was checked."
		"Verifiers: start from the pre-state that the worker proves."
	163 30004 VerifierClockRanOut "The verifier's time in a dispute ran out"
		"The verifier did not move within its block budget and lost the dispute."
		"Verifiers: keep the daemon running while a dispute is open."
	164 30005 VerifierConceded "The verifier conceded a dispute"
		"The verifier gave up its accusation before the referee ruled."
		"Verifiers: run `assay provider check` before taking checks again."
	165 30006 VerifierAbsent "The verifier did not commit in time"
		"The blind window passed without a commitment; another verifier was drawn. Reputation fell, nothing was slashed."
		"Verifiers: set draining before going offline."
	166 30020 NotAssigned "The caller is not assigned to this check"
		"Only the drawn verifier of the segment may commit, reveal or report."
		"Check the assignment."
	167 30021 AlreadyCommitted "The check is already committed"
		"A blind commitment is final."
		"Reveal it when the boundary is open."
	168 30022 NotCommitted "The check has no blind commitment"
		"Only a blind commitment can be revealed."
		"Commit first, within the blind window."
	169 30023 RevealMismatch "The reveal does not match the blind commitment"
		"Nonce and roots do not hash to the blind commitment."
		"Reveal the nonce and the roots that were committed."
	170 30024 AlreadyReported "This check's pre-state is reported already"
		"A verifier reports once per check; all verifiers of the segment profit from the answer."
		"Wait for the answer or the end of the serve window."
}

impl Reason {
	/// Whose side the reason lies on.
	pub const fn party(self) -> Party {
		match self.code() {
			0..=9_999 => Party::Client,
			10_000..=19_999 => Party::Worker,
			20_000..=29_999 => Party::Protocol,
			_ => Party::Verifier,
		}
	}
}

impl core::fmt::Display for Reason {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "{} ({}): {}", self.title(), self.code(), self.advice())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_ascend_and_come_back() {
		assert!(Reason::ALL.windows(2).all(|w| w[0].code() < w[1].code()));
		for &reason in Reason::ALL {
			assert_eq!(Reason::from_code(reason.code()), Some(reason));
			assert!(!reason.title().is_empty() && !reason.explanation().is_empty() && !reason.advice().is_empty());
		}
		assert_eq!(Reason::from_code(0), None);
		assert_eq!(Reason::from_code(u16::MAX), None);
	}

	#[test]
	fn one_byte_on_the_wire() {
		for &reason in Reason::ALL {
			let bytes = reason.encode();
			assert_eq!(bytes.len(), 1);
			assert_eq!(Reason::decode(&mut &bytes[..]), Ok(reason));
		}
		assert_eq!(Reason::max_encoded_len(), 1);
	}

	#[test]
	fn wire_indices_are_pinned() {
		assert_eq!(Reason::CancelledByClient.encode(), [0]);
		assert_eq!(Reason::LostDispute.encode(), [42]);
		assert_eq!(Reason::Completed.encode(), [80]);
		assert_eq!(Reason::VerifierLostDispute.encode(), [160]);
		assert_eq!(Reason::Completed.code(), 20_001);
	}

	#[test]
	fn party_follows_the_range() {
		assert_eq!(Reason::NonFinite.party(), Party::Client);
		assert_eq!(Reason::Absent.party(), Party::Worker);
		assert_eq!(Reason::Completed.party(), Party::Protocol);
		assert_eq!(Reason::NotRevealed.party(), Party::Verifier);
	}
}
