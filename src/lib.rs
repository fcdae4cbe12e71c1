//! Progressive delivery as an embeddable library.
