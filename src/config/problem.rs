//! `rexian check`: every problem at once.
