//! Classifiers over many rows: the trained network's classes, from their directory and as ONNX, in both lanes.

mod support;

use std::{fs::File, io::BufReader, ops::ControlFlow};

use assay_engine::{Engine, State, Tensor};
use assay_import::{
	classify_rows, export_onnx, write_classifier, Classifier, ClassifierDirectory, ClassifierNetwork, ImportError,
	Onnx, OnnxInput, RowBatches, OUTPUT,
};
use assay_models::{cnn, mlp, Activation, Classification, CnnConfig, CsvOptions, MlpConfig, Model, Split};
use assay_program::{DType, Lane};

const SCALE: f32 = 0.0625;

fn digits() -> Classification {
	let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/digits.csv")).unwrap();
	let options = CsvOptions { scale: SCALE, ..CsvOptions::default() };
	Classification::from_csv(BufReader::new(file), &options).unwrap()
}

fn settings(batch: u32, lane: Lane) -> RowBatches {
	RowBatches { batch, segment_steps: 2, lane }
}

fn run(model: &Model) -> (Engine, State) {
	let engine = support::engine(model);
	let mut state = engine.initial_state();
	engine.run(&mut state, model.program.header.steps, &mut |_| ControlFlow::Continue(())).expect("runs");
	(engine, state)
}

fn scores(model: &Model) -> Tensor {
	let (engine, state) = run(model);
	engine.state_tensor_named(&state, OUTPUT).expect("an output")
}

/// A trained classifier in a directory.
struct Trained {
	folder: tempfile::TempDir,
	classifier: Classifier,
	engine: Engine,
	state: State,
}

impl Trained {
	fn new(model: &Model, network: ClassifierNetwork) -> Self {
		let (engine, state) = run(model);
		let (folder, classifier) = (tempfile::tempdir().unwrap(), Classifier { network, scale: SCALE });
		write_classifier(folder.path(), &classifier, |name| engine.state_tensor_named(&state, name)).expect("writes");
		Self { folder, classifier, engine, state }
	}

	fn param(&self, name: &str) -> Option<Tensor> {
		self.engine.state_tensor_named(&self.state, name)
	}

	fn f64(&self, name: &str) -> Vec<f64> {
		self.param(name).expect(name).to_f32().into_iter().map(f64::from).collect()
	}

	fn program(&self, rows: &Tensor, config: &RowBatches) -> Model {
		let directory = ClassifierDirectory::open(self.folder.path()).expect("opens");
		assert_eq!(directory.classifier(), &self.classifier);
		classify_rows(directory.classifier(), directory.checkpoint(), rows, config).expect("builds")
	}

	fn onnx(&self) -> Onnx {
		let bytes = export_onnx(&self.classifier, |name| self.param(name)).expect("exports");
		let path = self.folder.path().join("model.onnx");
		std::fs::write(&path, bytes).unwrap();
		Onnx::open(&path).expect("opens")
	}
}

fn perceptron(activation: Activation) -> Trained {
	let data = digits();
	let config = MlpConfig { hidden: vec![24, 17], activation, steps: 120, ..MlpConfig::new(64, 10) };
	Trained::new(&mlp(&config, &data.train).unwrap(), ClassifierNetwork::from(&config))
}

fn convolutional(lane: Lane) -> Trained {
	let data = digits();
	let config = CnnConfig { convolutions: vec![6, 9], steps: 160, lane, ..CnnConfig::new(8, 8, 1, 10) };
	Trained::new(&cnn(&config, &data.train).unwrap(), ClassifierNetwork::from(&config))
}

/// `x w + b` in binary64.
fn linear(x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
	let cols = b.len();
	(0..cols).map(|col| b[col] + x.iter().enumerate().map(|(row, x)| x * w[row * cols + col]).sum::<f64>()).collect()
}

fn best(scores: &[f64]) -> usize {
	(0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

/// Compares scores with those of an independent computation, row by row; returns how many rows the labels agree with.
fn compare(found: &Tensor, rows: &Tensor, labels: &[u32], forward: impl Fn(&[f64]) -> Vec<f64>) -> usize {
	let found = found.to_f32();
	let mut right = 0;
	for (index, row) in rows.to_f32().chunks(64).enumerate() {
		let expected = forward(&row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
		let found: Vec<f64> = found[index * 10..][..10].iter().map(|x| f64::from(*x)).collect();
		let error = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
		assert!(error < 1e-4, "row {index}: {error:e}");
		assert_eq!(best(&found), best(&expected), "row {index}");
		right += usize::from(best(&found) == labels[index] as usize);
	}
	right
}

#[test]
fn a_perceptrons_classes_are_those_of_a_plain_forward() {
	for activation in [Activation::Relu, Activation::Tanh] {
		let (trained, held_out) = (perceptron(activation), digits().held_out);
		let found = scores(&trained.program(&held_out.x, &settings(50, Lane::F32)));
		let right = compare(&found, &held_out.x, &held_out.y.bits(), |x| {
			let apply = |x: Vec<f64>| -> Vec<f64> {
				x.into_iter().map(|x| if activation == Activation::Relu { x.max(0.0) } else { x.tanh() }).collect()
			};
			let x = apply(linear(x, &trained.f64("layer0.weight"), &trained.f64("layer0.bias")));
			let x = apply(linear(&x, &trained.f64("layer1.weight"), &trained.f64("layer1.bias")));
			linear(&x, &trained.f64("output.weight"), &trained.f64("output.bias"))
		});
		assert!(right > 300, "{right} of 359");
	}
}

#[test]
fn a_convolutional_networks_classes_are_those_of_a_plain_forward() {
	let (trained, held_out) = (convolutional(Lane::F32), digits().held_out);
	let found = scores(&trained.program(&held_out.x, &settings(60, Lane::F32)));
	let params = ["convolution0", "convolution1", "output"]
		.map(|name| (trained.f64(&format!("{name}.weight")), trained.f64(&format!("{name}.bias"))));
	let right = compare(&found, &held_out.x, &held_out.y.bits(), |x| {
		// A pixel's channels together.
		let (mut x, mut side, mut channels) = (x.to_vec(), 8usize, 1usize);
		for (w, b) in &params[..2] {
			let at = |row: isize, col: isize, channel: usize| match (row, col) {
				(row, col) if row < 0 || col < 0 || row >= side as isize || col >= side as isize => 0.0,
				_ => x[(row as usize * side + col as usize) * channels + channel],
			};
			let mut next = vec![0.0f64; (side / 2) * (side / 2) * b.len()];
			for row in 0..side {
				for col in 0..side {
					let window: Vec<f64> = (0..9 * channels)
						.map(|place| {
							let (pixel, channel) = (place / channels, place % channels);
							at(row as isize + pixel as isize / 3 - 1, col as isize + pixel as isize % 3 - 1, channel)
						})
						.collect();
					for (channel, sum) in linear(&window, w, b).into_iter().enumerate() {
						let to = &mut next[((row / 2) * (side / 2) + col / 2) * b.len() + channel];
						*to = to.max(sum);
					}
				}
			}
			(x, side, channels) = (next, side / 2, b.len());
		}
		linear(&x, &params[2].0, &params[2].1)
	});
	assert!(right > 300, "{right} of 359");
}

#[test]
fn batches_change_nothing_and_the_last_may_be_short() {
	for trained in [perceptron(Activation::Gelu), convolutional(Lane::I8)] {
		let rows = digits().held_out.x;
		for lane in [Lane::F32, Lane::I8] {
			let first = scores(&trained.program(&rows, &settings(359, lane)));
			assert_eq!((first.spec().rows, first.spec().cols), (359, 10));
			for batch in [1, 7, 360, 500] {
				assert_eq!(scores(&trained.program(&rows, &settings(batch, lane))), first, "{batch} in {lane:?}");
			}
		}
	}
}

#[test]
fn onnx_computes_the_same_bits() {
	for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu] {
		let trained = perceptron(activation);
		let onnx = trained.onnx();
		let rows = digits().held_out.x;
		// The file's own first node scales.
		let unscaled = rows.to_f32().iter().map(|x| (x / SCALE).to_bits()).collect();
		let unscaled = Tensor::new(DType::F32, 359, 64, unscaled).unwrap();
		for lane in [Lane::F32, Lane::I8] {
			let own = scores(&trained.program(&rows, &settings(64, lane)));
			assert_eq!(scores(&onnx.rows(&unscaled, &settings(64, lane)).expect("builds")), own, "{lane:?}");
		}
		// The importer's own program of one step over all rows.
		let input = OnnxInput { name: "rows".into(), shape: vec![359, 64], tensor: unscaled.clone() };
		let whole = support::output(&onnx.program(&[input]).expect("builds"));
		assert_eq!(scores(&onnx.rows(&unscaled, &settings(30, Lane::F32)).expect("builds")), whole);
	}
}

#[test]
fn a_convolutional_network_as_onnx_computes_the_same_bits() {
	let rows = digits().held_out.x;
	let unscaled = rows.to_f32().iter().map(|x| (x / SCALE).to_bits()).collect();
	let unscaled = Tensor::new(DType::F32, 359, 64, unscaled).unwrap();
	// Of the second, the 5 x 7 pixels have two channels, and a row and a column are lost where the size is halved.
	let odd = CnnConfig { convolutions: vec![5, 4], steps: 3, ..CnnConfig::new(5, 7, 2, 3) };
	let cut = Tensor::new(DType::F32, 250, 70, rows.bits()[..250 * 70].to_vec()).unwrap();
	let labels = (0..250).map(|row| row % 3).collect();
	let train = Split { x: cut.clone(), y: Tensor::new(DType::I32, 250, 1, labels).unwrap() };
	let odd = Trained::new(&cnn(&odd, &train).unwrap(), ClassifierNetwork::from(&odd));
	let cut_unscaled = cut.to_f32().iter().map(|x| (x / SCALE).to_bits()).collect();
	let cut_unscaled = Tensor::new(DType::F32, 250, 70, cut_unscaled).unwrap();
	for (trained, rows, unscaled) in [(convolutional(Lane::F32), rows, unscaled), (odd, cut, cut_unscaled)] {
		let onnx = trained.onnx();
		for lane in [Lane::F32, Lane::I8] {
			let own = scores(&trained.program(&rows, &settings(64, lane)));
			assert!(own.to_f32().iter().any(|score| *score != 0.0));
			assert_eq!(scores(&onnx.rows(&unscaled, &settings(64, lane)).expect("builds")), own, "{lane:?}");
		}
	}
}

#[test]
fn int8_keeps_the_classes() {
	let data = digits();
	for trained in [perceptron(Activation::Relu), convolutional(Lane::F32)] {
		let right = |lane| {
			let scores = scores(&trained.program(&data.held_out.x, &settings(64, lane))).to_f32();
			let classes = scores.chunks(10).map(|row| best(&row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()));
			classes.zip(&*data.held_out.y.bits()).filter(|(class, label)| *class == **label as usize).count()
		};
		let (exact, int8) = (right(Lane::F32), right(Lane::I8));
		println!("{exact} of 359 in f32, {int8} in int8");
		assert!(int8 + 6 >= exact, "{exact} {int8}");
	}
}

#[test]
fn one_root_on_every_path() {
	let rows = digits().held_out.x;
	let (perceptron, convolutional) = (perceptron(Activation::Relu), convolutional(Lane::I8));
	let onnx = perceptron.onnx();
	for lane in [Lane::F32, Lane::I8] {
		let config = settings(48, lane);
		let models = [
			perceptron.program(&rows, &config),
			convolutional.program(&rows, &config),
			onnx.rows(&rows, &config).expect("builds"),
		];
		for model in models {
			support::assert_one_root(&model, &format!("{lane:?}"));
		}
	}
}

#[test]
fn the_referee_agrees() {
	let rows = digits().held_out.x;
	let (perceptron, convolutional) = (perceptron(Activation::Tanh), convolutional(Lane::F32));
	let onnx = perceptron.onnx();
	for lane in [Lane::F32, Lane::I8] {
		let config = settings(9, lane);
		support::refereed(&perceptron.program(&rows, &config), 0);
		support::refereed(&convolutional.program(&rows, &config), 39);
		support::refereed(&onnx.rows(&rows, &config).expect("builds"), 3);
	}
}

#[test]
fn what_does_not_fit_is_refused() {
	let trained = perceptron(Activation::Relu);
	let directory = ClassifierDirectory::open(trained.folder.path()).unwrap();
	let rows = |cols: u32| Tensor::new(DType::F32, 2, cols, vec![0; 2 * cols as usize]).unwrap();
	let refused =
		|rows: &Tensor, config| match classify_rows(directory.classifier(), directory.checkpoint(), rows, &config) {
			Err(ImportError::Request(problem)) => problem,
			other => panic!("{other:?}"),
		};
	assert!(refused(&rows(63), settings(1, Lane::F32)).contains("64 numbers of each row, the rows have 63"));
	assert!(refused(&rows(64), settings(0, Lane::F32)).contains("at least 1"));
	let ids = Tensor::new(DType::I32, 2, 64, vec![0; 128]).unwrap();
	assert!(refused(&ids, settings(1, Lane::F32)).contains("F32"));
	let onnx = trained.onnx();
	let error = onnx.rows(&rows(63), &settings(1, Lane::F32)).unwrap_err().to_string();
	assert!(error.contains("`rows`: the model takes 64 numbers of each row, the rows have 63"), "{error}");
	let convolutional = convolutional(Lane::F32);
	let without = |name: &str| convolutional.param(name).filter(|_| name != "convolution1.bias");
	let error = export_onnx(&convolutional.classifier, without).unwrap_err().to_string();
	assert!(error.contains("no parameter `convolution1.bias`"), "{error}");
}

#[test]
fn fixed_extents_and_several_inputs_are_named() {
	use support::onnx_file::{attribute, bytes, floats, model, node, port};
	let open = |content: Vec<u8>| {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("model.onnx");
		std::fs::write(&path, content).unwrap();
		(Onnx::open(&path).unwrap(), folder)
	};
	let weights = floats("w", &[6, 2], &[0.5; 12]);
	let nodes = [node("Flatten", "x", "flat", &[attribute("axis", 1)]), node("MatMul", "flat w", "y", &[])];
	let (fixed, _kept) = open(model(17, &nodes, std::slice::from_ref(&weights), &[4, 2, 3]));
	let rows = Tensor::new(DType::F32, 5, 6, (0..30).map(|x| (x as f32).to_bits()).collect()).unwrap();
	let config = |batch| settings(batch, Lane::F32);
	let error = fixed.rows(&rows, &config(3)).unwrap_err().to_string();
	assert!(error.contains("4 rows at a time, not 3; use `batch: 4`"), "{error}");
	let found = scores(&fixed.rows(&rows, &config(4)).expect("builds")).to_f32();
	let expected: Vec<f32> =
		(0..5).flat_map(|row| [(0..6).map(|x| (row * 6 + x) as f32 * 0.5).sum::<f32>(); 2]).collect();
	assert_eq!(found, expected);
	// A second input.
	let graph = [node("Add", "x z", "y", &[])];
	let two = [
		graph.iter().flat_map(|node| bytes(1, node)).collect(),
		bytes(11, &port("x", &[1, 6])),
		bytes(11, &port("z", &[1, 6])),
		bytes(12, &port("y", &[])),
	]
	.concat();
	let two = [bytes(7, &two), bytes(8, &support::onnx_file::int(2, 17))].concat();
	let (two, _kept) = open(two);
	let error = two.rows(&rows, &config(1)).unwrap_err().to_string();
	assert!(error.contains("one input; this one has `x`, `z`"), "{error}");
	// The rows are lost on the way.
	let summed = [node("ReduceSum", "x", "y", &[])];
	let (summed, _kept) = open(model(17, &summed, &[], &[4, 6]));
	let error = summed.rows(&rows, &config(4)).unwrap_err().to_string();
	assert!(error.contains("no row for each of 4 rows"), "{error}");
}

#[test]
fn hostile_configurations_are_refused() {
	let trained = perceptron(Activation::Relu);
	let path = trained.folder.path().join("config.json");
	let good = std::fs::read_to_string(&path).unwrap();
	let refused = |text: &str| {
		std::fs::write(&path, text).unwrap();
		let opened = ClassifierDirectory::open(trained.folder.path());
		let rows = Tensor::new(DType::F32, 1, 64, vec![0; 64]).unwrap();
		let built = opened.and_then(|directory| {
			classify_rows(directory.classifier(), directory.checkpoint(), &rows, &settings(1, Lane::F32))
		});
		built.expect_err(text).to_string()
	};
	let layers = serde_json::from_str::<serde_json::Value>(&good).unwrap();
	let with = |field: &str, value: serde_json::Value| {
		let mut object = layers.clone();
		object[field] = value;
		object.to_string()
	};
	use serde_json::json;
	assert!(refused(&with("layers", json!([64]))).contains("two sizes or more"));
	assert!(refused(&with("layers", json!([64, 24, 17, 0]))).contains("whole numbers"));
	assert!(refused(&with("layers", json!([64, 24, 17, 1 << 24]))).contains("shape"));
	assert!(refused(&with("layers", json!([64, 24, 17, 17, 10]))).contains("layer2.weight"));
	assert!(refused(&with("layers", json!([64, 24, 10]))).contains("output.weight"));
	assert!(refused(&with("activation", json!("silu"))).contains("relu, tanh, gelu"));
	assert!(refused(&with("scale", json!(0))).contains("other than 0"));
	assert!(refused(&with("model_type", json!("gpt2"))).contains("assay-mlp, assay-cnn"));
	assert!(refused(&with("extra", json!(1))).contains("`extra`"));
	assert!(refused("{}").contains("model_type"));
	let cnn = json!({"model_type": "assay-cnn", "image": [8, 8, 1], "convolutions": [1 << 24, 1 << 24], "classes": 10, "scale": 1});
	assert!(refused(&cnn.to_string()).contains("convolution0.weight"));
	let cnn = json!({"model_type": "assay-cnn", "image": [8, 8], "convolutions": [4], "classes": 10, "scale": 1});
	assert!(refused(&cnn.to_string()).contains("[height, width, channels]"));
}
