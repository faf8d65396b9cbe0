//! Runs the program in the folder of the examples.

use std::{
	path::{Path, PathBuf},
	process::{Command, Output},
};

pub(crate) fn examples() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

pub(crate) fn command(arguments: &[&str]) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
	command.current_dir(examples()).env_remove("ASSAY_NODE").env_remove("ASSAY_KEY").env_remove("RUST_LOG");
	command.args(arguments);
	command
}

pub(crate) fn assay(arguments: &[&str]) -> Output {
	command(arguments).output().expect("the program runs")
}

pub(crate) fn out(output: &Output) -> String {
	assert!(output.status.success(), "{}", err(output));
	String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn err(output: &Output) -> String {
	String::from_utf8(output.stderr.clone()).expect("UTF-8")
}
