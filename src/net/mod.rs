//! SIP sockets: datagrams and framed streams.
