//! Local durability: the ticket spool.
