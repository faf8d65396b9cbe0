//! Runs programs: states, steps, checkpoints, traces.
//!
//! An [`Engine`] holds a validated program, its data and a backend. A [`State`] is what the next step depends on; its root
//! is what jobs commit to. The same program gives the same roots on every backend, however its run is interrupted,
//! resumed from a [checkpoint](Engine::encode_checkpoint) or split.
//!
//! Runs may be done by a device that gives the same bits, an [`Accelerator`]; without one, all is done on the CPU.
//!
//! | Caller | Uses |
//! |---|---|
//! | worker | [`Engine::run_segment`], [`Engine::state_root`], [`Engine::encode_checkpoint`] |
//! | verifier | [`Engine::decode_checkpoint`] of the pre-state, [`Engine::run_segment`], [`Engine::state_root`] |
//! | either, in a dispute | [`SegmentOracle`] |
//! | client | [`Engine::outputs`] of an evaluation program on the final state |

mod accelerated;
mod accelerator;
mod calibration;
mod checkpoint;
mod data;
mod engine;
mod error;
mod estimate;
mod memory;
mod oracle;
mod packs;
mod plan;
mod profile;
mod requirements;
mod run;
mod schedule;
mod scheduled;
mod state;
mod states;
mod tensor;
mod trace;
mod workspace;

pub use accelerator::{Accelerator, AcceleratorError, Loaded, Stepped};
pub use assay_cpu::{Cpu, Path};
pub use calibration::Calibration;
pub use checkpoint::{blob_hash, CheckpointError};
pub use engine::Engine;
pub use error::{EngineError, RunError};
pub use memory::RunMemory;
pub use oracle::{OracleError, SegmentOracle};
pub use profile::{Profile, ProfileEntry};
pub use requirements::{requirements, Requirement};
pub use run::{Outcome, StepReport};
pub use state::State;
pub use tensor::{Tensor, TensorError};
pub use trace::StepTrace;

/// A 32-byte hash.
pub type Hash = assay_commitment::Hash;
