//! The processor's instructions.
//!
//! What a tile holds lives on from one block of assembly to the next: no code that the compiler makes here touches tiles, as
//! nothing is compiled for AMX, and the operating system saves them like other registers. The functions around the blocks are
//! inlined and call nothing.

use core::arch::asm;

use super::tiles::{Config, Tiles};

/// The tiles of the processor.
pub(in crate::int8) struct Processor;

/// `asm!` that names the tiles as overwritten.
macro_rules! tiles_asm {
	($($arguments:tt)*) => {
		asm!(
			$($arguments)*,
			out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
			out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
			options(nostack, preserves_flags)
		)
	};
}

impl Tiles for Processor {
	#[inline(always)]
	unsafe fn configure(config: &Config) {
		// SAFETY: reads 64 bytes; the caller vouches for the tiles.
		unsafe { tiles_asm!("ldtilecfg [{}]", in(reg) config) };
	}

	#[inline(always)]
	unsafe fn release() {
		// SAFETY: as above.
		unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
	}

	#[inline(always)]
	unsafe fn zero<const TILE: usize>() {
		// SAFETY: as above.
		unsafe { tiles_asm!("tilezero tmm{}", const TILE) };
	}

	#[inline(always)]
	unsafe fn load<const TILE: usize>(from: &[u32], stride: usize) {
		// SAFETY: as above; the caller vouches for what is read.
		unsafe {
			tiles_asm!("tileloadd tmm{}, [{} + {}]", const TILE, in(reg) from.as_ptr(), in(reg) stride * 4);
		}
	}

	#[inline(always)]
	unsafe fn add_products<const SUMS: usize, const A: usize, const B: usize>() {
		// SAFETY: as above.
		unsafe { tiles_asm!("tdpbssd tmm{}, tmm{}, tmm{}", const SUMS, const A, const B) };
	}

	#[inline(always)]
	unsafe fn store<const TILE: usize>(to: &mut [u32], stride: usize) {
		// SAFETY: as above; the caller vouches for what is written.
		unsafe {
			tiles_asm!("tilestored [{} + {}], tmm{}", in(reg) to.as_mut_ptr(), in(reg) stride * 4, const TILE);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A byte of machine code, and which of its bits the manual gives; the others name registers for addresses.
	type Bits = (u8, u8);

	/// Whether a function, which ends within 96 bytes, has the instruction.
	fn has(function: *const u8, instruction: &[Bits]) -> bool {
		// SAFETY: code can be read; other functions of this program follow.
		let code = unsafe { core::slice::from_raw_parts(function, 96) };
		let is = |code: &[u8]| code.iter().zip(instruction).all(|(byte, (bits, given))| byte & given == *bits);
		code.windows(instruction.len()).any(is)
	}

	#[inline(never)]
	unsafe fn configure(config: &Config) {
		// SAFETY: never called.
		unsafe { Processor::configure(config) };
	}

	#[inline(never)]
	unsafe fn load(from: &[u32], stride: usize) {
		// SAFETY: as above.
		unsafe { Processor::load::<5>(from, stride) };
	}

	#[inline(never)]
	unsafe fn store(to: &mut [u32], stride: usize) {
		// SAFETY: as above.
		unsafe { Processor::store::<3>(to, stride) };
	}

	/// The machine code that the kernel is made of, byte by byte as Intel's manual encodes it. Operand by operand: a sum in 1,
	/// `A` in 4, `B` in 6, is (ModRM.reg 1, ModRM.rm 4, VEX.vvvv 6).
	#[test]
	fn instructions_are_the_manuals() {
		const ALL: u8 = 0xff;
		let exact = |bytes: [u8; 5]| bytes.map(|byte| (byte, ALL));
		let products = Processor::add_products::<1, 4, 6> as *const u8;
		assert!(has(products, &exact([0xc4, 0xe2, 0x4b, 0x5e, 0xcc])), "tdpbssd tmm1, tmm4, tmm6");
		assert!(has(Processor::zero::<3> as *const u8, &exact([0xc4, 0xe2, 0x7b, 0x49, 0xd8])), "tilezero tmm3");
		assert!(has(Processor::release as *const u8, &exact([0xc4, 0xe2, 0x78, 0x49, 0xc0])), "tilerelease");
		// The second byte's upper bits extend the registers of the address; SIB addressing is ModRM.rm 4.
		let with_address = |prefix, opcode, modrm| [(0xc4, ALL), (0x82, 0x9f), (prefix, ALL), (opcode, ALL), modrm];
		assert!(has(configure as *const u8, &with_address(0x78, 0x49, (0x00, 0x38))), "ldtilecfg [..]");
		assert!(has(load as *const u8, &with_address(0x7b, 0x4b, (0x2c, 0x3f))), "tileloadd tmm5, [.. + ..]");
		assert!(has(store as *const u8, &with_address(0x7a, 0x4b, (0x1c, 0x3f))), "tilestored [.. + ..], tmm3");
	}
}
