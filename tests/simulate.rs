//! `rexian simulate` as shift leaders use it: the same seed gives the same bytes, the figures can be counted again from the
//! calls, fewer seats do worse, and the roster that was found holds.

mod common;

#[test]
fn help_names_the_files() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_rexian")).args(["simulate", "--help"]).output().unwrap();
    assert!(out.status.success());
}
