use std::collections::BTreeSet;

use assay_engine::Tensor;
use assay_models::{transformer, Optimiser, TransformerConfig};
use assay_program::{DType, Lane, Program, Role};

use super::{pieces, Piece, Readers};

fn program(lane: Lane) -> Program {
	let config = TransformerConfig {
		lane,
		vocabulary: 13,
		context: 9,
		layers: 2,
		heads: 2,
		width: 32,
		dropout: 0.1,
		optimiser: Optimiser::adamw(0.003),
		batch: 8,
		steps: 1,
		segment_steps: 1,
		seed: [7; 32],
	};
	let tokens = Tensor::new(DType::I32, 8, 10, vec![3; 80]).expect("a tensor");
	transformer(&config, &tokens).expect("valid").program
}

/// Whatever is moved, left out and computed again.
#[test]
fn every_op_is_done_once_after_what_it_reads_was_written() {
	for lane in [Lane::F32, Lane::I8] {
		let program = program(lane);
		let (pieces, readers) = (pieces(&program), Readers::new(&program));
		let mut ops: Vec<usize> = pieces.iter().flat_map(|piece| piece.ops().to_vec()).collect();
		ops.sort_unstable();
		assert_eq!(ops, (0..program.ops.len()).collect::<Vec<_>>());
		let is_temp = |decl: &assay_program::TensorDecl| matches!(decl.role, Role::Temp);
		let mut written = BTreeSet::new();
		for piece in &pieces {
			for id in piece.reads(&program) {
				let there = written.contains(&id) || !program.decl(id).is_some_and(is_temp);
				assert!(there, "{lane:?}: {piece:?} reads {id:?}");
			}
			written.extend(piece.outputs(&program).filter(|id| piece.stores(*id)));
		}
		assert!(program.ops.iter().all(|op| !readers.at_end(op.output) || written.contains(&op.output)));
		let chains = pieces.iter().filter_map(|piece| match piece {
			Piece::Chain(chain) => Some(chain),
			Piece::Op(_) => None,
		});
		let (again, reductions) = chains.fold((0, 0), |(again, reductions), chain| {
			(again + chain.copies.len(), reductions + usize::from(!chain.elementwise))
		});
		assert!(again > 0 && reductions > 8, "{lane:?}: {again} copies, {reductions} groups with reductions");
	}
}
