//! demo
pub mod board;
pub mod figures;
pub mod plan;
pub mod tone;
pub mod view;
pub mod voice;
mod width;
