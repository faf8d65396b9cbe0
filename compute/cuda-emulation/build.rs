//! Compiles the kernels of `assay-cuda` as C++ for this machine.
//!
//! Which kernels a file has is read from its PTX, so what is emulated is what is shipped. Without a C++ compiler the crate
//! still builds, and says so when it is used.

use std::{
	env,
	fmt::Write as _,
	fs, io,
	path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
	println!("cargo::rustc-check-cfg=cfg(no_compiler)");
	let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
	let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
	let (kernels, ptx, host) = (root.join("../cuda/kernels"), root.join("../cuda/ptx"), root.join("host"));
	for dir in [&kernels, &ptx, &host] {
		println!("cargo::rerun-if-changed={}", dir.display());
	}

	let mut build = cc::Build::new();
	build.cpp(true).std("c++17").opt_level(2).warnings(false).include(&host).include(&kernels);
	// Nothing contracted, nothing approximate; switching between stacks with longjmp is no overflow.
	for flag in ["-ffp-contract=off", "-fno-fast-math", "-Wno-unknown-pragmas", "-U_FORTIFY_SOURCE"] {
		build.flag_if_supported(flag);
	}

	let mut modules = String::from("#include \"cuda.h\"\nextern const Entry entries_of_faulty[];\n");
	let mut table = String::from("entries_of_faulty, ");
	let mut files: Vec<PathBuf> = fs::read_dir(&kernels)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
	files.sort();
	for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "cu")) {
		let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
		let text = fs::read_to_string(ptx.join(name).with_extension("ptx"))?;
		let entries = text.lines().filter_map(|line| line.strip_prefix(".visible .entry ")?.strip_suffix('('));
		let mut source = format!("#include \"cuda.h\"\n#include \"{name}.cu\"\n");
		let _ = writeln!(source, "extern const Entry entries_of_{name}[];\nconst Entry entries_of_{name}[] = {{");
		entries.for_each(|entry| source.push_str(&format!("\tENTRY({entry}),\n")));
		source.push_str("\t{nullptr, nullptr, nullptr, 0},\n};\n");
		let path = out.join(format!("{name}.cpp"));
		fs::write(&path, source)?;
		build.file(path);
		let _ = writeln!(modules, "extern const Entry entries_of_{name}[];");
		let _ = write!(table, "entries_of_{name}, ");
	}
	let _ =
		writeln!(modules, "extern const Entry *const modules[];\nconst Entry *const modules[] = {{{table}nullptr}};");
	let path = out.join("modules.cpp");
	fs::write(&path, modules)?;
	build.file(path).file(host.join("grid.cpp")).file(host.join("faulty.cpp"));

	if let Err(error) = build.try_compile("assay_cuda_emulation") {
		println!("cargo::warning=the CUDA kernels are not emulated, a C++ compiler is needed: {error}");
		println!("cargo::rustc-cfg=no_compiler");
	} else if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
		link_driver(&build, &host, &out)?;
	}
	Ok(())
}

/// Makes `libcuda.so`, a driver that runs kernels in the emulation. Nothing links it: a test has it found by its name.
fn link_driver(build: &cc::Build, host: &Path, out: &Path) -> io::Result<()> {
	let dir = out.join("driver");
	fs::create_dir_all(&dir)?;
	let status = build
		.get_compiler()
		.to_command()
		.args(["-shared", "-fPIC", "-fvisibility=hidden", "-o"])
		.arg(dir.join("libcuda.so"))
		.arg(host.join("driver.cpp"))
		.arg("-Wl,--whole-archive")
		.arg(out.join("libassay_cuda_emulation.a"))
		.arg("-Wl,--no-whole-archive")
		.status()?;
	if !status.success() {
		println!("cargo::warning=the emulated driver could not be linked: {status}");
	}
	println!("cargo::rustc-env=ASSAY_EMULATED_DRIVER={}", dir.display());
	Ok(())
}
