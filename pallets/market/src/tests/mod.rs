//! One file per call; the invariants of both pallets are checked after every test.

mod bid;
mod cancel_job;
mod close_auction;
mod declare_absent;
mod expire;
mod fail_job;
mod forget_job;
mod fuzz;
mod leases;
pub(crate) mod mock;
mod post_job;
mod set_parameters;
pub(crate) mod spec;
mod withdraw_bid;
