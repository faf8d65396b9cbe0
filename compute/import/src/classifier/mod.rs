//! Classifiers of rows that a job trained: their directories, and programs that run them over many rows.

mod directory;
mod program;

pub use directory::{write_classifier, Classifier, ClassifierDirectory, ClassifierNetwork};
pub(crate) use program::check_rows;
pub use program::{classify_rows, RowBatches};
