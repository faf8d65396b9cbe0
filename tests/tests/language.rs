//! A language model is trained, trained on, and run, each as a verified job over the result of the one before.

use anyhow::{Context, Result};
use assay_cli::job_file::{Draft, Outcome};
use assay_engine::{Cpu, Engine, Path as CpuPath};
use assay_tests::{
	client::Client,
	jobs::repository,
	network::{Network, Terms},
	results::{done, draft},
};
use std::{path::Path, sync::Arc};

#[tokio::test(flavor = "multi_thread")]
async fn a_language_model_is_trained_and_trained_on_and_run() -> Result<()> {
	let folder = assay_tests::folder("language")?;
	let mut network = Network::start(&folder).await?;
	network.join(vec![Terms::worker("//Bob", 800), Terms::verifier("//Dave"), Terms::verifier("//Eve")]).await?;
	let client = Client::start(network.url(), "//Ferdie", &folder.join("client")).await?;
	for name in ["sums.txt", "differences.txt", "prompts.txt"] {
		std::fs::copy(repository().join("examples/data").join(name), folder.join(name))?;
	}

	let trained = draft(
		&folder,
		"train.yaml",
		"kind: train\nmodel: {type: gpt, layers: 1, heads: 2, width: 32, context: 24}\ndata: {text: sums.txt}\n\
		 train: {rate: 0.003, batch: 8, steps: 60, lane: i8}\n",
	)?;
	let model = done(&client, &trained, &folder.join("first")).await?;
	assert_eq!(model, folder.join("first/model"));

	let tuned = draft(
		&folder,
		"tune.yaml",
		"kind: finetune\nmodel: {directory: first/model, lora: {rank: 4}}\ndata: {text: differences.txt}\n\
		 train: {batch: 8, steps: 20}\n",
	)?;
	done(&client, &tuned, &folder.join("second")).await?;

	let generated = draft(
		&folder,
		"generate.yaml",
		"kind: infer-batch\nmodel: {directory: second/model}\ndata: {lines: prompts.txt}\n\
		 infer: {task: generate, tokens: 4, temperature: 0.7, batch: 3, lane: i8, end_token: \"\\n\"}\n",
	)?;
	let outputs = done(&client, &generated, &folder.join("third")).await?;
	let lines = std::fs::read_to_string(outputs)?;
	assert_eq!(lines.lines().count(), 32);
	assert_eq!(lines, local(&generated, &folder.join("local"))?, "as on this machine alone");
	let mut passes = 0;
	for verifier in ["//Dave", "//Eve"] {
		passes += network.operator(verifier)?.process.output()?.matches("confirmed in one pass").count();
	}
	assert_eq!(passes, 2, "both segments were checked in one pass");

	let embedded = draft(
		&folder,
		"embed.yaml",
		"kind: infer-batch\nmodel: {directory: second/model}\ndata: {lines: prompts.txt}\ninfer: {task: embed, batch: 8}\n",
	)?;
	let outputs = done(&client, &embedded, &folder.join("fourth")).await?;
	let first: serde_json::Value =
		serde_json::from_str(std::fs::read_to_string(outputs)?.lines().next().context("a line")?)?;
	assert_eq!(first["embedding"].as_array().map(Vec::len), Some(32));
	network.check_health()?;
	client.shutdown().await;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}

/// What the job writes when it runs here.
fn local(draft: &Draft, folder: &Path) -> Result<String> {
	assert!(matches!(draft.outcome, Outcome::Texts(_)));
	let engine = Engine::new(draft.program.clone(), draft.data.clone(), Arc::new(Cpu::new(CpuPath::Auto, 1)?))?;
	let mut state = engine.initial_state();
	engine.run(&mut state, draft.program.header.steps, &mut |_| std::ops::ControlFlow::Continue(()))?;
	std::fs::create_dir_all(folder)?;
	let path = draft.outcome.write(&engine, &state, folder).map_err(anyhow::Error::msg)?.context("outputs")?;
	Ok(std::fs::read_to_string(path)?)
}
