//! CUDA backend of lane F32, bit-identical to the referee.

mod backend;
mod device;
mod driver;
mod error;
mod grid;
mod launch;
mod lower;
mod placement;
mod ptx;
mod session;

pub use backend::{Backend, Context, DeviceTensor, Input};
pub use device::{Buffer, Device};
pub use driver::{DeviceInfo, Driver, DriverBuffer, DriverGraph};
pub use error::{CudaError, OpError};
pub use launch::{Arg, Launch, Lowered, Profile, Value, Work};
pub use lower::lower;
pub use ptx::{Module, MODULES};
pub use session::{Session, SessionError};

/// The backend on a GPU.
pub type Cuda = Backend<Driver>;
