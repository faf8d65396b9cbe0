//! Directories as the Hugging Face tools leave them: `config.json`, safetensors files, `tokenizer.json`.

mod checkpoint;
mod directory;
mod export;
mod fields;
mod tokenizer;

pub use checkpoint::Checkpoint;
pub use directory::ModelDirectory;
pub use export::{byte_tokenizer, export_gpt2, write_model};
pub use tokenizer::{Tokenizer, Window};

pub(crate) use fields::Fields;
