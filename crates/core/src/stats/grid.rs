//! Failures of two arms, compared window by window.
