//! The gateway as its peers meet it: real SIP messages, virtual time, a network that loses nothing.

mod accounts;
mod browser;
mod consulting;
mod dialling;
mod guard;
mod joining;
mod paths;
mod recording;
mod referring;
mod rights;
mod screens;
mod softphone;
mod srtp;
mod streams;
mod supervision;
mod transfer;
mod way;
mod world;
