//! Protocol rules as pure functions: auction, sampling, stake economics, disputes, reasons.
#![cfg_attr(not(feature = "std"), no_std)]
