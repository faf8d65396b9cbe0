//! Which instructions the kernels use.

use crate::CpuError;

/// Instruction set of the kernels. Every path gives the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
	/// The fastest that the processor has.
	Auto,
	/// Only what every processor of the target architecture has.
	Portable,
	/// AVX2 and FMA.
	Avx2,
	/// AVX-512 F, VL, BW and DQ with AVX2 and FMA.
	Avx512,
	/// NEON, with the dot products of bytes where the processor has them.
	Neon,
}

impl Path {
	/// The paths that this processor can run, the slowest first; [`Path::Auto`] is the last of them.
	pub fn here() -> impl Iterator<Item = Path> {
		[Path::Portable, Path::Avx2, Path::Avx512, Path::Neon].into_iter().filter(|path| path.supported())
	}

	/// The name that command lines use.
	pub fn name(self) -> &'static str {
		match self {
			Path::Auto => "auto",
			Path::Portable => "portable",
			Path::Avx2 => "avx2",
			Path::Avx512 => "avx512",
			Path::Neon => "neon",
		}
	}

	/// Whether this processor can run the path.
	pub fn supported(self) -> bool {
		match self {
			Path::Auto | Path::Portable => true,
			#[cfg(target_arch = "x86_64")]
			Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
			#[cfg(target_arch = "x86_64")]
			Path::Avx512 => {
				Path::Avx2.supported()
					&& is_x86_feature_detected!("avx512f")
					&& is_x86_feature_detected!("avx512vl")
					&& is_x86_feature_detected!("avx512bw")
					&& is_x86_feature_detected!("avx512dq")
			}
			#[cfg(not(target_arch = "x86_64"))]
			Path::Avx2 | Path::Avx512 => false,
			// Every 64-bit Arm processor that runs a common operating system.
			Path::Neon => cfg!(target_arch = "aarch64"),
		}
	}
}

/// A path that this processor was found to have. Holding one is the proof that its kernels may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Supported(Path);

impl Supported {
	pub(crate) fn new(path: Path) -> Result<Self, CpuError> {
		match path {
			Path::Auto => Ok(Self(Path::here().last().unwrap_or(Path::Portable))),
			_ if path.supported() => Ok(Self(path)),
			_ => Err(CpuError::Unsupported(path)),
		}
	}

	/// Never [`Path::Auto`].
	pub(crate) fn path(self) -> Path {
		self.0
	}

	/// Runs a kernel compiled for this path.
	#[inline]
	pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
		match self.0 {
			// SAFETY: a `Supported` with this path exists only after the features were detected.
			#[cfg(target_arch = "x86_64")]
			Path::Avx512 => unsafe { with_avx512(kernel) },
			// SAFETY: as above.
			#[cfg(target_arch = "x86_64")]
			Path::Avx2 => unsafe { with_avx2(kernel) },
			_ => kernel.run::<PORTABLE_FUSED>(),
		}
	}
}

/// Whether every processor of the target has a fused multiply-add, so that `f32::mul_add` is one instruction.
pub(crate) const PORTABLE_FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// Code compiled once per path. `run` must be `#[inline(always)]`, or it would not get the path's instructions.
pub(crate) trait Kernel {
	type Output;

	/// `FUSED`: the surrounding function has a fused multiply-add instruction.
	fn run<const FUSED: bool>(self) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
	kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
	kernel.run::<true>()
}
