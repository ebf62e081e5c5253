//! `rexian report`: the routine report. Comes next; see `crate::record` and `store::facts` for what it reads.
