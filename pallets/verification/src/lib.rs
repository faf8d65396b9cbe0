#![cfg_attr(not(feature = "std"), no_std)]
//! Milestone commitments, beacon, assignment, blind commit, open and reveal.
