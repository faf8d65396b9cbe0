#![cfg_attr(not(feature = "std"), no_std)]
//! Worker and verifier registry: bonds, capabilities, unbonding, slashing, reputation.
