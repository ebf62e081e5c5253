//! Digest authentication, server side (RFC 7616, RFC 8760).
