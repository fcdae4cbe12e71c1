//! Where a function of one variable is zero.

/// A zero of `function` between `from` and `to`, to the last bits of `f64`; `None` if both ends have the same sign or
/// a value is NaN.
///
/// Inverse quadratic interpolation where it is safe, bisection elsewhere (Chandrupatla 1997). The tolerance is
/// relative: an absolute one would make the answer depend on the unit.
pub(crate) fn zero(mut function: impl FnMut(f64) -> f64, from: f64, to: f64) -> Option<f64> {
    let (mut b, mut a) = (from, to);
    let (mut at_b, mut at_a) = (function(b), function(a));
    if at_a == 0.0 {
        return Some(a);
    }
    if at_b == 0.0 {
        return Some(b);
    }
    if at_a.is_nan() || at_b.is_nan() || at_a.is_sign_positive() == at_b.is_sign_positive() {
        return None;
    }
    let mut share = 0.5;
    for _ in 0..MOST_STEPS {
        let x = a + share * (b - a);
        let at_x = function(x);
        if at_x.is_nan() {
            return None;
        }
        let (c, at_c);
        if at_x.is_sign_positive() == at_a.is_sign_positive() {
            (c, at_c) = (a, at_a);
        } else {
            (c, at_c) = (b, at_b);
            (b, at_b) = (a, at_a);
        }
        (a, at_a) = (x, at_x);
        let (best, at_best) = if at_a.abs() < at_b.abs() { (a, at_a) } else { (b, at_b) };
        let tolerance = 2.0 * f64::EPSILON * best.abs() + f64::MIN_POSITIVE;
        let least_share = tolerance / (b - a).abs();
        if at_best == 0.0 || least_share > 0.5 {
            return Some(best);
        }
        let position = (a - b) / (c - b);
        let height = (at_a - at_b) / (at_c - at_b);
        share = if height * height < position && (1.0 - height) * (1.0 - height) < 1.0 - position {
            at_a / (at_b - at_a) * at_c / (at_b - at_c)
                + (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        } else {
            0.5
        };
        share = if share.is_finite() { share.clamp(least_share, 1.0 - least_share) } else { 0.5 };
    }
    Some(a)
}

/// A zero of an increasing or decreasing `function`, looked for from `start` outwards in steps that double.
pub(crate) fn zero_around(mut function: impl FnMut(f64) -> f64, start: f64, step: f64) -> Option<f64> {
    let at_start = function(start);
    if at_start == 0.0 {
        return Some(start);
    }
    let (mut below, mut above, mut step) = (start, start, step);
    for _ in 0..MOST_DOUBLINGS {
        let (lower, upper) = (below - step, above + step);
        let (at_lower, at_upper) = (function(lower), function(upper));
        if at_lower.is_sign_positive() != at_start.is_sign_positive() && !at_lower.is_nan() {
            return zero(function, lower, below);
        }
        if at_upper.is_sign_positive() != at_start.is_sign_positive() && !at_upper.is_nan() {
            return zero(function, above, upper);
        }
        (below, above, step) = (lower, upper, step * 2.0);
    }
    None
}

const MOST_STEPS: usize = 300;
const MOST_DOUBLINGS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_found_to_the_last_bits_in_any_unit() {
        for scale in [1e-200, 1e-9, 1.0, 1e200] {
            let found = zero(|x| x / scale * (x / scale) - 2.0, 0.0, 10.0 * scale).unwrap();
            assert!((found / scale - 2.0_f64.sqrt()).abs() < 1e-15, "{found}");
        }
    }

    #[test]
    fn no_change_of_sign_and_nan_give_nothing() {
        assert_eq!(zero(|x| x * x + 1.0, -1.0, 1.0), None);
        assert_eq!(zero(|_| f64::NAN, -1.0, 1.0), None);
        assert_eq!(zero_around(|_| 1.0, 0.0, 1.0), None);
    }

    #[test]
    fn a_zero_far_away_is_found() {
        let found = zero_around(|x| x + 1e6, 3.0, 0.5).unwrap();
        assert!((found + 1e6).abs() < 1e-6);
    }
}
