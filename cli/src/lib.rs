//! The assay command line and Rust SDK.
