//! The program as it is run: on this machine, and where a library that runs kernels in the emulation is in the place of NVIDIA's
//! driver.
#![cfg(target_os = "linux")]

use std::{
	fs,
	path::Path,
	process::{Command, Output},
};

use assay_cuda_emulation::EMULATED_DRIVER;
use serde_json::Value;

fn command(folder: &Path, arguments: &[&str]) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-check"));
	command.args(arguments).arg("--report").arg(folder.join("report.md")).arg("--json").arg(folder.join("all.json"));
	command
}

fn object(folder: &Path) -> Value {
	serde_json::from_slice(&fs::read(folder.join("all.json")).expect("written")).expect("JSON")
}

fn emulated(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
	let driver = EMULATED_DRIVER.expect("the emulated driver needs a C++ compiler; install g++ and build again");
	let mut command = command(folder, arguments);
	command.env("LD_LIBRARY_PATH", driver).envs(settings.iter().copied()).output().expect("it starts")
}

/// On a machine without a card this is the refusal for real.
#[test]
fn a_device_that_is_not_there_is_refused_with_a_reason() {
	let folder = tempfile::tempdir().expect("a folder");
	let output = command(folder.path(), &["--device", "1000", "--quick"]).output().expect("it starts");
	assert_eq!(output.status.code(), Some(3), "{output:?}");
	let text = String::from_utf8_lossy(&output.stderr).into_owned();
	assert!(text.starts_with("gpu-check: no usable device: "), "{text}");
	assert!(!folder.path().join("report.md").exists(), "figures of nothing");
	let object = object(folder.path());
	assert_eq!((&object["usable"], &object["failure"]["code"]), (&Value::Bool(false), &"no_device".into()));
	let message = object["failure"]["message"].as_str().expect("a message");
	assert!(text.contains(message), "{text}");
}

#[test]
fn wrong_usage_is_told_apart() {
	let output = Command::new(env!("CARGO_BIN_EXE_gpu-check")).arg("--fuzz").output().expect("it starts");
	assert_eq!(output.status.code(), Some(2));
	assert!(String::from_utf8_lossy(&output.stderr).contains("--fuzz needs a value"));
	let output = Command::new(env!("CARGO_BIN_EXE_gpu-check")).arg("--help").output().expect("it starts");
	assert!(output.status.success() && output.stdout.starts_with(b"Checks a GPU"));
}

/// Every part of the program on shapes that prove and measure nothing, but for the code of the program.
#[test]
fn a_quick_run_goes_through_everything() {
	let folder = tempfile::tempdir().expect("a folder");
	let output = emulated(
		folder.path(),
		&["--quick", "--stamp", "today", "--commit", "abc"],
		&[("ASSAY_EMULATED_CAPABILITY", "80")],
	);
	let text = String::from_utf8_lossy(&output.stdout).into_owned();
	assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
	let object = object(folder.path());
	assert_eq!((&object["usable"], &object["failure"]), (&Value::Bool(true), &Value::Null));
	assert_eq!((&object["device"]["name"], &object["device"]["capability"]), (&"emulated".into(), &"8.0".into()));
	let checks = object["checks"].as_array().expect("checks");
	assert!(checks.len() == 9 && checks.iter().all(|check| check["equal"] == true), "{checks:?}");
	let figures = object["figures"].as_array().expect("figures");
	for what in [
		"A B, 40",
		"A B^T, 40",
		"SGEMM",
		"I8",
		"BLAKE3",
		"sum of two",
		"lane F32: step",
		"lane I8: training",
		"share of a segment",
	] {
		assert!(figures.iter().any(|figure| figure["what"].as_str().is_some_and(|text| text.contains(what))), "{what}");
	}
	// What is not there is told with its reason, not left out.
	let theirs = figures.iter().find(|figure| figure["what"].as_str().is_some_and(|what| what.contains("SGEMM")));
	let theirs = theirs.expect("a figure");
	assert_eq!(theirs["value"].is_null(), theirs["note"].as_str().is_some_and(|note| note.contains("cuBLAS")));
	let report = fs::read_to_string(folder.path().join("report.md")).expect("written");
	assert!(
		report.contains("## emulated, compute capability 8.0") && report.contains("it proves and measures nothing")
	);
	assert_eq!(report.matches("\n| ").count(), checks.len() + figures.len() + 4);
}

fn check<'a>(object: &'a Value, name: &str) -> &'a Value {
	let checks = object["checks"].as_array().expect("checks");
	let found = checks.iter().find(|check| check["name"].as_str().is_some_and(|text| text.contains(name)));
	found.unwrap_or_else(|| panic!("{name} is missing: {object}"))
}

/// A kernel after which the device is of no use to its process.
#[test]
fn a_failure_leaves_the_other_stages() {
	let folder = tempfile::tempdir().expect("a folder");
	let output = emulated(folder.path(), &["--quick"], &[("ASSAY_EMULATED_FAILS", "causal")]);
	assert_eq!(output.status.code(), Some(1), "{output:?}");
	assert!(!folder.path().join("report.md").exists(), "figures of a device that fails");
	let object = object(folder.path());
	for name in ["masks", "random ops"] {
		let detail = check(&object, name)["detail"].as_str().expect("a detail");
		assert!(check(&object, name)["equal"] == false && detail.contains("kernels causal"), "{name}: {detail}");
	}
	for name in ["every module", "chains", "long_rows", "to_and_from", "lane F32", "lane I8"] {
		assert_eq!(check(&object, name)["equal"], true, "{name}");
	}
	let figures = object["figures"].as_array().expect("figures");
	assert!(figures.iter().any(|figure| figure["what"].as_str().is_some_and(|text| text.contains("BLAKE3"))));
}

#[test]
fn a_stage_that_hangs_is_given_up() {
	let folder = tempfile::tempdir().expect("a folder");
	let options = ["--quick", "--check-only", "--stage-seconds", "10"];
	let output = emulated(folder.path(), &options, &[("ASSAY_EMULATED_HANGS", "arg_max")]);
	assert_eq!(output.status.code(), Some(1), "{output:?}");
	let object = object(folder.path());
	assert_eq!(check(&object, "random ops")["detail"], "it did not end within 10 s");
	assert_eq!(check(&object, "lane F32")["equal"], true);
}

/// A kernel that the driver does not have fails where it is launched.
#[test]
fn what_a_driver_refuses_leaves_the_other_kernels() {
	let folder = tempfile::tempdir().expect("a folder");
	let options = ["--quick", "--check-only"];
	let output = emulated(folder.path(), &options, &[("ASSAY_EMULATED_REFUSES", "dropout")]);
	assert_eq!(output.status.code(), Some(1), "{output:?}");
	let object = object(folder.path());
	let detail = |name| check(&object, name)["detail"].as_str().expect("a detail");
	assert!(detail("every module").contains("`mask`: dropout"), "{}", detail("every module"));
	assert!(detail("masks").contains("kernel `dropout` could not be launched"), "{}", detail("masks"));
	assert_eq!(check(&object, "chains")["equal"], true);
}

#[test]
fn what_a_driver_says_is_passed_on() {
	for (settings, reason) in [
		([("ASSAY_EMULATED_DEVICES", "0")], "no CUDA device 0"),
		([("ASSAY_EMULATED_VERSION", "11080")], "the kernels need 12.1"),
		([("ASSAY_EMULATED_CAPABILITY", "52")], "compute capability 5.2"),
		([("ASSAY_EMULATED_BAD_PTX", "1")], "refused the kernels"),
	] {
		let folder = tempfile::tempdir().expect("a folder");
		let output = emulated(folder.path(), &["--quick"], &settings);
		assert_eq!(output.status.code(), Some(3), "{output:?}");
		assert!(
			object(folder.path())["failure"]["message"].as_str().is_some_and(|text| text.contains(reason)),
			"{reason}"
		);
	}
}
