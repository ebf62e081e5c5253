//! The gateway's whole state as bytes, and back. Not here: what is in it (each type's own), what of the past outlives the
//! process (`store`).

use super::Gateway;

/// Whose state it is. The number rises with each change to what is in it.
const FORMAT: &str = concat!("rexian ", env!("CARGO_PKG_VERSION"), " gateway 1");

impl Gateway {
    /// A gateway restored from them goes on with identical outputs.
    pub fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(FORMAT, self)).expect("plain data with known lengths always serialises")
    }

    /// The bytes name no fields: those of another build could be read as something else, and are refused before that.
    pub fn restore(bytes: &[u8]) -> Result<Gateway, String> {
        match postcard::take_from_bytes::<&str>(bytes) {
            Ok((FORMAT, state)) => {
                postcard::from_bytes(state).map_err(|e| format!("the saved gateway state is damaged: {e}"))
            }
            Ok((other, _)) => Err(format!("the saved gateway state is of {other:.40?}; this build reads {FORMAT:?}")),
            Err(e) => Err(format!("this is no saved gateway state: {e}")),
        }
    }
}
