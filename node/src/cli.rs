use sc_cli::RunCmd;

/// The command line.
#[derive(Debug, clap::Parser)]
pub(crate) struct Cli {
	#[command(subcommand)]
	pub(crate) subcommand: Option<Subcommand>,

	#[clap(flatten)]
	pub(crate) run: RunCmd,
}

/// What the node does instead of running.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
	/// Generates, inspects and inserts keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Writes a chain specification. Superseded by `export-chain-spec`.
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Writes a chain specification.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Executes blocks again and checks them.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Writes blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Writes the state of a block as a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Reads blocks from a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Deletes the chain's database.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Goes back a number of blocks.
	Revert(sc_cli::RevertCmd),

	/// Prints what the database holds.
	ChainInfo(sc_cli::ChainInfoCmd),
}
