//! The Assay chain node.
fn main() {}
