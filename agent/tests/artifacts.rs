//! Program and data between two real peers: fetched, checked, bounded by memory before any data is asked for.

use assay_agent::{
	artifacts::{self, ArtifactError},
	memory::{Allowance, Need, Purpose, MIB},
	store::StoreError,
};
use assay_cpu::{Cpu, Path};
use assay_engine::{Engine, Tensor};
use assay_p2p::{AllowAll, BlobHash, BlobStore, CancellationToken, Config, DataPlane, DenyAll, Identity, Provider};
use assay_program::{DType, Header, Init, Lane, Op, OpKind, Operand, Program, Role, TensorDecl, TensorId, Update};
use assay_protocol::{
	job::{Clearing, JobSpec, Offer, Verify},
	Hash,
};
use codec::Encode;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

const ROWS: u32 = 64;
const WIDTH: u32 = 32;

fn tensor(name: &str, rows: u32, cols: u32, role: Role) -> TensorDecl {
	TensorDecl { name: name.into(), dtype: DType::F32, rows, cols, role }
}

/// For peers that sweep nothing.
fn unrecorded(_: &[Hash]) -> Result<(), StoreError> {
	Ok(())
}

fn data() -> Tensor {
	Tensor::new(DType::F32, ROWS, WIDTH, vec![0.5f32.to_bits(); (ROWS * WIDTH) as usize]).unwrap()
}

/// `w <- w - 0.1 (x_b^T x_b) w`.
fn program(data: &Tensor) -> Program {
	let at = |id| Operand::Tensor(TensorId(id));
	let product = |trans_a, inputs, output| Op { kind: OpKind::MatMul { trans_a, trans_b: false }, inputs, output };
	let rate = Operand::Scalar((-0.1f32).to_bits());
	Program {
		header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 10, batch: 32, segment_steps: 5 },
		tensors: vec![
			tensor("x", ROWS, WIDTH, Role::Data { root: data.root() }),
			tensor("w", WIDTH, 32, Role::Param(Init::Uniform { bound: 0.5f32.to_bits(), stream: 0 })),
			tensor("xb", 32, WIDTH, Role::Temp),
			tensor("p", 32, 32, Role::Temp),
			tensor("g", WIDTH, 32, Role::Temp),
			tensor("new", WIDTH, 32, Role::Temp),
		],
		ops: vec![
			Op { kind: OpKind::GatherBatch { stream: 0 }, inputs: vec![at(0)], output: TensorId(2) },
			product(false, vec![at(2), at(1)], TensorId(3)),
			product(true, vec![at(2), at(3)], TensorId(4)),
			Op { kind: OpKind::Fma, inputs: vec![at(4), rate, at(1)], output: TensorId(5) },
		],
		updates: vec![Update { state: TensorId(1), value: TensorId(5) }],
		metrics: Vec::new(),
	}
}

struct Client {
	plane: DataPlane,
	spec: JobSpec,
	program: Program,
	data: BlobHash,
	_folder: TempDir,
}

fn cpu() -> Arc<Cpu> {
	Arc::new(Cpu::new(Path::Portable, 1).unwrap())
}

async fn peer(seed: u8, serves: bool) -> (DataPlane, TempDir) {
	let folder = tempfile::tempdir().unwrap();
	let mut config = Config::new(Identity::from_seed([seed; 32])).listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap());
	config.fetch.backoff = Duration::from_millis(10);
	let store = BlobStore::open(folder.path()).unwrap();
	let stop = CancellationToken::new();
	let plane = match serves {
		true => DataPlane::start(config, store, Arc::new(AllowAll), stop).await,
		false => DataPlane::start(config, store, Arc::new(DenyAll), stop).await,
	};
	(plane.unwrap(), folder)
}

/// A client that serves a job and declares what it honestly takes.
async fn client() -> Client {
	let (plane, folder) = peer(1, true).await;
	let data = data();
	let program = program(&data);
	let engine = Engine::new(program.clone(), vec![(TensorId(0), data.clone())], cpu()).unwrap();
	let spec = JobSpec {
		program: engine.commitment().clone(),
		program_blob: *plane.store().put(&program.encode()).unwrap().as_bytes(),
		initial_root: engine.state_root(&engine.initial_state()).unwrap(),
		milestone_segments: 2,
		offer: Offer { max_price: 10, clearing: Clearing::BestBid { window: 4 }, deadline: 1_000 },
		verify: Verify {
			drawn: 1,
			verifiers: 1,
			insured_value: 0,
			fee_per_check: assay_protocol::parameters::UNIT / 10,
		},
		memory_mib: 1,
		endpoint: plane.listen_addresses()[0].clone().into_bytes(),
	};
	let data = plane.store().put(&data.to_canonical()).unwrap();
	Client { plane, spec, program, data, _folder: folder }
}

fn sources(client: &Client) -> Vec<Provider> {
	vec![client.plane.provider()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fits_is_fetched_and_built() {
	let (client, (reader, _folder)) = (client().await, peer(2, false).await);
	let allowance = Allowance::mib(1, Purpose::Dispute);
	let engine = artifacts::prepare(&reader, &client.spec, &sources(&client), cpu(), allowance).await.unwrap();
	assert_eq!(*engine.commitment(), client.spec.program);
	assert_eq!(reader.store().len(&client.data).unwrap(), u64::from(ROWS * WIDTH * 4));
	// A second time nobody is asked.
	client.plane.shutdown().await;
	artifacts::prepare(&reader, &client.spec, &[], cpu(), allowance).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_takes_too_much_is_refused_before_its_data_is_fetched() {
	let (client, (reader, _folder)) = (client().await, peer(2, false).await);
	let need = Need::of(&client.program);
	assert!(need.execution() <= need.declared() && need.execution() < need.dispute(), "{need:?}");
	for (bytes, purpose, needed) in [
		(need.execution() - 1, Purpose::Execution, need.execution()),
		(need.dispute() - 1, Purpose::Dispute, need.dispute()),
	] {
		let allowance = Allowance { bytes, purpose };
		let refused = artifacts::fetch(&reader, &client.spec, &sources(&client), allowance, unrecorded).await;
		match refused {
			Err(ArtifactError::Memory { needed: found, allowed, understated }) => {
				assert_eq!((found, allowed, understated), (needed, bytes, false));
			}
			other => panic!("{other:?}"),
		}
	}
	assert!(reader.store().len(&client.data).is_err(), "the data was not asked for");
	let enough = Allowance { bytes: need.execution(), purpose: Purpose::Execution };
	artifacts::prepare(&reader, &client.spec, &sources(&client), cpu(), enough).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_declares_too_little_is_told_from_a_machine_that_has_too_little() {
	let (client, (reader, _folder)) = (client().await, peer(2, false).await);
	let little = Allowance { bytes: 1_000, purpose: Purpose::Execution };
	let lying = JobSpec { memory_mib: 0, ..client.spec.clone() };
	assert!(Need::of(&client.program).declared() < MIB);
	for (spec, expected) in [(&client.spec, false), (&lying, true)] {
		let refused = artifacts::fetch(&reader, spec, &sources(&client), little, unrecorded).await;
		assert!(
			matches!(refused, Err(ArtifactError::Memory { understated, .. }) if understated == expected),
			"{refused:?}"
		);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_apart() {
	let (client, (reader, _folder)) = (client().await, peer(2, false).await);
	let all = Allowance::UNLIMITED;
	// Another program under the job's name, before its data is asked for.
	let mut other = client.program.clone();
	other.header.seed = [9; 32];
	let blob = *client.plane.store().put(&other.encode()).unwrap().as_bytes();
	let spec = JobSpec { program_blob: blob, ..client.spec.clone() };
	let refused = artifacts::fetch(&reader, &spec, &sources(&client), all, unrecorded).await.unwrap_err();
	assert!(matches!(refused, ArtifactError::Commitment) && !refused.is_unfetched() && !refused.is_local());
	assert!(reader.store().len(&client.data).is_err());
	// Nobody has the program.
	let spec = JobSpec { program_blob: [7; 32], ..client.spec.clone() };
	let refused = artifacts::fetch(&reader, &spec, &sources(&client), all, unrecorded).await.unwrap_err();
	assert!(refused.is_unfetched() && !refused.is_local(), "{refused}");
	// Something longer than a program may be: proven by its hash, so no other source can do better.
	let long = *client.plane.store().put(&vec![1; artifacts::MAX_PROGRAM as usize + 1]).unwrap().as_bytes();
	let spec = JobSpec { program_blob: long, ..client.spec.clone() };
	let refused = artifacts::fetch(&reader, &spec, &sources(&client), all, unrecorded).await.unwrap_err();
	assert!(!refused.is_unfetched() && !refused.is_local(), "{refused}");
	// Another initial state than the program's.
	let spec = JobSpec { initial_root: [7; 32], ..client.spec.clone() };
	let refused = artifacts::prepare(&reader, &spec, &sources(&client), cpu(), all).await.unwrap_err();
	assert!(matches!(refused, ArtifactError::InitialRoot), "{refused}");
}
