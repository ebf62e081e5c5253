//! Who calls and whom, read from an INVITE's headers. Belongs here: which header counts (the trunk's profile), privacy
//! (RFC 3323, RFC 3325 s7-9, draft-ietf-sip-privacy-04 for Remote-Party-ID). Not here: the forms of numbers (`number`).
