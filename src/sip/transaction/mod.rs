//! The four transaction state machines (RFC 3261 figs. 5-8, RFC 6026). SKELETON.
