//! IEEE-754 binary32 arithmetic on integers.
#![cfg_attr(not(feature = "std"), no_std)]
