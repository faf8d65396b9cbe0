//! The floating-point unit's mode.

/// Whether this thread rounds to nearest and keeps subnormals, the mode a thread starts in.
#[inline]
pub(crate) fn is_default() -> bool {
	#[cfg(target_arch = "x86_64")]
	{
		/// Rounding control (bits 13 and 14), flush to zero (15) and denormals are zero (6).
		const MODE: u32 = 0xe040;
		let mut mxcsr = 0u32;
		// SAFETY: stores the four bytes of MXCSR to a local of four bytes.
		unsafe { core::arch::asm!("stmxcsr [{}]", in(reg) &mut mxcsr, options(nostack, preserves_flags)) };
		mxcsr & MODE == 0
	}
	#[cfg(target_arch = "aarch64")]
	{
		/// Flush to zero (bits 19 and 24) and rounding mode (22 and 23).
		const MODE: u64 = 0x01c8_0000;
		let fpcr: u64;
		// SAFETY: reads a register.
		unsafe { core::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
		fpcr & MODE == 0
	}
	#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
	{
		let tiny = std::hint::black_box(f32::from_bits(1));
		let third = std::hint::black_box(1.0f32) / std::hint::black_box(3.0f32);
		(tiny + tiny).to_bits() == 2 && third.to_bits() == 0x3eaa_aaab
	}
}
