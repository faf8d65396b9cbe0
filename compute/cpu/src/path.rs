//! Which instructions the kernels use.

use crate::CpuError;

/// Instruction set of the kernels. Every path gives the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
	/// The fastest that the processor has, but not [`Path::Amx`], which no processor has run yet.
	Auto,
	/// Only what every processor of the target architecture has.
	Portable,
	/// AVX2 and FMA.
	Avx2,
	/// AVX-512 F, VL, BW and DQ with AVX2 and FMA.
	Avx512,
	/// The same, and int8 products on the tiles of AMX.
	Amx,
	/// NEON, with the dot products of bytes where the processor has them.
	Neon,
}

/// Whether kernels of a path may run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
	/// The processor or the operating system lacks it.
	Missing,
	/// It is there, but gave other bits than portable code when it was first looked at. It is not used.
	Faulty,
	/// It can be used.
	Ready,
}

impl Path {
	/// Every path but [`Path::Auto`], the slowest first.
	pub const ALL: [Path; 5] = [Path::Portable, Path::Avx2, Path::Avx512, Path::Amx, Path::Neon];

	/// The paths that this processor can run, the slowest first.
	pub fn here() -> impl Iterator<Item = Path> {
		Path::ALL.into_iter().filter(|path| path.supported())
	}

	/// The paths that this processor has but gets wrong.
	pub fn faulty() -> impl Iterator<Item = Path> {
		Path::ALL.into_iter().filter(|path| path.standing() == Standing::Faulty)
	}

	/// The name that command lines use.
	pub fn name(self) -> &'static str {
		match self {
			Path::Auto => "auto",
			Path::Portable => "portable",
			Path::Avx2 => "avx2",
			Path::Avx512 => "avx512",
			Path::Amx => "amx",
			Path::Neon => "neon",
		}
	}

	/// Whether this processor can run the path.
	pub fn supported(self) -> bool {
		self.standing() == Standing::Ready
	}

	/// How the path stands on this processor. The first look at [`Path::Amx`] asks the operating system for its registers and
	/// compares its products with portable code's, a few milliseconds of work.
	pub fn standing(self) -> Standing {
		#[cfg(target_arch = "x86_64")]
		if self == Path::Amx {
			return crate::int8::amx_standing();
		}
		match self.detected() {
			true => Standing::Ready,
			false => Standing::Missing,
		}
	}

	/// Whether the processor has the instructions, of a path that needs no more than that.
	fn detected(self) -> bool {
		match self {
			Path::Auto | Path::Portable => true,
			#[cfg(target_arch = "x86_64")]
			Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
			#[cfg(target_arch = "x86_64")]
			Path::Avx512 => {
				Path::Avx2.detected()
					&& is_x86_feature_detected!("avx512f")
					&& is_x86_feature_detected!("avx512vl")
					&& is_x86_feature_detected!("avx512bw")
					&& is_x86_feature_detected!("avx512dq")
			}
			#[cfg(not(target_arch = "x86_64"))]
			Path::Avx2 | Path::Avx512 => false,
			// `standing` knows more.
			Path::Amx => false,
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
			Path::Auto => {
				// Not even looked at: what the look gets wrong about the tiles could end the process.
				let mut usable = Path::ALL.into_iter().filter(|path| *path != Path::Amx && path.supported());
				Ok(Self(usable.next_back().unwrap_or(Path::Portable)))
			}
			_ => match path.standing() {
				Standing::Ready => Ok(Self(path)),
				Standing::Faulty => Err(CpuError::Faulty(path)),
				Standing::Missing => Err(CpuError::Unsupported(path)),
			},
		}
	}

	/// Never [`Path::Auto`].
	pub(crate) fn path(self) -> Path {
		self.0
	}

	/// The path whose vectors the kernels use: AMX has no other vectors than AVX-512.
	pub(crate) fn vectors(self) -> Path {
		match self.0 {
			Path::Amx => Path::Avx512,
			path => path,
		}
	}

	/// Runs a kernel compiled for this path.
	#[inline]
	pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
		match self.vectors() {
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
