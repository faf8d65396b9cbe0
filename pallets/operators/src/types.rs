//! Records of the registry: plain types that daemons decode too.

pub use assay_protocol::records::operators::*;
