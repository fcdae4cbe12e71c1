//! Bands on distribution functions and quantiles that hold at all times.
