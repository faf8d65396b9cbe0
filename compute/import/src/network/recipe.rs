//! What a generation was made with, in the program itself, so that whoever holds the program can make its [`Replay`].
//!
//! A data tensor that no op reads holds family, sizes and settings. Everything else is in the program already: the weights
//! are its data tensors, the prompts too. A recipe comes from a stranger and proves nothing: it is followed, and counts
//! only if it leads to the very same program.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, Tensor};
use assay_models::Value;
use assay_program::{shape::MIN_HEAD, DType, Lane, Program, Role};
use codec::{Decode, DecodeAll, Encode};

use super::{
	generation::{generation, NONE},
	layers::Net,
	Family, Generation, Gpt2, Llama, Replay, Rope, Scaling, OUTPUT,
};
use crate::{hf::Checkpoint, ImportError};

/// Name of the data tensor of a recipe: I32, a row for each byte.
const RECIPE: &str = "recipe";
/// Version of the encoding.
const VERSION: u8 = 2;
/// Longest recipe, bytes.
const MAX_BYTES: u32 = 512;
/// Largest size of a network.
const MAX_SIZE: u32 = 1 << 24;
/// Data tensors of a generation that are no weights.
const OTHERS: [&str; 13] = [
	RECIPE,
	"prompts",
	"open",
	"items",
	"positions",
	"at.here",
	"at.seen",
	"at.masked",
	"at.keep",
	"end.is",
	"end.lead",
	"rope.cosines",
	"rope.sines",
];

/// What is not in the program otherwise.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Recipe {
	version: u8,
	family: Family,
	tokens: u32,
	temperature: f32,
	lane: Lane,
	ends: Vec<u32>,
}

/// Puts the recipe of a generation into its program.
pub(crate) fn declare(net: &mut Net<'_>, family: &Family, config: &Generation) -> Result<Value, ImportError> {
	let Generation { tokens, temperature, lane, .. } = *config;
	let ends = config.ends.clone();
	let bytes = Recipe { version: VERSION, family: family.clone(), tokens, temperature, lane, ends }.encode();
	let rows = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
	net.ids(RECIPE, rows, |row| bytes.get(row as usize).copied().unwrap_or_default().into())
}

impl Replay {
	/// The check of the generation that `engine` runs, made by the recipe in the program. `None` if the program is no
	/// generation, or its recipe does not lead to it, or a pass takes more than `most_bytes` of memory, weights included; run
	/// its segments then.
	///
	/// Takes about the time of reading all weights a few times, and the memory of two more copies of them, of which one
	/// stays.
	pub fn of(engine: &Engine, cpu: Arc<Cpu>, most_bytes: u64) -> Option<Self> {
		let recipe = read(engine)?;
		let (config, prompts) = settings(engine, &recipe)?;
		if !is_sound(&recipe.family) || !has_tables(engine, &recipe.family) || prompts.iter().any(Vec::is_empty) {
			return None;
		}
		// What is built from here on has the sizes of what the program has, and is in memory already.
		let (_, output) = engine.program().state_tensors().find(|(_, decl)| decl.name == OUTPUT.as_bytes())?;
		let walked = config.walked(&recipe.family, &prompts).ok()?;
		if walked.window != output.cols || walked.groups.checked_mul(config.batch) != Some(output.rows) {
			return None;
		}
		let checkpoint = weights(engine)?;
		let rebuilt = generation(&recipe.family, &checkpoint, &prompts, &config).ok()?.program;
		if rebuilt != *engine.program() {
			return None;
		}
		Self::within(&recipe.family, &checkpoint, &prompts, &config, cpu, most_bytes).ok()
	}
}

/// Whether a program says of itself that it is a generation, so that asking for [`claims`](super::claims) is worth it.
pub fn is_generation(program: &Program) -> bool {
	program.tensors.iter().any(|decl| decl.name == RECIPE.as_bytes() && matches!(decl.role, Role::Data { .. }))
}

/// The recipe in a program, if there is one.
fn read(engine: &Engine) -> Option<Recipe> {
	let column = data(engine, RECIPE)?;
	let spec = column.spec();
	if (spec.dtype, spec.cols) != (DType::I32, 1) || spec.rows > MAX_BYTES {
		return None;
	}
	let bytes = column.bits().iter().map(|bits| u8::try_from(*bits).ok()).collect::<Option<Vec<u8>>>()?;
	let recipe = Recipe::decode_all(&mut bytes.as_slice()).ok()?;
	(recipe.version == VERSION).then_some(recipe)
}

/// Settings, and a prompt for each slot: a padding slot's is the last prompt again, so the program is the same.
fn settings(engine: &Engine, recipe: &Recipe) -> Option<(Generation, Vec<Vec<u32>>)> {
	let program = engine.program();
	let header = &program.header;
	let (_, output) = program.state_tensors().find(|(_, decl)| decl.name == OUTPUT.as_bytes())?;
	let (slots, window, batch) = (output.rows, output.cols, header.batch);
	let given = data(engine, "prompts")?;
	let groups = slots.checked_div(batch).filter(|_| slots.is_multiple_of(batch))?;
	let steps = u64::from(groups).checked_mul(window.into())?;
	// All sizes below are those of tensors that the program has.
	if header.steps != steps || given.spec().elements() != steps.checked_mul(batch.into())? {
		return None;
	}
	let (batch_rows, positions) = (batch as usize, window as usize);
	let ids = given.bits();
	let prompt = |slot: usize| -> Vec<u32> {
		let (group, slot) = (slot / batch_rows, slot % batch_rows);
		let at = ids.iter().skip(group * positions * batch_rows + slot).step_by(batch_rows);
		at.take(positions).take_while(|id| **id != NONE).copied().collect()
	};
	let prompts = (0..slots as usize).map(prompt).collect();
	let config = Generation {
		batch,
		tokens: recipe.tokens,
		temperature: recipe.temperature,
		segment_groups: header.segment_steps.checked_div(window)?,
		seed: header.seed,
		lane: recipe.lane,
		ends: recipe.ends.clone(),
	};
	Some((config, prompts))
}

/// The weights among the program's data.
fn weights(engine: &Engine) -> Option<Checkpoint> {
	let mut tensors = Vec::new();
	for (decl, id) in engine.program().tensors.iter().zip(0u32..) {
		let name = core::str::from_utf8(&decl.name).ok()?;
		if matches!(decl.role, Role::Data { .. }) && !OTHERS.contains(&name) {
			tensors.push((name.to_owned(), engine.data_tensor(assay_program::TensorId(id))?));
		}
	}
	Checkpoint::from_tensors(tensors).ok()
}

/// Whether the program has the tables that it is about to be built with again: what a stranger makes this machine
/// allocate, they have to send.
fn has_tables(engine: &Engine, family: &Family) -> bool {
	let program = engine.program();
	let Some((_, output)) = program.state_tensors().find(|(_, decl)| decl.name == OUTPUT.as_bytes()) else {
		return false;
	};
	let window = output.cols;
	let has = |name: &str, cols: u32| {
		let shape = (window, cols);
		program.tensors.iter().any(|decl| decl.name == name.as_bytes() && (decl.rows, decl.cols) == shape)
	};
	let squares = ["at.here", "at.seen", "at.masked"].iter().all(|name| has(name, window));
	let turns = match family {
		Family::Llama(llama) => has("rope.cosines", llama.head_width) && has("rope.sines", llama.head_width),
		_ => true,
	};
	squares && turns
}

fn data(engine: &Engine, name: &str) -> Option<Tensor> {
	let mut tensors = engine.program().tensors.iter().zip(0u32..);
	let (_, id) = tensors.find(|(decl, _)| decl.name == name.as_bytes() && matches!(decl.role, Role::Data { .. }))?;
	engine.data_tensor(assay_program::TensorId(id))
}

/// What reading a configuration checks: sizes that divide each other and numbers in the range of those in files.
fn is_sound(family: &Family) -> bool {
	let sizes = |sizes: &[u32]| sizes.iter().all(|size| (1..=MAX_SIZE).contains(size));
	let number = |number: f64| (1e-30..=1e30).contains(&number);
	let wide = |heads: u32, width: u32| heads == 1 || width >= MIN_HEAD;
	match family {
		Family::Gpt2(Gpt2 { vocabulary, context, layers, heads, width, inner, epsilon, .. }) => {
			sizes(&[*vocabulary, *context, *layers, *heads, *width, *inner])
				&& width.is_multiple_of(*heads)
				&& wide(*heads, width / heads)
				&& number((*epsilon).into())
		}
		Family::Llama(llama) => {
			let Llama { vocabulary, context, layers, heads, key_heads, head_width, width, inner, epsilon, .. } = *llama;
			let Rope { theta, scaling } = llama.rope;
			let slowed = match scaling {
				Scaling::None => true,
				Scaling::Linear(factor) => number(factor),
				Scaling::Llama3 { factor, low, high, original } => {
					[factor, low, high, original].into_iter().all(number) && low < high
				}
			};
			sizes(&[vocabulary, context, layers, heads, key_heads, head_width, width, inner])
				&& heads.is_multiple_of(key_heads)
				&& head_width.is_multiple_of(2)
				&& wide(heads, head_width)
				&& number(epsilon.into())
				&& number(theta)
				&& slowed
		}
		Family::Bert(_) => false,
	}
}
