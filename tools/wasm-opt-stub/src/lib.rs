//! Stands in for the `wasm-opt` crate in development builds.
//!
//! Building Binaryen takes minutes, and for `wasm32v1-none` its passes have nothing to lower. This crate offers the
//! few names that `substrate-wasm-builder` uses and copies the file. It warns on every use: a runtime to be released is
//! built with the `[patch.crates-io]` table of the root `Cargo.toml` removed.

use std::{fs, io, path::Path};

/// The passes the wasm builder names.
#[derive(Clone, Copy, Debug)]
pub enum Pass {
	/// Would drop DWARF sections.
	StripDwarf,
	/// Would lower sign extension to MVP instructions.
	SignextLowering,
}

/// Accepts every option and applies none.
#[derive(Clone, Debug)]
pub struct OptimizationOptions;

impl OptimizationOptions {
	/// Options at level 0.
	pub fn new_opt_level_0() -> Self {
		Self
	}

	/// Accepted, not applied.
	pub fn mvp_features_only(&mut self) -> &mut Self {
		self
	}

	/// Accepted, not applied.
	pub fn debug_info(&mut self, _: bool) -> &mut Self {
		self
	}

	/// Accepted, not applied.
	pub fn add_pass(&mut self, _: Pass) -> &mut Self {
		self
	}

	/// Copies `infile` to `outfile`.
	///
	/// # Errors
	/// The I/O error of reading or writing.
	pub fn run(&self, infile: impl AsRef<Path>, outfile: impl AsRef<Path>) -> io::Result<()> {
		println!("cargo:warning=development build: the runtime is copied, not passed through Binaryen");
		let bytes = fs::read(infile)?;
		fs::write(outfile, bytes)
	}
}
