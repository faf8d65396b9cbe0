//! Checks a segment of a generation in one pass over all positions.

use std::{ops::Range, sync::Arc};

use assay_cpu::{Context, Input, Matrix, OpError, Output};
use assay_engine::{Cpu, Engine, RunError, State, Tensor};
use assay_program::{BinaryKind, DType, OpKind, TensorSpec};

use super::{
	generation::{parts, replay, CHOSEN, PEAKS, REPLAYED},
	Family, Generation, Walked, OUTPUT,
};
use crate::{hf::Checkpoint, ImportError};

/// The stream of a generation's draws: its only one.
const STREAM: u32 = 0;

/// Checks segments of a [`generation`](super::generation()) faster than running them.
///
/// A generation computes one position at a time, since each token follows from those before it: all weights are read
/// for every token. Who is told the tokens computes all positions of a group together, reads the weights once, and sees
/// whether each token is the one that the program chooses. The numbers are the program's own bit for bit, so the state
/// after the segment follows exactly.
#[derive(Debug)]
pub struct Replay {
	/// One step: all positions of a group.
	pass: Engine,
	/// Prompt of each slot of each group.
	prompts: Vec<Vec<u32>>,
	walked: Walked,
	config: Generation,
	vocabulary: u32,
}

/// What a worker claims of a segment: the tokens that [`Replay::segment`] is to be told, out of the state after the
/// segment. `None` if the program is no generation of [`super::generation()`] or has no such segment.
///
/// For each slot of each group of the segment these are the tokens chosen after each position but the last, so
/// `window - 1` of them. They are no answer: the state after the segment also holds the last token of each slot and the sum of
/// each slot's largest logits, which follow only from the pass over all positions.
pub fn claims(engine: &Engine, after: &State, segment: u64) -> Option<Vec<u32>> {
	let output = engine.state_tensor_named(after, OUTPUT)?;
	engine.state_tensor_named(after, CHOSEN)?;
	let steps = engine.segment_steps(segment)?;
	let (window, batch) = (output.spec().cols, engine.program().header.batch);
	let first = steps.start.checked_div(window.into())?.checked_mul(batch.into())?;
	let last = steps.end.checked_div(window.into())?.checked_mul(batch.into())?;
	let cols = window as usize;
	let bits = output.bits();
	let slots = bits.get(usize::try_from(first).ok()?.checked_mul(cols)?..)?;
	let slots = slots.chunks(cols).take(usize::try_from(last.checked_sub(first)?).ok()?);
	let token = |bits: &u32| f32::from_bits(*bits) as u32;
	Some(slots.flat_map(|row| row.iter().take(cols.saturating_sub(1)).map(token)).collect())
}

/// What a pass over a group gives, slot after slot, a number for each position.
struct Pass {
	/// The token chosen after it.
	chosen: Vec<u32>,
	/// Bits of its largest logit.
	peaks: Vec<u32>,
}

impl Replay {
	/// The check of the generation of `prompts`.
	///
	/// # Errors
	/// As of [`generation`](super::generation()), and [`ImportError::Engine`] if the pass cannot be loaded.
	pub fn new(
		family: &Family,
		checkpoint: &Checkpoint,
		prompts: &[Vec<u32>],
		config: &Generation,
		cpu: Arc<Cpu>,
	) -> Result<Self, ImportError> {
		Self::within(family, checkpoint, prompts, config, cpu, u64::MAX)
	}

	/// As [`Replay::new`]. [`ImportError::Request`] if the pass needs more than so many bytes of memory: its activations
	/// are `window` times those of a step of the generation.
	pub(crate) fn within(
		family: &Family,
		checkpoint: &Checkpoint,
		prompts: &[Vec<u32>],
		config: &Generation,
		cpu: Arc<Cpu>,
		most_bytes: u64,
	) -> Result<Self, ImportError> {
		let walked = config.walked(family, prompts)?;
		let settings = (config.temperature, config.lane);
		let model = replay(family, checkpoint, config.batch, walked.window, settings)?;
		let memory = model.program.memory();
		let bytes = memory.data.saturating_add(memory.state).saturating_add(memory.temps);
		if bytes > most_bytes {
			return Err(ImportError::Request(format!("a pass takes {bytes} bytes, at most {most_bytes} may be used")));
		}
		let pass = Engine::new(model.program, model.data, cpu)?;
		let slots = walked.groups.saturating_mul(config.batch) as usize;
		let last = prompts.last().into_iter().cycle();
		let prompts = prompts.iter().chain(last).take(slots).cloned().collect();
		Ok(Self { pass, prompts, walked, config: config.clone(), vocabulary: family.vocabulary() })
	}

	/// The state after segment `segment` of the generation that `engine` runs, from the state `before` it and the tokens
	/// that were claimed, laid out as [`claims`] gives them.
	///
	/// `None` says that the pass did not confirm the claim: a token is not what the program chooses, `before` is none that
	/// a run arrives at (its caches are not zero), or a number was NaN or infinite. It is no verdict on the segment: run it.
	///
	/// # Errors
	/// [`RunError::ForeignState`] if `engine` or `before` is of another job, [`RunError::OutOfRange`] if there is no such
	/// segment or `before` is not its start; else as [`Engine::run`].
	pub fn segment(
		&self,
		engine: &Engine,
		before: &State,
		segment: u64,
		claimed: &[u32],
	) -> Result<Option<State>, RunError> {
		self.segment_while(engine, before, segment, claimed, &|| true)
	}

	/// As [`Replay::segment`], but asks before each group whether to go on; `None` also if not.
	///
	/// # Errors
	/// As of [`Replay::segment`].
	pub fn segment_while(
		&self,
		engine: &Engine,
		before: &State,
		segment: u64,
		claimed: &[u32],
		go_on: &dyn Fn() -> bool,
	) -> Result<Option<State>, RunError> {
		let (steps, groups) = self.groups(engine, before, segment)?;
		let (batch, window) = (self.config.batch as usize, self.walked.window as usize);
		let per_group = batch * (window - 1);
		if claimed.len() != groups.len() * per_group || !is_between_groups(engine, before) {
			return Ok(None);
		}
		// A row per slot, +0 outside of this segment.
		let mut placed = vec![0u32; self.prompts.len() * window];
		let mut last = Vec::new();
		let Some(mut sums) = self.sums(engine, before)? else { return Ok(None) };
		for (place, group) in groups.enumerate() {
			if !go_on() {
				return Ok(None);
			}
			let claimed = claimed.get(place * per_group..(place + 1) * per_group).unwrap_or_default();
			let Some(Pass { chosen, peaks }) = self.group(group, claimed)? else { return Ok(None) };
			for (sum, peaks) in sums.iter_mut().skip(group * batch).zip(peaks.chunks(window)) {
				// One step after the other, and one kind of zero, as the program adds them.
				*sum = peaks.iter().fold(*sum, |sum, peak| sum + (0.0 + f32::from_bits(*peak)));
			}
			last = chosen.iter().skip(window - 1).step_by(window).copied().collect();
			let rows = placed.iter_mut().skip(group * batch * window);
			for (to, token) in rows.zip(&chosen) {
				*to = (*token as f32).to_bits();
			}
		}
		let Some(output) = self.added(engine, before, &placed)? else { return Ok(None) };
		if !sums.iter().all(|sum| sum.is_finite()) {
			return Ok(None);
		}
		let sums: Vec<u32> = sums.iter().map(|sum| sum.to_bits()).collect();
		let peaks = tensor(TensorSpec::f32(self.config.batch * self.walked.groups, 1), sums)?;
		let chosen = tensor(TensorSpec { dtype: DType::I32, rows: self.config.batch, cols: 1 }, last)?;
		let after = engine.state_at(steps.end, |name| match name {
			OUTPUT => Some(output.clone()),
			CHOSEN => Some(chosen.clone()),
			PEAKS => Some(peaks.clone()),
			// Zero after a group's last position, as at first.
			_ => None,
		})?;
		Ok(Some(after))
	}

	/// Steps of the segment and its groups.
	fn groups(&self, engine: &Engine, before: &State, segment: u64) -> Result<(Range<u64>, Range<usize>), RunError> {
		let (header, window) = (&engine.program().header, u64::from(self.walked.window));
		let (groups, batch) = (u64::from(self.walked.groups), self.config.batch);
		let of_this_job = header.steps == groups * window
			&& (header.batch, header.seed) == (batch, self.config.seed)
			&& u64::from(header.segment_steps).is_multiple_of(window);
		if !of_this_job {
			return Err(RunError::ForeignState);
		}
		let outside = |until| RunError::OutOfRange { until, at: before.step(), end: header.steps };
		let steps = engine.segment_steps(segment).ok_or(outside(u64::MAX))?;
		if steps.start != before.step() {
			return Err(outside(steps.end));
		}
		let groups = (steps.start / window) as usize..(steps.end / window) as usize;
		Ok((steps, groups))
	}

	/// The sums of largest logits before the segment, after a step that adds +0 to them.
	fn sums(&self, engine: &Engine, before: &State) -> Result<Option<Vec<f32>>, RunError> {
		let peaks = engine.state_tensor_named(before, PEAKS).ok_or(RunError::ForeignState)?;
		if peaks.spec() != TensorSpec::f32(self.config.batch * self.walked.groups, 1) {
			return Err(RunError::ForeignState);
		}
		let sums: Vec<f32> = peaks.bits().iter().map(|bits| f32::from_bits(*bits) + 0.0).collect();
		Ok(sums.iter().all(|sum| sum.is_finite()).then_some(sums))
	}

	/// What the pass over a group gives; `None` if it is not what was claimed.
	fn group(&self, group: usize, claimed: &[u32]) -> Result<Option<Pass>, RunError> {
		let (batch, window) = (self.config.batch as usize, self.walked.window as usize);
		let mut ids = Vec::with_capacity(batch * window);
		for (slot, prompt) in self.prompts.iter().skip(group * batch).take(batch).enumerate() {
			let claimed = claimed.iter().skip(slot * (window - 1)).take(window - 1);
			let continued = claimed.skip(prompt.len().saturating_sub(1));
			ids.extend(prompt.iter().chain(continued).copied());
		}
		let rows = self.config.batch * self.walked.window;
		let ids = tensor(TensorSpec { dtype: DType::I32, rows, cols: 1 }, ids)?;
		let mut state = self.pass.state_at(0, |name| (name == REPLAYED).then(|| ids.clone()))?;
		let ran = self.pass.run(&mut state, 1, &mut |_| std::ops::ControlFlow::Continue(()));
		match ran {
			Err(RunError::NonFinite { .. }) => return Ok(None),
			ran => ran?,
		};
		let (mut chosen, mut peaks) = (vec![0u32; batch * window], vec![0u32; batch * window]);
		for (part, positions) in parts(self.config.batch, self.walked.window).enumerate() {
			let Some(tokens) = self.choices(group, part, positions.clone(), &state)? else { return Ok(None) };
			let largest = self.left(&state, PEAKS, part)?;
			for ((position, tokens), largest) in positions.zip(tokens.chunks(batch)).zip(largest.chunks(batch)) {
				let place = |all: &mut [u32], of: &[u32]| {
					for (to, from) in all.iter_mut().skip(position as usize).step_by(window).zip(of) {
						*to = *from;
					}
				};
				place(&mut chosen, tokens);
				place(&mut peaks, largest);
			}
		}
		self.end(group, claimed, &mut chosen);
		let same = chosen.chunks(window).enumerate().all(|(slot, chosen)| {
			let claimed = claimed.iter().skip(slot * (window - 1));
			chosen.iter().take(window - 1).zip(claimed).all(|(chosen, claimed)| chosen == claimed)
		});
		Ok(same.then_some(Pass { chosen, peaks }))
	}

	/// A text that is at its end, and was brought there by a choice, stays there: what the program does to logits, done to
	/// tokens. Of a text that has ended the end's logit leads by more than any noise, and the others are +0.
	fn end(&self, group: usize, claimed: &[u32], chosen: &mut [u32]) {
		let (batch, window) = (self.config.batch as usize, self.walked.window as usize);
		let Some(end) = self.config.ends.first() else { return };
		let prompts = self.prompts.iter().skip(group * batch);
		for ((chosen, claimed), prompt) in
			chosen.chunks_mut(window).zip(claimed.chunks((window - 1).max(1))).zip(prompts)
		{
			// The claimed token after a position is the one that the next position is at.
			let at = claimed.iter().zip(chosen.iter_mut().skip(1)).skip(prompt.len().saturating_sub(1));
			at.filter(|(token, _)| self.config.ends.contains(token)).for_each(|(_, next)| *next = *end);
		}
	}

	/// The tokens chosen at the positions of one part of a pass, a position's slots side by side, out of the state after the
	/// pass; `None` if a number is NaN or infinite.
	fn choices(
		&self,
		group: usize,
		part: usize,
		positions: Range<u32>,
		state: &State,
	) -> Result<Option<Vec<u32>>, RunError> {
		if self.config.temperature == 0.0 {
			return self.left(state, CHOSEN, part).map(Some);
		}
		let (batch, cols) = (self.config.batch as usize, self.vocabulary as usize);
		let rows = TensorSpec::f32(self.config.batch, self.vocabulary);
		let column = TensorSpec { dtype: DType::I32, rows: self.config.batch, cols: 1 };
		let (mut noisy, mut drawn, mut all) = (vec![0u32; batch * cols], vec![0u32; batch], Vec::new());
		// The draws of the step that the generation chooses at the position in.
		for (position, logits) in positions.zip(self.left(state, OUTPUT, part)?.chunks(batch * cols)) {
			let step = group as u64 * u64::from(self.walked.window) + u64::from(position);
			let context = Context { seed: self.config.seed, step };
			let noise = OpKind::Gumbel { stream: STREAM };
			let finite = self.op(noise, &[(rows, logits)], &context, rows, &mut noisy)?
				&& self.op(OpKind::ArgMax, &[(rows, &noisy)], &context, column, &mut drawn)?;
			if !finite {
				return Ok(None);
			}
			all.extend_from_slice(&drawn);
		}
		Ok(Some(all))
	}

	/// What a part of the pass left under a name.
	fn left(&self, state: &State, name: &str, part: usize) -> Result<Vec<u32>, RunError> {
		let found = self.pass.state_tensor_named(state, &format!("{name}.{part}"));
		found.map(Tensor::into_bits).ok_or(RunError::ForeignState)
	}

	/// The output before the segment and what the segment adds to it; `None` if a sum is NaN or infinite.
	fn added(&self, engine: &Engine, before: &State, placed: &[u32]) -> Result<Option<Tensor>, RunError> {
		let output = engine.state_tensor_named(before, OUTPUT).ok_or(RunError::ForeignState)?;
		let spec = output.spec();
		let mut sum = vec![0; placed.len()];
		if (spec.dtype, spec.elements()) != (DType::F32, placed.len() as u64) {
			return Err(RunError::ForeignState);
		}
		let context = Context { seed: [0; 32], step: 0 };
		let add = OpKind::Binary(BinaryKind::Add);
		let finite = self.op(add, &[(spec, &output.bits()), (spec, placed)], &context, spec, &mut sum)?;
		finite.then(|| tensor(spec, sum)).transpose()
	}

	/// Runs one op outside of a program; whether its output is finite.
	fn op(
		&self,
		kind: OpKind,
		inputs: &[(TensorSpec, &[u32])],
		context: &Context,
		spec: TensorSpec,
		bits: &mut [u32],
	) -> Result<bool, RunError> {
		let inputs: Vec<Input<'_>> = inputs
			.iter()
			.map(|(spec, bits)| Input::Tensor(Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits }))
			.collect();
		let out = Output { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits };
		match self.pass.cpu().run(kind, &inputs, context, out) {
			Ok(()) => Ok(true),
			Err(OpError::NonFinite) => Ok(false),
			Err(source) => Err(RunError::Backend { step: context.step, op: 0, source }),
		}
	}
}

/// Whether keys and values are zero, as they are wherever a group begins.
fn is_between_groups(engine: &Engine, state: &State) -> bool {
	let is_cache = |name: &[u8]| [OUTPUT, CHOSEN, PEAKS].iter().all(|other| name != other.as_bytes());
	let mut caches = engine.program().state_tensors().filter(|(_, decl)| is_cache(&decl.name));
	caches
		.all(|(id, _)| engine.state_tensor(state, id).is_some_and(|tensor| tensor.bits().iter().all(|bits| *bits == 0)))
}

/// Bits of a length that follows from the shape.
fn tensor(spec: TensorSpec, bits: Vec<u32>) -> Result<Tensor, RunError> {
	Tensor::new(spec.dtype, spec.rows, spec.cols, bits).map_err(|_| RunError::ForeignState)
}
