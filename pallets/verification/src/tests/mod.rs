//! One file per call, and whole lives across all pallets.

mod answer_challenge;
mod commit_blind;
mod commit_milestone;
mod draw;
mod life;
mod open;
mod redraw;
mod report_unserved;
mod reveal;
mod settle;
