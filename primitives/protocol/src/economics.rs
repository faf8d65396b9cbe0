//! What lying costs: detection probability, stakes and the split of a slash. Integers only; every rounding is named.

use crate::{interfaces::SlashSplit, Balance, Reason};
use alloc::vec::Vec;

/// One whole, in parts per million.
pub const PPM: u32 = 1_000_000;

/// Worker's collateral per price: `S >= 2 R`.
pub const COLLATERAL_PER_PRICE: u128 = 2;

/// Verifier's bond per cost of one slice.
pub const BOND_PER_SLICE: u128 = 120;

/// Clean milestones after which an adaptive audit has lost half of what it can lose.
pub const AUDIT_HALF_LIFE: u32 = 32;

/// Probability, in parts per million rounded down, that at least one of `bad` segments is among `drawn` distinct uniform
/// ones of `segments`: `1 - C(n - m, k) / C(n, k)`, computed exactly.
///
/// A worker who spares the last segment, which is always checked, faces `detection(segments - 1, bad, drawn)`.
pub fn detection(segments: u32, bad: u32, drawn: u32) -> u32 {
	let (bad, drawn) = (bad.min(segments), drawn.min(segments));
	let good = segments - bad;
	if drawn > good {
		return PPM;
	}
	// C(n - m, k) / C(n, k) is the product of (n - m - i) / (n - i).
	let miss = product((0..drawn).map(|i| good - i));
	let all = product((0..drawn).map(|i| segments - i));
	// The smallest q with q * all >= 10^6 * miss, between 0 and 10^6.
	let target = scaled(&miss, PPM);
	let (mut low, mut high) = (0, PPM);
	while low < high {
		let middle = low + (high - low) / 2;
		if at_least(&scaled(&all, middle), &target) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	PPM - low
}

/// The smallest number of drawn segments that detects `bad` ones with at least `target` parts per million, if `segments`
/// are enough. The inverse of [`detection`].
pub fn drawn_for(segments: u32, bad: u32, target: u32) -> Option<u32> {
	// Detection grows with the number drawn.
	let (mut low, mut high) = (0, segments);
	if detection(segments, bad, segments) < target {
		return None;
	}
	while low < high {
		let middle = low + (high - low) / 2;
		if detection(segments, bad, middle) >= target {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	Some(low)
}

/// Collateral that a lease locks: `max(2 R, (n / k) * insured value)`, rounded up. `None` if it does not fit.
///
/// `segments` and `drawn` are those of a full milestone. A milestone of one segment is checked whole, so the factor is 1.
pub fn collateral(price: Balance, insured_value: Balance, segments: u32, drawn: u32) -> Option<Balance> {
	let by_price = price.checked_mul(COLLATERAL_PER_PRICE)?;
	let by_value = match segments {
		0 | 1 => insured_value,
		_ => mul_div_ceil(insured_value, segments, drawn.max(1))?,
	};
	Some(by_price.max(by_value))
}

/// Least collateral whatever price and value: twice the fees of a milestone's checks, so that half of it pays for the stakes
/// that a draw keeps busy when nobody is served, and a bid's deposit, which an idle lease costs.
pub const fn least_collateral(milestone_fees: Balance, bid_deposit: Balance) -> Balance {
	let fees = milestone_fees.saturating_mul(2);
	if fees > bid_deposit {
		fees
	} else {
		bid_deposit
	}
}

/// Whether enough verifiers are ready for a draw to be fair: at least half of the bond at work. Else who keeps all others
/// busy, with jobs of his own, would be drawn alone.
pub const fn draw_is_fair(ready: Balance, at_work: Balance) -> bool {
	ready >= at_work.div_ceil(2)
}

/// Bond that a verifier of slices of this cost needs. `None` if it does not fit.
pub fn verifier_bond(slice_cost: Balance) -> Option<Balance> {
	slice_cost.checked_mul(BOND_PER_SLICE)
}

/// Splits a slash: the client first, up to `client_cap` and a quarter; the challenger, if there is one, a quarter; the rest,
/// at least half, is burned. The parts sum exactly to `amount`.
pub const fn split_slash(amount: Balance, client_cap: Balance, challenger: bool) -> SlashSplit {
	let quarter = amount / 4;
	let client = if client_cap < quarter { client_cap } else { quarter };
	let challenger = if challenger { quarter } else { 0 };
	SlashSplit { client, challenger, burned: amount - client - challenger }
}

/// What the end of a lease costs its worker where nobody's fault is proven, out of its collateral; burned, so that nobody
/// gains by bringing it about. `idle`: the lease had no milestone verified.
///
/// - [`Reason::Unserved`]: up to half, by how much those refused outweigh those who answered (`unserved_ppm`), and at least the
///   bid's deposit. Whether a worker did not serve or its verifiers lied about it cannot be proven. If it were
///   free, a cheat that is drawn would answer on chain, serve nobody and leave; half of `max(2 R, ..)` is at least the price
///   of the whole job and the fees of the checks. Verifiers gain nothing by reporting it, and a few that lie burn little.
/// - [`Reason::GaveUp`], and [`Reason::Absent`] of an idle lease: the bid's deposit, for an attempt of the job that is used
///   up. Leaving at a milestone is free as [`Reason::DrainedAway`].
/// - All else: nothing.
pub fn forfeit(reason: Reason, idle: bool, unserved_ppm: u32, collateral: Balance, bid_deposit: Balance) -> Balance {
	match reason {
		Reason::Unserved => mul_div_floor(collateral / 2, unserved_ppm, PPM).max(bid_deposit).min(collateral),
		Reason::GaveUp => bid_deposit.min(collateral),
		Reason::Absent if idle => bid_deposit.min(collateral),
		_ => 0,
	}
}

/// Segments to draw for a worker with `clean` verified milestones since its last fault: falls from `full` toward `least`,
/// half of the way after [`AUDIT_HALF_LIFE`], never below `least`; rounded up.
pub fn adaptive_drawn(full: u32, least: u32, clean: u32) -> u32 {
	let least = least.min(full);
	let extra = u64::from(full - least) * u64::from(AUDIT_HALF_LIFE);
	let extra = extra.div_ceil(u64::from(AUDIT_HALF_LIFE) + u64::from(clean));
	// At most `full - least`.
	least + extra as u32
}

/// `amount * factor / divisor` rounded up; `None` if it does not fit or `divisor` is 0.
pub(crate) fn mul_div_ceil(amount: Balance, factor: u32, divisor: u32) -> Option<Balance> {
	let (factor, divisor) = (u128::from(factor), u128::from(divisor));
	let (whole, rest) = (amount.checked_div(divisor)?, amount.checked_rem(divisor)?);
	// `rest` and `factor` are below 2^32.
	whole.checked_mul(factor)?.checked_add((rest * factor).div_ceil(divisor))
}

/// `amount * factor / divisor` rounded down, for `factor <= divisor` and `divisor > 0`; else `amount`.
pub(crate) fn mul_div_floor(amount: Balance, factor: u32, divisor: u32) -> Balance {
	if factor >= divisor {
		return amount;
	}
	let (factor, divisor) = (u128::from(factor), u128::from(divisor));
	amount / divisor * factor + amount % divisor * factor / divisor
}

/// A natural number, 32-bit limbs, least significant first, no leading zero limb.
fn product(factors: impl Iterator<Item = u32>) -> Vec<u32> {
	factors.fold(alloc::vec![1], |number, factor| scaled(&number, factor))
}

fn scaled(number: &[u32], factor: u32) -> Vec<u32> {
	let mut out = Vec::with_capacity(number.len() + 1);
	let mut carry = 0u64;
	for limb in number {
		let value = u64::from(*limb) * u64::from(factor) + carry;
		out.push(value as u32);
		carry = value >> 32;
	}
	out.push(carry as u32);
	while out.last() == Some(&0) {
		out.pop();
	}
	out
}

fn at_least(a: &[u32], b: &[u32]) -> bool {
	a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev())).is_ge()
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn detection_known_values() {
		assert_eq!(detection(10, 1, 1), 100_000);
		assert_eq!(detection(10, 1, 10), PPM);
		assert_eq!(detection(10, 0, 10), 0);
		assert_eq!(detection(10, 10, 1), PPM);
		assert_eq!(detection(0, 0, 0), 0);
		// 1 - (95 * 94 * 93) / (100 * 99 * 98) = 0.144001...
		assert_eq!(detection(100, 5, 3), 144_001);
		// 1 - 2/3, rounded down.
		assert_eq!(detection(3, 1, 1), 333_333);
	}

	proptest! {
		#[test]
		fn detection_matches_enumeration(n in 1u32..12, m in 0u32..12, k in 0u32..12) {
			let (m, k) = (m.min(n), k.min(n));
			let subsets: Vec<u32> = (0..1u32 << n).filter(|s| s.count_ones() == k).collect();
			let bad = (1u32 << m) - 1;
			let caught = subsets.iter().filter(|s| *s & bad != 0).count() as u64;
			prop_assert_eq!(u64::from(detection(n, m, k)), caught * 1_000_000 / subsets.len() as u64);
		}

		#[test]
		fn detection_grows_with_both(n in 1u32..3000, m in 0u32..3000, k in 0u32..31) {
			let (m, k) = (m.min(n), k.min(n));
			prop_assert!(detection(n, m, k) <= detection(n, (m + 1).min(n), k));
			prop_assert!(detection(n, m, k) <= detection(n, m, (k + 1).min(n)));
		}

		#[test]
		fn drawn_for_is_the_smallest(n in 1u32..60, m in 1u32..60, target in 1u32..=1_000_000) {
			let m = m.min(n);
			let k = drawn_for(n, m, target).unwrap();
			prop_assert!(detection(n, m, k) >= target);
			prop_assert!(k == 0 || detection(n, m, k - 1) < target);
		}

		#[test]
		fn slash_conserves_and_burns_half(amount: u128, cap: u128, challenger: bool) {
			let split = split_slash(amount, cap, challenger);
			prop_assert_eq!(split.client + split.challenger + split.burned, amount);
			prop_assert!(split.burned >= amount / 2);
			prop_assert!(split.client <= cap);
			prop_assert_eq!(split.challenger, if challenger { amount / 4 } else { 0 });
		}

		#[test]
		fn collateral_covers_both_rules(price in 0u128..1 << 100, value in 0u128..1 << 90, n in 1u32..1000, k in 1u32..31) {
			let s = collateral(price, value, n, k).unwrap();
			prop_assert!(s >= 2 * price && s >= value.min(s));
			if n > 1 {
				prop_assert!(s * u128::from(k) >= value * u128::from(n));
			}
		}

		#[test]
		fn audit_stays_in_range(full in 0u32..100, least in 0u32..100, clean: u32) {
			let k = adaptive_drawn(full, least, clean);
			prop_assert!(k >= least.min(full) && k <= full);
			prop_assert!(adaptive_drawn(full, least, clean.saturating_add(1)) <= k);
			prop_assert_eq!(adaptive_drawn(full, least, 0), full);
		}

		#[test]
		fn mul_div_is_exact(amount in 0u128..1 << 90, a in 0u32.., b in 1u32..) {
			let exact = amount * u128::from(a);
			prop_assert_eq!(mul_div_ceil(amount, a, b), Some(exact.div_ceil(u128::from(b))));
			if a <= b {
				prop_assert_eq!(mul_div_floor(amount, a, b), exact / u128::from(b));
			}
		}
	}

	#[test]
	fn half_of_the_least_collateral_pays_the_checks() {
		assert_eq!(least_collateral(7, 3), 14);
		assert_eq!(least_collateral(1, 3), 3);
		assert_eq!(least_collateral(u128::MAX, 0), u128::MAX);
		assert_eq!(forfeit(Reason::Unserved, false, PPM / 5, 100, 3), 10);
		assert_eq!(forfeit(Reason::Unserved, false, PPM, least_collateral(7, 3), 3), 7);
	}

	#[test]
	fn leaving_without_a_milestone_costs_the_deposit() {
		for reason in [Reason::GaveUp, Reason::Absent] {
			assert_eq!(forfeit(reason, true, 0, 100, 3), 3);
			assert_eq!(forfeit(reason, true, 0, 2, 3), 2);
		}
		assert_eq!(forfeit(Reason::GaveUp, false, 0, 100, 3), 3);
		assert_eq!(forfeit(Reason::Absent, false, 0, 100, 3), 0);
		assert_eq!(forfeit(Reason::NoVerifiers, true, 0, 100, 3), 0);
	}

	#[test]
	fn a_draw_needs_half_of_the_bond_at_work() {
		assert!(draw_is_fair(0, 0));
		assert!(draw_is_fair(3, 5) && !draw_is_fair(2, 5));
		assert!(draw_is_fair(u128::MAX, u128::MAX) && !draw_is_fair(0, 1));
	}

	#[test]
	fn overflow_is_none() {
		assert_eq!(collateral(u128::MAX, 0, 2, 1), None);
		assert_eq!(collateral(0, u128::MAX, 3, 1), None);
		assert_eq!(verifier_bond(u128::MAX), None);
		assert_eq!(mul_div_ceil(1, 1, 0), None);
	}

	/// A worker who corrupts one segment gains at most the insured value and loses the collateral when caught.
	#[test]
	fn cheating_does_not_pay() {
		for (n, k) in [(10u32, 1u32), (50, 3), (200, 10), (2, 1)] {
			let value = 1_000_000_000u128;
			let s = collateral(0, value, n, k).unwrap();
			let p = u128::from(detection(n - 1, 1, k));
			assert!(s * p >= value * (1_000_000 - p), "n {n} k {k}");
		}
	}
}
