//! NVIDIA's own matrix product, to compare speed with, if its library is there. Nothing of it reaches a result.

use core::ffi::{c_int, c_void};

use assay_cuda::{CudaError, DeviceTensor, Driver};
use libloading::Library;

use crate::time::fastest;

/// Names of the library, the newest first.
const NAMES: [&str; 7] = [
	"libcublas.so.13",
	"libcublas.so.12",
	"libcublas.so.11",
	"libcublas.so",
	"cublas64_13.dll",
	"cublas64_12.dll",
	"cublas64_11.dll",
];

type Handle = *mut c_void;
type Create = unsafe extern "C" fn(*mut Handle) -> c_int;
type Destroy = unsafe extern "C" fn(Handle) -> c_int;
type SetStream = unsafe extern "C" fn(Handle, *mut c_void) -> c_int;
type Sgemm = unsafe extern "C" fn(
	Handle,
	c_int,
	c_int,
	c_int,
	c_int,
	c_int,
	*const f32,
	u64,
	c_int,
	u64,
	c_int,
	*const f32,
	u64,
	c_int,
) -> c_int;

/// Seconds of the fastest product `out = a b` of three tensors of `n` x `n` numbers, or why there is none.
pub(crate) fn sgemm(
	driver: &Driver,
	n: u32,
	a: &DeviceTensor<Driver>,
	b: &DeviceTensor<Driver>,
	out: &mut DeviceTensor<Driver>,
) -> Result<f64, String> {
	let square = [a.spec(), b.spec(), out.spec()].into_iter().all(|spec| (spec.rows, spec.cols) == (n, n));
	let side = c_int::try_from(n).ok().filter(|_| square).ok_or("not square")?;
	let library = open()?;
	let missing = |error: libloading::Error| error.to_string();
	// SAFETY: the functions' types, from NVIDIA's header.
	let (create, destroy, set_stream, sgemm) = unsafe {
		(
			library.get::<Create>(b"cublasCreate_v2\0").map_err(missing)?,
			library.get::<Destroy>(b"cublasDestroy_v2\0").map_err(missing)?,
			library.get::<SetStream>(b"cublasSetStream_v2\0").map_err(missing)?,
			library.get::<Sgemm>(b"cublasSgemm_v2\0").map_err(missing)?,
		)
	};
	let check = |call: &str, status: c_int| if status == 0 { Ok(()) } else { Err(format!("{call} returns {status}")) };
	let mut handle: Handle = core::ptr::null_mut();
	driver.synchronize().map_err(|error| error.to_string())?;
	// SAFETY: writes a handle; waiting made the device's context current.
	check("cublasCreate", unsafe { create(&mut handle) })?;
	let (one, zero) = (1.0f32, 0.0f32);
	let product = || -> Result<(), String> {
		// Columns first: B^T A^T is the transpose of A B, so in rows it is A B.
		// SAFETY: three matrices of the sides that are said, alive until `synchronize` has waited.
		let status = unsafe {
			sgemm(
				handle,
				0,
				0,
				side,
				side,
				side,
				&one,
				b.address(),
				side,
				a.address(),
				side,
				&zero,
				out.address(),
				side,
			)
		};
		check("cublasSgemm", status)?;
		driver.synchronize().map_err(|error: CudaError| error.to_string())
	};
	// SAFETY: the handle is alive, and so is the stream.
	let timed =
		check("cublasSetStream", unsafe { set_stream(handle, driver.stream()) }).and_then(|()| fastest(product));
	// SAFETY: created above, destroyed once.
	let _ = unsafe { destroy(handle) };
	timed
}

fn open() -> Result<Library, String> {
	let mut reasons = Vec::new();
	for name in NAMES {
		// SAFETY: NVIDIA's library; its initialisers run like those of any program that uses it.
		match unsafe { Library::new(name) } {
			Ok(library) => return Ok(library),
			Err(error) => reasons.push(error.to_string()),
		}
	}
	Err(format!("no cuBLAS: {}", reasons.first().map_or("", String::as_str)))
}
