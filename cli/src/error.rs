//! What can go wrong for a client. Every message says what to do next.

use crate::{
	job_file::{DraftError, JobFileError},
	keys::KeyProblem,
	units::AmountError,
};
use assay_agent::{artifacts::ArtifactError, store::StoreError, ChainError, PeerError, SubmitError};
use assay_protocol::{JobId, Reason};

/// Errors of the client library and the command line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
	/// The job file.
	#[error(transparent)]
	Draft(#[from] DraftError),
	/// An amount.
	#[error(transparent)]
	Amount(#[from] AmountError),
	/// The node.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The node answers for the newest state only.
	#[error("the node does not keep block {block} ({reason}); ask an archive node with --node")]
	BlockGone {
		/// The block.
		block: u64,
		/// What the node said.
		reason: String,
	},
	/// A transaction.
	#[error("{0}{advice}", advice = refusal_advice(.0))]
	Submit(#[from] SubmitError),
	/// The key.
	#[error(transparent)]
	Key(#[from] KeyProblem),
	/// The state file.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// A part of the data plane.
	#[error(transparent)]
	Peer(#[from] PeerError),
	/// The blob store.
	#[error("the blob store failed: {0}; free disk space, or end the other process that uses the folder")]
	Blobs(#[from] assay_p2p::StoreError),
	/// The job's program, data or result.
	#[error("{0}; see who serves it with `assay job watch`, then try again")]
	Artifacts(#[from] ArtifactError),
	/// The chain would refuse the job.
	#[error("this job would be refused: {title} ({code}){detail}; {advice}", title = .reason.title(), code = .reason.code(), advice = .reason.advice())]
	Refused {
		/// Why.
		reason: Reason,
		/// The numbers, after a colon, where they help.
		detail: String,
	},
	/// No such job.
	#[error("the chain has no job {0}; `assay job list` shows those it keeps")]
	NoSuchJob(JobId),
	/// Neither a job nor a reason.
	#[error("`{0}` is neither a job nor a reason; `assay job list` shows jobs, codes look like 10003 or LostDispute")]
	NotExplainable(String),
	/// The job goes on.
	#[error("job {0} is not closed yet; wait for it with `assay job watch {0}`")]
	NotClosed(JobId),
	/// The job has no verified state.
	#[error("no milestone of job {0} is verified yet; wait with `assay job watch {0}`")]
	NothingVerified(JobId),
	/// This file was posted before and its job is over.
	#[error("this file was posted before as job {0}, which is closed; pass --again to post and pay once more, or see `assay job receipt {0}`")]
	PostedBefore(JobId),
	/// Nobody has the result.
	#[error("nobody serves the state {root} of job {job} ({tried} asked: {last}); start the worker or the client's `assay job submit` again, then repeat")]
	ResultUnavailable {
		/// The job.
		job: JobId,
		/// The state root.
		root: String,
		/// Peers asked.
		tried: usize,
		/// What the last one said.
		last: String,
	},
	/// A run on this machine stopped.
	#[error("the run stopped: {0}")]
	Run(String),
	/// The evaluation failed.
	#[error("the result cannot be evaluated: {0}; pass the job file that the job was posted from")]
	Evaluate(String),
	/// The job file is of another job.
	#[error(
		"{file} is not the file that job {job} was posted from: its program differs; pass the right one to --evaluate"
	)]
	OtherProgram {
		/// The file.
		file: String,
		/// The job.
		job: JobId,
	},
	/// A receipt file.
	#[error("{path} is not a receipt of this version: {reason}; make it anew with `assay job receipt`")]
	ReceiptFile {
		/// The file.
		path: String,
		/// What is wrong.
		reason: String,
	},
	/// A receipt says something else than the chain.
	#[error("the receipt is not true: {found}; trust only what the chain says, make a new receipt with `assay job receipt {job}`", found = .differences.join("; "))]
	ReceiptFalse {
		/// The job that it names.
		job: JobId,
		/// Every field that differs.
		differences: Vec<String>,
	},
	/// The account has no record in the role.
	#[error("{who} is not registered as a {role}; `assay {command} run` registers it")]
	NotRegistered {
		/// The account.
		who: String,
		/// worker or verifier.
		role: &'static str,
		/// The command's name.
		command: &'static str,
	},
	/// The folder for a result.
	#[error("nothing can be written to {path}: {problem}; name another folder with --out")]
	Destination {
		/// The folder.
		path: String,
		/// What is wrong with it.
		problem: String,
	},
	/// A file.
	#[error("cannot {what} {path}: {source}")]
	Io {
		/// read or write.
		what: &'static str,
		/// The file.
		path: String,
		/// What the system said; the fix follows from it.
		source: std::io::Error,
	},
	/// The machine computes other bits.
	#[error("this machine does not compute the bits that others compute: it would lose every dispute; do not run a worker or verifier on it, undo overclocking, replace memory or processor, or use a --path that passes")]
	NotConforming,
	/// A daemon ended with an error.
	#[error("{0}")]
	Daemon(String),
	/// The computation did not come to its end.
	#[error("interrupted; start again")]
	Interrupted,
}

impl From<JobFileError> for Error {
	fn from(error: JobFileError) -> Self {
		Self::Draft(error.into())
	}
}

impl Error {
	/// A stable word for scripts.
	pub const fn code(&self) -> &'static str {
		match self {
			Self::Draft(DraftError::File(_)) => "job-file",
			Self::Draft(_) => "draft",
			Self::Amount(_) => "amount",
			Self::Chain(ChainError::Unreachable { .. }) => "node-unreachable",
			Self::Chain(_) => "chain",
			Self::BlockGone { .. } => "block-gone",
			Self::Submit(SubmitError::Refused { .. }) => "refused",
			Self::Submit(_) => "submit",
			Self::Key(_) => "key",
			Self::Store(_) | Self::Blobs(_) => "store",
			Self::Peer(_) => "peer",
			Self::Artifacts(_) => "artifacts",
			Self::Refused { .. } => "job-refused",
			Self::NoSuchJob(_) => "no-such-job",
			Self::NotExplainable(_) => "not-explainable",
			Self::NotClosed(_) => "not-closed",
			Self::NothingVerified(_) => "nothing-verified",
			Self::PostedBefore(_) => "posted-before",
			Self::ResultUnavailable { .. } => "result-unavailable",
			Self::Run(_) => "run",
			Self::Evaluate(_) | Self::OtherProgram { .. } => "evaluate",
			Self::ReceiptFile { .. } => "receipt-file",
			Self::ReceiptFalse { .. } => "receipt-false",
			Self::NotRegistered { .. } => "not-registered",
			Self::Destination { .. } => "destination",
			Self::Io { .. } => "io",
			Self::NotConforming => "not-conforming",
			Self::Daemon(_) => "daemon",
			Self::Interrupted => "interrupted",
		}
	}

	pub(crate) fn io(what: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
		let path = path.display().to_string();
		move |source| Self::Io { what, path, source }
	}
}

fn refusal_advice(error: &SubmitError) -> &'static str {
	match error {
		SubmitError::Refused { error, .. } if error.contains("Arithmetic") || error.contains("Funds") => {
			"; the account has too little: see `assay account balance`"
		}
		SubmitError::Refused { .. } => "; the name says why, see `assay job check` or the operator's `status`",
		SubmitError::NotAccepted { .. } => "; check the account's balance with `assay account balance`, then repeat",
		SubmitError::Unknown { .. } | SubmitError::InFlight(_) => "; look with `assay job list` before repeating",
		SubmitError::Chain(_) => "",
	}
}
