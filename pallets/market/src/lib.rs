#![cfg_attr(not(feature = "std"), no_std)]
//! Jobs, orders, bids, leases, escrow, milestones and settlement.
