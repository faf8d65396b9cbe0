//! Classifiers of rows and of images are trained, and run over a table, each as a verified job over the result of the one
//! before; the same by an ONNX file, in lane I8.

use anyhow::{Context, Result};
use assay_tests::{
	client::Client,
	jobs::repository,
	network::{Network, Terms},
	results::{done, draft},
};
use std::path::Path;

/// Rows of the table whose class is their label.
fn right(outputs: &Path) -> Result<usize> {
	let text = std::fs::read_to_string(outputs)?;
	let rows: Vec<serde_json::Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
	assert_eq!(rows.len(), ROWS);
	Ok(rows.iter().filter(|row| row["class"].is_u64() && row["class"] == row["label"]).count())
}

const ROWS: usize = 240;

#[tokio::test(flavor = "multi_thread")]
async fn classifiers_are_trained_and_run_over_a_table() -> Result<()> {
	let folder = assay_tests::folder("rows")?;
	let mut network = Network::start(&folder).await?;
	network.join(vec![Terms::worker("//Bob", 800), Terms::verifier("//Dave"), Terms::verifier("//Eve")]).await?;
	let client = Client::start(network.url(), "//Ferdie", &folder.join("client")).await?;
	let digits = std::fs::read_to_string(repository().join("examples/data/digits.csv")).context("digits.csv")?;
	let header_and_rows: Vec<&str> = digits.lines().take(ROWS + 1).collect();
	std::fs::write(folder.join("table.csv"), header_and_rows.join("\n"))?;

	let perceptron = draft(
		&folder,
		"perceptron.yaml",
		"kind: train\nmodel: {type: mlp, layers: [64, 32, 10]}\ndata: {file: table.csv, label: label, scale: 0.0625}\n\
		 train: {rate: 0.005, batch: 32, steps: 120}\n",
	)?;
	let model = done(&client, &perceptron, &folder.join("first")).await?;
	assert_eq!(model, folder.join("first/model"));
	let by_directory = draft(
		&folder,
		"directory.yaml",
		"kind: infer-batch\nmodel: {directory: first/model}\ndata: {rows: table.csv, label: label}\n\
		 infer: {task: classify, batch: 24}\n",
	)?;
	let found = right(&done(&client, &by_directory, &folder.join("second")).await?)?;
	assert!(found > ROWS * 9 / 10, "{found} of {ROWS}");
	// The ONNX file scales by itself.
	let by_file = draft(
		&folder,
		"file.yaml",
		"kind: infer-batch\nmodel: {onnx: first/model/model.onnx}\n\
		 data: {rows: table.csv, label: label}\ninfer: {task: classify, batch: 24, lane: i8}\n",
	)?;
	let in_int8 = right(&done(&client, &by_file, &folder.join("third")).await?)?;
	assert!(in_int8.abs_diff(found) <= ROWS / 50, "{in_int8} in int8, {found} in f32");

	let images = draft(
		&folder,
		"images.yaml",
		"kind: train\nmodel: {type: cnn, image: [8, 8], convolutions: [8]}\n\
		 data: {file: table.csv, label: label, scale: 0.0625}\ntrain: {rate: 0.005, batch: 16, steps: 60}\n",
	)?;
	done(&client, &images, &folder.join("fourth")).await?;
	let of_images = draft(
		&folder,
		"of-images.yaml",
		"kind: infer-batch\nmodel: {directory: fourth/model}\ndata: {rows: table.csv, label: label}\n\
		 infer: {task: classify, batch: 24}\n",
	)?;
	let found = right(&done(&client, &of_images, &folder.join("fifth")).await?)?;
	assert!(found > ROWS * 8 / 10, "{found} of {ROWS}");
	network.check_health()?;
	client.shutdown().await;
	drop(network);
	std::fs::remove_dir_all(&folder)?;
	Ok(())
}
