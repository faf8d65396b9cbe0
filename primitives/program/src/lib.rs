//! The job program: typed op graph, validation, cost and refinement.
#![cfg_attr(not(feature = "std"), no_std)]
