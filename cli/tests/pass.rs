//! A generation that a job file asks for is checked in one pass, in either lane, with texts that end and without.

use assay_cli::job_file::{Draft, JobFile};
use assay_engine::{Cpu, Engine, Path as CpuPath};
use assay_import::{claims, is_generation, Replay};
use std::{ops::ControlFlow, path::Path, sync::Arc};

#[test]
fn segments_are_confirmed_in_one_pass() {
	let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
	let text = std::fs::read_to_string(examples.join("generate.yaml")).expect("readable");
	let fields = "task: generate, tokens: 3, end_token: \"\\n\", batch: 4";
	assert!(text.contains(fields), "{text}");
	for (end, lane, temperature) in [
		("\"\\n\"", "f32", "0"),
		("\"\\n\"", "i8", "0"),
		("\"\\n\"", "i8", "0.8"),
		("none", "i8", "0"),
		("10", "f32", "1.1"),
	] {
		let asked =
			format!("task: generate, tokens: 7, end_token: {end}, batch: 4, lane: {lane}, temperature: {temperature}");
		let file = JobFile::parse("generate.yaml", &text.replace(fields, &asked)).expect("valid");
		let draft = Draft::build(file, &examples).expect("builds");
		assert!(is_generation(&draft.program));
		let cpu = Arc::new(Cpu::new(CpuPath::Auto, 1).expect("a path"));
		let engine = Engine::new(draft.program, draft.data, cpu.clone()).expect("loads");
		let replay = Replay::of(&engine, cpu, 1 << 28).expect("the recipe leads to the program");
		let mut before = engine.initial_state();
		for segment in 0..engine.segments() {
			let mut after = before.clone();
			engine.run_segment(&mut after, segment, &mut |_| ControlFlow::Continue(())).expect("runs");
			let claimed = claims(&engine, &after, segment).expect("a generation");
			let found = replay.segment(&engine, &before, segment, &claimed).expect("runs").expect("confirmed");
			assert_eq!(engine.state_root(&found), engine.state_root(&after), "{asked}, segment {segment}");
			// One token of a claim is another: nothing is confirmed, and the segment is to be run.
			let mut wrong = claimed.clone();
			wrong[claimed.len() / 2] ^= 1;
			assert!(replay.segment(&engine, &before, segment, &wrong).expect("runs").is_none());
			before = after;
		}
	}
}
