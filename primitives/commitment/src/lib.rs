//! Tensor and state roots, boundary trees and openings.
#![cfg_attr(not(feature = "std"), no_std)]
