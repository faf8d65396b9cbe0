//! The PTX as shipped: what it may hold, and that it is complete.

mod lint;

use std::collections::BTreeSet;

use assay_cuda::MODULES;
use lint::lint;

#[test]
fn the_shipped_ptx_obeys_the_rules() {
	for module in MODULES {
		let findings = lint(module.ptx);
		assert!(findings.is_empty(), "{}: {findings:#?}", module.name);
	}
}

/// One line for each way to break a rule; each must be found, or the lint is blind to it.
#[test]
fn every_rule_catches_what_it_is_for() {
	let bad = [
		"add.f32 %f1, %f2, %f3;",
		"sub.f32 %f1, %f2, %f3;",
		"mul.f32 %f1, %f2, %f3;",
		"add.rz.f32 %f1, %f2, %f3;",
		"mul.rm.f32 %f1, %f2, %f3;",
		"fma.rz.f32 %f1, %f2, %f3, %f4;",
		"mad.f32 %f1, %f2, %f3, %f4;",
		"div.full.f32 %f1, %f2, %f3;",
		"div.approx.f32 %f1, %f2, %f3;",
		"div.rp.f32 %f1, %f2, %f3;",
		"sqrt.approx.f32 %f1, %f2;",
		"sqrt.rz.f32 %f1, %f2;",
		"rsqrt.approx.f32 %f1, %f2;",
		"rcp.rn.f32 %f1, %f2;",
		"ex2.approx.ftz.f32 %f1, %f2;",
		"lg2.approx.f32 %f1, %f2;",
		"sin.approx.f32 %f1, %f2;",
		"tanh.approx.f32 %f1, %f2;",
		"add.rn.ftz.f32 %f1, %f2, %f3;",
		"fma.rn.ftz.f32 %f1, %f2, %f3, %f4;",
		"add.rn.sat.f32 %f1, %f2, %f3;",
		"setp.lt.ftz.f32 %p1, %f1, %f2;",
		"abs.ftz.f32 %f1, %f2;",
		"cvt.rn.f32.s32 %f1, %r1;",
		"cvt.rzi.s32.f32 %r1, %f1;",
		"cvt.rn.f16.f32 %h1, %f1;",
		"max.f32 %f1, %f2, %f3;",
		"min.f32 %f1, %f2, %f3;",
		"add.rn.f64 %fd1, %fd2, %fd3;",
		"fma.rn.f16x2 %h1, %h2, %h3, %h4;",
		"fma.rn.bf16 %h1, %h2, %h3, %h4;",
		"atom.global.add.f32 %f1, [%rd1], %f2;",
		"red.global.add.f32 [%rd1], %f2;",
		"red.async.relaxed.add.noftz.f16x2 [%rd1], %f2;",
		"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1}, {%r1}, {%r2}, {%f2};",
		"wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 {%f1}, {%r1}, {%r2}, {%f2};",
		"wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1}, %rd1, %rd2, 1, 1, 1, 0, 0;",
		"mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32 {%r1}, {%r2}, {%r3}, {%r4};",
		"mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%r1}, {%r2}, {%r3}, {%r4};",
		"mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e4m3.f16 {%r1}, {%r2}, {%r3}, {%r4};",
		"cvt.rni.satfinite.s8.s32 %r1, %r2;",
		"call.uni (%r1), __nv_fast_expf, (%f1);",
		"@%p1 add.f32 %f1, %f2, %f3;",
		"LBB0_1: add.f32 %f1, %f2, %f3;",
		"{ add.f32 %f1, %f2, %f3; }",
		"mov.u32 %r1, 0; add.f32 %f1, %f2, %f3;",
	];
	for line in bad {
		assert_eq!(lint(&format!("\tmov.u32 %r1, %r2;\n\t{line}\n")).len(), 1, "{line}");
	}
	assert_eq!(lint("ret;\n\n\tadd.f32 %f1, %f2, %f3;\n")[0].line, 3);
}

#[test]
fn what_the_kernels_need_is_allowed() {
	let good = "
		.version 8.1
		// add.f32 in a comment
		add.rn.f32 	%f1, %f2, %f3;
		fma.rn.f32 	%f1, %f2, %f3, %f4; // mul.f32
		@%p2 div.rn.f32 %f1, %f2, %f3;
		sqrt.rn.f32 %f1, %f2;
		setp.lt.f32 %p1, %f1, %f2;
		setp.geu.f32 %p1, %f1, %f2;
		selp.f32 %f1, %f2, %f3, %p1;
		mov.f32 %f1, 0f00000000;
		ld.global.nc.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];
		st.shared.f32 [%r1], %f1;
		mov.b32 %r1, %f1;
		atom.global.add.u32 %r1, [%rd1], 1;
		mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r1}, {%r2}, {%r3}, {%r4};
		max.u32 %r1, %r2, %r3;
		mul.wide.u32 %rd1, %r1, %r2;
		cvt.u64.u32 %rd1, %r1;
		bar.sync 0;
	";
	assert_eq!(lint(good), []);
}

#[test]
fn every_file_of_kernels_is_shipped() {
	let files = |folder: &str, ending: &str| -> BTreeSet<String> {
		std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR")))
			.expect("the crate's folder")
			.filter_map(|entry| entry.expect("readable").file_name().to_str()?.strip_suffix(ending).map(str::to_owned))
			.collect()
	};
	let shipped: BTreeSet<String> = MODULES.iter().map(|module| module.name.to_owned()).collect();
	assert_eq!(files("kernels", ".cu"), shipped);
	assert_eq!(files("ptx", ".ptx"), shipped);
}

/// `scripts/ptx --check` compares every byte; this needs no compiler and finds a kernel that was added or renamed.
#[test]
fn the_ptx_has_the_kernels_of_the_source() {
	for module in MODULES {
		let kernels: BTreeSet<_> = module.kernels().collect();
		assert!(!kernels.is_empty(), "{} has no kernels", module.name);
		let source = std::fs::read_to_string(format!("{}/kernels/{}.cu", env!("CARGO_MANIFEST_DIR"), module.name))
			.expect("the kernel's source");
		for kernel in &kernels {
			// Macros join the names of reductions from two halves.
			let stem = kernel.split("_over_").next().unwrap_or(kernel).trim_end_matches("_fold");
			assert!(source.contains(stem), "{kernel} is not in {}.cu", module.name);
		}
	}
}

/// Only what uses tensor cores is for newer devices, and it uses nothing but them that an older one lacks.
#[test]
fn every_module_is_for_the_oldest_device_and_driver() {
	for module in MODULES {
		let tensor_cores = module.ptx.contains("mma.sync");
		let needs = if tensor_cores { (8, 0) } else { (6, 1) };
		assert_eq!(module.needs_capability(), Some(needs), "{}", module.name);
		assert_eq!(tensor_cores, module.name.starts_with("mma"), "{}", module.name);
		assert_eq!(module.needs_driver(), Some(12010), "{}", module.name);
	}
}

#[test]
fn names_of_kernels_are_unique() {
	let names: Vec<_> = MODULES.iter().flat_map(|module| module.kernels()).collect();
	let unique: BTreeSet<_> = names.iter().collect();
	assert_eq!(unique.len(), names.len());
}
