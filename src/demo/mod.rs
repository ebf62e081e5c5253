//! demo
pub mod board;
pub mod field;
pub mod figures;
pub mod house;
pub mod plan;
pub mod records;
pub mod stage;
pub mod tone;
pub mod view;
pub mod voice;
mod width;
