//! Records of the market: plain types that daemons decode too.

pub use assay_protocol::records::market::*;
