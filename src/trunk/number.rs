//! Number normalisation.
