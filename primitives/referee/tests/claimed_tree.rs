//! A challenger that saw only frontiers proves every leaf it agrees on against the defender's root.

use assay_commitment::{verify_node, Combiner, Domain, Node, Tree};
use assay_referee::ClaimedTree;

const TRACE: Combiner = Combiner::Merkle(Domain::Trace);

#[test]
fn proofs_of_agreed_leaves() {
	for n in [1u32, 2, 3, 16, 17, 100, 333] {
		for wrong in [0, 1, n / 3, n / 2, n - 1] {
			let own: Vec<_> = (0..n).map(|i| Domain::Trace.leaf(&i.to_le_bytes())).collect();
			let mut lie = own.clone();
			// Everything after the first difference follows from it.
			lie[wrong.min(n - 1) as usize..].iter_mut().for_each(|leaf| leaf[0] ^= 1);
			let defender = Tree::build(TRACE, lie.clone()).unwrap();
			let mut known = ClaimedTree::new(TRACE, defender.root(), own.clone()).unwrap();
			let mut at = Node::whole(n);
			loop {
				let mut hashes = defender.frontier(at).unwrap();
				assert!(known.reveal(at, &hashes));
				hashes[0][0] ^= 1;
				assert!(!known.reveal(at, &hashes), "a frontier that does not recombine");
				at = known.first_difference(at).unwrap();
				if at.is_leaf() {
					break;
				}
			}
			assert_eq!(at.start, wrong.min(n - 1));
			assert_eq!(known.agreed(), at.start);
			for index in 0..at.start {
				assert_eq!(known.leaf(index), Some(own[index as usize]));
				let proof = known.prove(index).unwrap();
				assert!(verify_node(TRACE, &defender.root(), n, Node::leaf(index), &own[index as usize], &proof));
			}
			let proof = known.prove(at.start).unwrap();
			assert!(verify_node(TRACE, &defender.root(), n, at, &lie[at.start as usize], &proof));
			assert_eq!(known.prove(n), None);
		}
	}
}
