//! The distributor from outside: scenarios a shift leader can read, and random days against a brute-force oracle.

mod law;
mod oracle;
mod random;
mod scenarios;
mod table;
mod watch;
