//! Records of the registry. They know nothing of the pallet's configuration.

use crate::{job::MAX_ENDPOINT, Balance, BlockNumber};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest peer id, bytes: a multihash of an inlined public key is 38.
pub const MAX_PEER_ID: u32 = 64;
/// Longest name of a device model, bytes.
pub const MAX_DEVICE_NAME: u32 = 32;
/// Most device kinds a worker publishes.
pub const MAX_DEVICES: u32 = 8;
/// Most jobs a worker may offer to run at once.
pub const MAX_SLOTS: u32 = 64;
/// Consecutive absences after which an operator is [`State::Unresponsive`].
pub const ABSENCES_TO_UNRESPONSIVE: u32 = 3;
/// Checks that the least bond of a verifier carries at once: each reserves this fraction of it.
pub const CHECKS_PER_MIN_BOND: Balance = 4;

/// What an account does. An account may hold one record of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Role {
	/// Executes jobs.
	#[codec(index = 0)]
	Worker,
	/// Re-executes drawn segments.
	#[codec(index = 1)]
	Verifier,
}

/// Where an operator is reached on the data plane.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Contact {
	/// Multiaddr text; not empty.
	pub endpoint: BoundedVec<u8, ConstU32<MAX_ENDPOINT>>,
	/// Bytes of the libp2p peer id; not empty.
	pub peer_id: BoundedVec<u8, ConstU32<MAX_PEER_ID>>,
}

/// Accelerators of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Device {
	/// Model as the driver names it.
	pub model: BoundedVec<u8, ConstU32<MAX_DEVICE_NAME>>,
	/// How many.
	pub count: u16,
	/// Memory of each, MiB.
	pub memory_mib: u32,
}

/// What a worker says it has. Published for clients; only `slots` binds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Capabilities {
	/// Jobs run at once, 1 to [`MAX_SLOTS`].
	pub slots: u32,
	/// CPU cores.
	pub cores: u32,
	/// Main memory, MiB.
	pub memory_mib: u32,
	/// Accelerators; empty for a CPU worker.
	pub devices: BoundedVec<Device, ConstU32<MAX_DEVICES>>,
}

/// Whether an operator takes work. A duty is a job (worker) or a pending check (verifier).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum State {
	/// Takes work and has none. Left by the first duty, `set_draining`, `unbond` of everything, absence or a slash.
	Ready,
	/// Has work and takes more while slots and bond allow.
	Busy {
		/// Duties under way, at least 1.
		duties: u32,
	},
	/// Finishes what it has and takes nothing new. Left by `set_ready`.
	Draining {
		/// Duties under way.
		duties: u32,
	},
	/// Was absent too often in a row. Left by `set_ready`.
	Unresponsive {
		/// Duties under way.
		duties: u32,
	},
	/// Was slashed. Left by `set_ready` once `until` is reached and the bond is whole again.
	Jailed {
		/// Duties under way.
		duties: u32,
		/// First block in which it may come back.
		until: BlockNumber,
	},
}

impl State {
	/// Duties under way.
	pub const fn duties(&self) -> u32 {
		match self {
			Self::Ready => 0,
			Self::Busy { duties }
			| Self::Draining { duties }
			| Self::Unresponsive { duties }
			| Self::Jailed { duties, .. } => *duties,
		}
	}

	/// Whether new work may be given.
	pub const fn takes_work(&self) -> bool {
		matches!(self, Self::Ready | Self::Busy { .. })
	}

	/// The same state with another number of duties; `Ready` and `Busy` turn into each other.
	pub const fn with_duties(self, duties: u32) -> Self {
		match self {
			Self::Ready | Self::Busy { .. } => Self::at_work(duties),
			Self::Draining { .. } => Self::Draining { duties },
			Self::Unresponsive { .. } => Self::Unresponsive { duties },
			Self::Jailed { until, .. } => Self::Jailed { duties, until },
		}
	}

	/// The state of an operator that takes work.
	pub const fn at_work(duties: u32) -> Self {
		if duties == 0 {
			Self::Ready
		} else {
			Self::Busy { duties }
		}
	}
}

/// What an operator's past says.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Reputation {
	/// Jobs finished or checks done honestly.
	pub done: u32,
	/// Leases or checks that ended without success and without a proven fault.
	pub failed: u32,
	/// Proven faults.
	pub faults: u32,
	/// Absences noted.
	pub absences: u32,
	/// Absences since the last duty done.
	pub absences_in_row: u32,
}

/// Bond on its way back to its owner: still on hold, no longer at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Unbonding {
	/// How much.
	pub amount: Balance,
	/// First block in which it may be withdrawn.
	pub at: BlockNumber,
}

/// What only one role has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Service {
	/// A worker's machine. Collateral of each job is kept apart, per job.
	Worker(Capabilities),
	/// A verifier's stake per check, fixed while checks are pending.
	Verifier {
		/// Bond that each pending check reserves.
		check_stake: Balance,
		/// Block in which the bond last grew. A draw counts only bonds that are older than what it is about.
		since: BlockNumber,
	},
}

/// One operator in one role.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Operator {
	/// Bond at work, on hold; without what is unbonding.
	pub bond: Balance,
	/// Part of the bond that duties reserve.
	pub locked: Balance,
	/// Bond on its way back.
	pub unbonding: Option<Unbonding>,
	/// Whether it takes work.
	pub state: State,
	/// What its past says.
	pub reputation: Reputation,
	/// Where it is reached.
	pub contact: Contact,
	/// What only its role has.
	pub service: Service,
}

impl Operator {
	/// Bond that no duty reserves.
	pub const fn free(&self) -> Balance {
		self.bond.saturating_sub(self.locked)
	}

	/// Money on hold for this record.
	pub const fn held(&self) -> Balance {
		match self.unbonding {
			Some(Unbonding { amount, .. }) => self.bond.saturating_add(amount),
			None => self.bond,
		}
	}

	/// Bond of one that takes work; 0 of others.
	pub const fn at_work(&self) -> Balance {
		if self.state.takes_work() {
			self.bond
		} else {
			0
		}
	}

	/// Weight in the draw of verifiers, and since when; `None` when it cannot take a check now.
	pub const fn draw_weight(&self) -> Option<(Balance, BlockNumber)> {
		match self.service {
			Service::Verifier { check_stake, since } if self.state.takes_work() && self.free() >= check_stake => {
				Some((self.bond, since))
			}
			_ => None,
		}
	}
}

/// A verifier that can be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Drawable<AccountId> {
	/// Who.
	pub who: AccountId,
	/// Its bond.
	pub weight: Balance,
	/// Block in which the bond last grew.
	pub since: BlockNumber,
}
