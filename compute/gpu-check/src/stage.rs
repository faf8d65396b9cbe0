//! What is checked and measured, one stage after another. A stage needs nothing of another.

use std::time::Duration;

use assay_cuda::Driver;
use assay_program::Lane;

use crate::{conformance, options::Options};

/// Suites of a quick run.
const QUICK: [&str; 5] =
	["zeros_keep_the_sign_that_the_order_gives", "masks", "to_and_from_integers", "chains", "long_rows"];

/// A stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
	/// For people.
	pub(crate) name: String,
	pub(crate) work: Work,
	/// How long it may take.
	pub(crate) limit: Duration,
}

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
	/// Does the driver take every module of kernels?
	Modules,
	/// A suite of the conformance tests, by its name, against the referee.
	Suite(&'static str),
	/// What a daemon looks at.
	Daemon,
	/// Random ops with sides so many times as long, until so many elements of each kind were compared.
	Fuzz {
		scale: u32,
		elements: u64,
	},
	/// Training of a small model beside the CPU.
	Identity {
		lane: Lane,
		steps: u64,
	},
	/// Speed of products of numbers, products of bytes, and what memory limits.
	Products,
	ProductsI8,
	Memory,
	/// Speed of a training step.
	Training(Lane),
}

impl Work {
	/// Whether it checks bits, rather than measures.
	pub(crate) fn is_check(self) -> bool {
		!matches!(self, Work::Products | Work::ProductsI8 | Work::Memory | Work::Training(_))
	}
}

/// All stages of a run, what is most likely to tell something first.
pub(crate) fn stages(options: &Options) -> Vec<Stage> {
	let mut stages = Vec::new();
	let mut add = |name: String, work, seconds| {
		// A full check compares a hundred times as much.
		let usual = if options.fuzz > FULL { 100 * seconds } else { seconds };
		let limit = Duration::from_secs(options.stage_seconds.unwrap_or(usual));
		stages.push(Stage { name, work, limit });
	};
	add("the driver takes every module of kernels".into(), Work::Modules, 120);
	for (name, _) in conformance::suites::<Driver>() {
		if !options.quick || QUICK.contains(&name) {
			add(format!("{name}, against the referee"), Work::Suite(name), 60);
		}
	}
	if !options.quick {
		add("what a daemon looks at when it starts".into(), Work::Daemon, 60);
	}
	// Also short sides, on which other kernels are chosen and edges are met more often.
	for scale in if options.quick { &[1][..] } else { &[1, 8] } {
		let elements = if options.quick { 1 } else { options.fuzz };
		let elements = if *scale == 1 { elements.min(FULL) } else { elements };
		add(format!("random ops, sides times {scale}, against the CPU"), Work::Fuzz { scale: *scale, elements }, 90);
	}
	let steps = if options.quick { 2 } else { options.steps };
	for (lane, name) in [(Lane::F32, "F32"), (Lane::I8, "I8")] {
		let work = Work::Identity { lane, steps };
		add(format!("{steps} training steps in lane {name}, against the CPU"), work, 60 + steps / 10);
	}
	if options.measure {
		add("products of numbers".into(), Work::Products, 60);
		add("products of bytes".into(), Work::ProductsI8, 60);
		add("roots and sums".into(), Work::Memory, 60);
		add("training of GPT-2 124M in F32".into(), Work::Training(Lane::F32), 120);
		add("training of GPT-2 124M in I8".into(), Work::Training(Lane::I8), 120);
	}
	stages
}

/// Elements of each kind up to which a run is not a full one.
const FULL: u64 = 100_000;
