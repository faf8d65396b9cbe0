//! The `assay` command line.

mod commands;
mod console;
#[cfg(test)]
mod documented;

use clap::Parser;
use commands::Command;
use console::{Console, Output};
use std::process::ExitCode;

/// Verifiable compute: post jobs, do them, check them.
#[derive(Parser)]
#[command(name = "assay", version, arg_required_else_help = true)]
struct Cli {
	/// WebSocket address of the node.
	#[arg(long, env = "ASSAY_NODE", global = true, default_value = "ws://127.0.0.1:9944", value_name = "URL")]
	node: String,
	/// How results are written. JSON: one object per result or event on standard output; errors on standard error.
	#[arg(long, value_enum, global = true, default_value_t = Output::Text)]
	output: Output,
	/// Say more; twice for everything.
	#[arg(short, long, action = clap::ArgAction::Count, global = true)]
	verbose: u8,
	#[command(subcommand)]
	command: Command,
}

fn main() -> ExitCode {
	let cli = Cli::parse();
	console::start_logging(cli.verbose, cli.output, cli.command.is_daemon());
	let console = Console::new(cli.output);
	let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
		Ok(runtime) => runtime,
		Err(source) => {
			let error = assay_cli::Error::Io { what: "start", path: "the async runtime".into(), source };
			console.error(&error);
			return ExitCode::FAILURE;
		}
	};
	match runtime.block_on(cli.command.run(&cli.node, &console)) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			console.error(&error);
			ExitCode::FAILURE
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn global_options_work_after_the_verb() {
		let cli = Cli::try_parse_from(["assay", "job", "list", "--output", "json", "--node", "ws://x:1"]).unwrap();
		assert_eq!((cli.output, cli.node.as_str()), (Output::Json, "ws://x:1"));
	}
}
