//! The distributor from outside: scenarios a shift leader can read, and random days against a brute-force oracle.

mod oracle;
mod random;
mod law;
mod scenarios;
mod table;
mod watch;
