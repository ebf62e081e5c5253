//! The demo: a pretend carrier and pretend seats over real sockets.
