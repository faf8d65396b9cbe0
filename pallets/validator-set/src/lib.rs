#![cfg_attr(not(feature = "std"), no_std)]
//! Session manager over validator bonds.
