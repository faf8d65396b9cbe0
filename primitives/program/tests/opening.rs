//! The program root covers every part, and every part opens.

use assay_program::*;

fn program() -> Program {
	let decl = |name: &str, role| TensorDecl { name: name.into(), dtype: DType::F32, rows: 4, cols: 4, role };
	let add = |a, b, output| Op {
		kind: OpKind::Binary(BinaryKind::Add),
		inputs: vec![Operand::Tensor(TensorId(a)), Operand::Tensor(TensorId(b))],
		output: TensorId(output),
	};
	Program {
		header: Header { version: 1, lane: Lane::F32, seed: [0; 32], steps: 1, batch: 1, segment_steps: 1 },
		tensors: vec![
			decl("a", Role::Param(Init::Zeros)),
			decl("b", Role::State(Init::Zeros)),
			decl("c", Role::Temp),
			decl("d", Role::Temp),
		],
		ops: vec![add(0, 1, 2), add(2, 2, 3)],
		updates: vec![
			Update { state: TensorId(0), value: TensorId(2) },
			Update { state: TensorId(1), value: TensorId(3) },
		],
		metrics: vec![],
	}
}

#[test]
fn every_item_opens_only_as_itself() {
	let program = program();
	let trees = ProgramTrees::build(&program).unwrap();
	let commitment = trees.commitment();
	assert_eq!(Some(commitment.clone()), program.commitment());
	for id in 0..4 {
		let mut opened = trees.open_tensor(&program, TensorId(id)).unwrap();
		assert!(commitment.has_tensor(&opened));
		opened.index ^= 1;
		assert!(!commitment.has_tensor(&opened));
	}
	for index in 0..2 {
		let mut opened = trees.open_update(&program, index).unwrap();
		assert!(commitment.has_update(&opened));
		opened.item.value = TensorId(1);
		assert!(!commitment.has_update(&opened));

		let opened = trees.open_op_with_decls(&program, index).unwrap();
		assert_eq!(commitment.verify_op(&opened).unwrap(), program.geometry(index as usize).unwrap());
		let mut wrong = opened.clone();
		wrong.op.proof.clear();
		assert_eq!(commitment.verify_op(&wrong), Err(ProgramOpeningError::Op));
		let mut wrong = opened.clone();
		wrong.inputs[1].item.role = Role::Data { root: [0; 32] };
		assert_eq!(commitment.verify_op(&wrong), Err(ProgramOpeningError::InputDecl { input: 1 }));
	}
	assert!(trees.open_op(&program, 2).is_none());
}

#[test]
fn only_neighbours_around_a_tensor_show_that_it_has_no_update() {
	let decl = |id: u32, role| TensorDecl { name: vec![id as u8], dtype: DType::F32, rows: 4, cols: 4, role };
	// Every set of updates over five tensors, and every pair of openings.
	for set in 0..1u32 << 5 {
		let mut program = program();
		program.tensors = (0..5).map(|id| decl(id, Role::Param(Init::Zeros))).collect();
		program.tensors.push(decl(5, Role::Temp));
		let updated = (0..5).filter(|id| set >> id & 1 == 1);
		program.updates = updated.map(|id| Update { state: TensorId(id), value: TensorId(5) }).collect();
		let trees = ProgramTrees::build(&program).unwrap();
		assert_eq!(trees.commitment().n_state, 5);
		let n = program.updates.len() as u32;
		let openings: Vec<_> = (0..n).map(|index| trees.open_update(&program, index)).chain([None]).collect();
		for state in 0..5 {
			let below = (set & ((1 << state) - 1)).count_ones();
			let mut shown = 0;
			for left in &openings {
				for right in &openings {
					let holds = trees.commitment().has_no_update(TensorId(state), left.as_ref(), right.as_ref());
					let (left, right) = (left.as_ref().map(|o| o.index), right.as_ref().map(|o| o.index));
					if holds {
						assert_eq!((left, right), (below.checked_sub(1), Some(below).filter(|below| *below < n)));
					}
					shown += u32::from(holds);
				}
			}
			assert_eq!(shown, u32::from(set >> state & 1 == 0), "tensor {state} of {set:b}");
		}
	}
}

#[test]
fn the_root_covers_everything_but_metrics() {
	let root = |change: &dyn Fn(&mut Program)| {
		let mut program = program();
		change(&mut program);
		program.commitment().unwrap().root()
	};
	let base = root(&|_| {});
	assert_eq!(base, root(&|p| p.metrics.push(TensorId(3))));
	let changed = [
		root(&|p| p.header.steps = 2),
		root(&|p| p.header.seed[31] = 1),
		root(&|p| p.tensors[0].name.push(b'a')),
		root(&|p| p.tensors.swap(2, 3)),
		root(&|p| p.ops[1].inputs.swap(0, 1)),
		root(&|p| p.ops.swap(0, 1)),
		root(&|p| p.updates.truncate(1)),
	];
	let mut counted = program().commitment().unwrap();
	assert_eq!(counted.n_state, 2);
	counted.n_state = 3;
	assert_ne!(counted.root(), base);
	// Swapping equal operands changes nothing, every other change does.
	for (index, root) in changed.iter().enumerate() {
		assert_eq!(*root == base, index == 4);
	}
}

#[test]
fn an_op_that_breaks_the_rules_has_no_geometry() {
	let mut program = program();
	program.tensors[2].rows = 5;
	let trees = ProgramTrees::build(&program).unwrap();
	let opened = trees.open_op_with_decls(&program, 0).unwrap();
	assert_eq!(trees.commitment().verify_op(&opened), Err(ProgramOpeningError::Geometry));
}
