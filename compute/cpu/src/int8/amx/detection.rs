//! Whether processor and operating system have the tiles.

use core::arch::x86_64::{__cpuid, __cpuid_count};

/// Whether this process can use the tiles; asks the operating system for them.
pub(super) fn usable() -> bool {
	processor_has_tiles() && system_saves_tiles() && permitted()
}

/// CPUID: the tiles, their products of bytes, and a palette 1 as the kernel expects it.
fn processor_has_tiles() -> bool {
	/// Bits of leaf 7, EDX.
	const TILES_AND_BYTES: u32 = 1 << 24 | 1 << 25;
	if __cpuid(0).eax < 0x1e || __cpuid_count(7, 0).edx & TILES_AND_BYTES != TILES_AND_BYTES {
		return false;
	}
	let (palette, products) = (__cpuid_count(0x1d, 1), __cpuid_count(0x1e, 0));
	let (tile_bytes, row_bytes) = (palette.eax >> 16, palette.ebx & 0xffff);
	let (tiles, rows) = (palette.ebx >> 16, palette.ecx & 0xffff);
	let (most_rows_of_b, most_row_bytes_of_b) = (products.ebx & 0xff, products.ebx >> 8 & 0xffff);
	__cpuid(0x1d).eax >= 1
		&& (tile_bytes, row_bytes, tiles, rows) == (1024, 64, 8, 16)
		&& (most_rows_of_b, most_row_bytes_of_b) == (16, 64)
}

/// XCR0: the operating system saves the tiles and their shapes.
fn system_saves_tiles() -> bool {
	/// Bits of XCR0.
	const SHAPES_AND_TILES: u64 = 1 << 17 | 1 << 18;
	/// Bit of leaf 1, ECX: programs may read XCR0.
	const READABLE: u32 = 1 << 27;
	if __cpuid(1).ecx & READABLE == 0 {
		return false;
	}
	let (low, high): (u32, u32);
	// SAFETY: the instruction is there; it reads a register.
	unsafe {
		core::arch::asm!(
			"xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags)
		);
	}
	(u64::from(high) << 32 | u64::from(low)) & SHAPES_AND_TILES == SHAPES_AND_TILES
}

/// Whether Linux lets this process use the tiles: all of its threads, once it was asked. It refuses where a thread's stack for
/// signals is too small to save them on. A filter of system calls must let `arch_prctl` pass until then, by returning an error
/// at least: one that ends the process would end it here.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn permitted() -> bool {
	const ARCH_PRCTL: u64 = 158;
	const REQUEST: u64 = 0x1023;
	const TILES: u64 = 18;
	let answer: u64;
	// SAFETY: a system call that changes nothing but what registers this process may use.
	unsafe {
		core::arch::asm!(
			"syscall",
			inout("rax") ARCH_PRCTL => answer,
			in("rdi") REQUEST,
			in("rsi") TILES,
			out("rcx") _,
			out("r11") _,
			options(nostack)
		);
	}
	answer == 0
}

/// Other systems: not known how they are asked.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn permitted() -> bool {
	false
}

#[cfg(test)]
mod tests {
	use super::*;

	/// On any machine: asking must neither fault nor end the process, and what the system saves the processor has.
	#[test]
	fn asking_is_harmless() {
		assert!(!usable() || (processor_has_tiles() && system_saves_tiles()));
		assert_eq!(usable(), usable());
	}
}
