//! A state store in a file.
