//! Roots and minima of functions of one number, to the last bit and without a tolerance to choose.

/// The number at which `is_below` turns from true (at `below`) to false (at `above`), to the nearest double.
///
/// Halves the interval until no double lies inside, so that the answer does not depend on the unit.
pub(crate) fn bisect(below: f64, above: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut below, mut above) = (below, above);
    for _ in 0..MOST_HALVINGS {
        let middle = below + (above - below) * 0.5;
        if middle == below || middle == above || !middle.is_finite() {
            break;
        }
        if is_below(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    below + (above - below) * 0.5
}

/// The first of `start`, `2 start`, `4 start`, … at which `is_below` is false; infinite if there is none.
pub(crate) fn beyond(start: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    let mut at = start;
    while at.is_finite() && is_below(at) {
        at *= 2.0;
    }
    at
}

/// The place and the value of the least value of a function with one valley between `low` and `high`.
pub(crate) fn minimise(low: f64, high: f64, function: impl Fn(f64) -> f64) -> (f64, f64) {
    let (mut low, mut high) = (low, high);
    let mut left = high - GOLDEN * (high - low);
    let mut right = low + GOLDEN * (high - low);
    let (mut at_left, mut at_right) = (function(left), function(right));
    for _ in 0..MOST_CUTS {
        if at_left < at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = function(left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = function(right);
        }
    }
    if at_left < at_right { (left, at_left) } else { (right, at_right) }
}

/// (√5 − 1)/2.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// From the widest interval of doubles to the narrowest.
const MOST_HALVINGS: u32 = 2200;
/// Each cut leaves 0.618 of the interval: 10⁻¹⁶ of it after these.
const MOST_CUTS: u32 = 77;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_to_the_last_bit_whatever_its_size() {
        for exponent in [-200, -3, 0, 5, 200] {
            let root = libm::pow(10.0, f64::from(exponent));
            let found = bisect(0.0, root * 3.0, |at| at < root);
            assert!((found / root - 1.0).abs() < 1e-15, "{found} for {root}");
        }
    }

    #[test]
    fn a_minimum_is_found() {
        let (at, value) = minimise(0.0, 10.0, |at| (at - 3.0) * (at - 3.0) + 1.0);
        assert!((at - 3.0).abs() < 1e-7 && (value - 1.0).abs() < 1e-14, "{at} {value}");
    }
}
