//! One file per call; the invariants are checked after every test.

mod bond_more;
mod checks;
mod collateral;
mod draw;
mod fuzz;
pub(crate) mod mock;
mod note_absence;
mod register_verifier;
mod register_worker;
mod set_draining;
mod set_ready;
mod unbond;
mod update_capabilities;
mod update_endpoint;
mod withdraw;
