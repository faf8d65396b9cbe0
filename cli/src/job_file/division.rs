//! How the work of a job is divided: into milestones, of segments, of steps or of groups of items.

use super::{error::Flaw, Spot, VerifyTerms};
use assay_protocol::plan::MAX_SEGMENT_STEPS;

/// Steps or groups of each segment, where `whole` of them make exactly `milestones` of `segments`.
pub(super) fn length(whole: u64, (milestones, segments): (u32, u32)) -> Option<u64> {
	let (milestones, segments) = (u64::from(milestones), u64::from(segments));
	let length = whole.div_ceil(milestones.saturating_mul(segments).max(1)).max(1);
	let all = whole.div_ceil(length);
	(all >= segments && all.div_ceil(segments.max(1)) == milestones).then_some(length)
}

/// The milestones and segments that the file leaves open or says, the most segments first.
pub(super) fn candidates(verify: &VerifyTerms) -> Vec<(u32, u32)> {
	let given = verify.given;
	let milestones = if given.milestones { verify.milestones..=verify.milestones } else { 1..=verify.milestones };
	let least = if given.drawn { verify.drawn + 1 } else { 1 };
	let segments = if given.segments { verify.segments..=verify.segments } else { least..=verify.segments };
	let mut all: Vec<(u32, u32)> = milestones.flat_map(|m| segments.clone().map(move |s| (m, s))).collect();
	all.sort_by_key(|(m, s)| std::cmp::Reverse((u64::from(*m) * u64::from(*s), *m)));
	all
}

/// Sets what the file leaves open.
pub(super) fn set(verify: &mut VerifyTerms, (milestones, segments): (u32, u32)) {
	verify.milestones = milestones;
	verify.segments = segments;
	if !verify.given.drawn {
		verify.drawn = u32::from(segments > 1);
	}
}

/// Divides the steps of a job that trains; `at` is where the file says them.
pub(super) fn of_steps(verify: &mut VerifyTerms, steps: u64, at: Spot) -> Result<(), Flaw> {
	let Some(chosen) = candidates(verify).into_iter().find(|chosen| length(steps, *chosen).is_some()) else {
		let all = u64::from(if verify.given.milestones { verify.milestones } else { 1 })
			* u64::from(if verify.given.segments { verify.segments } else { verify.drawn + 1 });
		let (less, more) = (steps / all * all, steps.div_ceil(all).saturating_mul(all));
		let steps_next = if less == 0 { format!("{more} steps") } else { format!("{less} or {more} steps") };
		let next = [steps_next].into_iter().chain(fewer(verify, steps)).collect::<Vec<_>>().join(", or ");
		return Err(Flaw::new(
			at,
			format!("{steps} steps cannot be divided into {}", wanted(verify)),
			format!("use {next}"),
		));
	};
	set(verify, chosen);
	let segment = length(steps, chosen).unwrap_or(u64::MAX);
	if segment > u64::from(MAX_SEGMENT_STEPS) {
		let least = steps.div_ceil(u64::from(MAX_SEGMENT_STEPS));
		return Err(Flaw::new(
			at,
			format!(
				"{steps} steps in {} make segments of {segment} steps, at most {MAX_SEGMENT_STEPS} are verified at a time",
				wanted(verify)
			),
			format!("use more `milestones` or `segments` under `verify`: {least} segments in all, or more"),
		));
	}
	Ok(())
}

/// What the file asks for, in words.
pub(super) fn wanted(verify: &VerifyTerms) -> String {
	let (given, VerifyTerms { milestones, segments, .. }) = (verify.given, verify);
	match (given.milestones, given.segments) {
		(false, true) => format!("milestones of {segments} segment{}", plural(*segments)),
		(true, false) => format!("{milestones} milestone{}", plural(*milestones)),
		_ => format!("{milestones} milestone{} of {segments} segment{}", plural(*milestones), plural(*segments)),
	}
}

const fn plural(count: u32) -> &'static str {
	if count == 1 {
		""
	} else {
		"s"
	}
}

/// Fewer milestones or segments that `whole` can be divided into.
pub(super) fn fewer(verify: &VerifyTerms, whole: u64) -> Vec<String> {
	let mut found = Vec::new();
	let works = |milestones: u32, segments: u32| {
		let mut other = verify.clone();
		(other.milestones, other.segments) = (milestones, segments);
		candidates(&other).into_iter().any(|chosen| length(whole, chosen).is_some())
	};
	if verify.given.milestones {
		let less = (1..verify.milestones).rev().find(|milestones| works(*milestones, verify.segments));
		found.extend(less.map(|less| format!("`milestones: {less}`")));
	}
	if verify.given.segments {
		let least = if verify.given.drawn { verify.drawn + 1 } else { 1 };
		let less = (least..verify.segments).rev().find(|segments| works(verify.milestones, *segments));
		found.extend(less.map(|less| format!("`segments: {less}`")));
	}
	found
}

/// What `assay job check` says where milestones and segments are not the usual ones and the file does not give them.
pub(super) fn note(verify: &VerifyTerms, whole: &str) -> Option<String> {
	let usual = super::read::USUAL;
	let chosen = (!verify.given.milestones && verify.milestones != usual.0)
		|| (!verify.given.segments && verify.segments != usual.1);
	let (milestones, segments) = (verify.milestones, verify.segments);
	chosen.then(|| {
		format!(
			"{whole} are divided into `milestones: {milestones}` of `segments: {segments}`; give others under `verify`"
		)
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::job_file::JobFile;

	fn parsed(steps: u64, verify: &str) -> Result<VerifyTerms, String> {
		let text = format!(
			"kind: train\nmodel: {{type: mlp, layers: [4, 3]}}\ndata: {{file: a.csv}}\ntrain: {{steps: {steps}}}\n\
			 verify: {{{verify}}}\noffer: {{max: 5 UNIT}}\n"
		);
		JobFile::parse("job.yaml", &text).map(|file| file.verify).map_err(|error| error.to_string())
	}

	#[test]
	fn any_number_of_steps_is_divided_by_default() {
		for steps in 1..2_000 {
			let verify = parsed(steps, "").unwrap();
			let length = length(steps, (verify.milestones, verify.segments)).unwrap();
			let made = steps.div_ceil(length).div_ceil(u64::from(verify.segments));
			assert_eq!(made, u64::from(verify.milestones), "{steps}");
			assert_eq!(verify.drawn, u32::from(verify.segments > 1), "{steps}");
			assert!(steps < 50 || verify.milestones * verify.segments >= 15, "{steps}: {verify:?}");
		}
		let divided = |steps| parsed(steps, "").map(|verify| (verify.milestones, verify.segments)).unwrap();
		assert_eq!([divided(1_200), divided(50), divided(60), divided(100)], [(6, 4), (5, 4), (5, 4), (5, 4)]);
		assert_eq!(parsed(60, "drawn: 2").unwrap().drawn, 2);
		assert_eq!(parsed(7, "milestones: 1").unwrap().segments, 4);
	}

	#[test]
	fn what_is_given_is_kept_or_refused_with_what_works() {
		assert_eq!(
			parsed(50, "milestones: 6, segments: 4").unwrap_err(),
			"job.yaml:4:16: 50 steps cannot be divided into 6 milestones of 4 segments; use 48 or 72 steps, or \
			 `milestones: 5`, or `segments: 3`"
		);
		assert_eq!(
			parsed(50, "milestones: 1, segments: 20").unwrap_err(),
			"job.yaml:4:16: 50 steps cannot be divided into 1 milestone of 20 segments; use 40 or 60 steps, or \
			 `segments: 17`"
		);
		let error = parsed(10, "segments: 20").unwrap_err();
		assert!(error.contains("10 steps") && error.ends_with("use 20 steps, or `segments: 10`"), "{error}");
		let error = parsed(1 << 30, "milestones: 2, segments: 4").unwrap_err();
		assert!(error.contains("at most 1048576") && error.contains("1024 segments"), "{error}");
	}
}
