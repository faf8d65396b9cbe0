#![cfg_attr(not(feature = "std"), no_std)]
//! Dissection moves, clocks and the referee's verdict.
