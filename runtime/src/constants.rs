//! Units of money and time, and what storage costs.

use crate::{Balance, BlockNumber};
use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};
use sp_runtime::Perbill;

/// One token, the unit that wallets show.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a token.
pub const MILLI: Balance = UNIT / 1_000;
/// A millionth of a token.
pub const MICRO: Balance = UNIT / 1_000_000;
/// Decimals of the token: `UNIT == 10^DECIMALS`.
pub const DECIMALS: u8 = 12;
/// The name of the token.
pub const SYMBOL: &str = "UNIT";
/// The address format: the generic one, so every wallet accepts addresses of this chain.
pub const SS58_PREFIX: u16 = 42;

/// Accounts with less than this are removed from state.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI;

/// What keeping `items` entries of `bytes` bytes in state costs while they are there.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
	items as Balance * 100 * MILLI + bytes as Balance * MILLI
}

/// Blocks of an hour at six seconds a block.
pub const HOURS: BlockNumber = 600;
/// Blocks of a day at six seconds a block.
pub const DAYS: BlockNumber = 24 * HOURS;

/// The computation a block may hold: two seconds. Its storage proof is not limited, the chain has no parent to prove to.
pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2), u64::MAX);
/// The part of a block open to ordinary transactions.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
/// The bytes of transactions a block may hold.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

/// The largest number of validators.
pub const MAX_VALIDATORS: u32 = 100;
/// For how many sessions after one its equivocations can be reported and punished.
pub const BONDING_SESSIONS: u32 = 84;
