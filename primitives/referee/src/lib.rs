//! Executes one micro-operation with integer arithmetic: the judge.
#![cfg_attr(not(feature = "std"), no_std)]
