//! Brent's search for a root, as R and Kayenta stop it: at an absolute tolerance.

/// A root between `low` and `high` within an absolute `tolerance`, or whatever was reached after a thousand steps.
///
/// On a step function the answer depends on the path, so the order of operations is that of Brent's `zeroin` (1973),
/// with the caller's values at the ends.
pub(crate) fn root(low: f64, high: f64, tolerance: f64, mut function: impl FnMut(f64) -> f64) -> f64 {
    let mut previous = Point { x: low, y: function(low) };
    let mut best = Point { x: high, y: function(high) };
    if previous.y == 0.0 {
        return previous.x;
    }
    if best.y == 0.0 {
        return best.x;
    }
    let mut opposite = previous;
    for _ in 0..=MOST_STEPS {
        let last_step = best.x - previous.x;
        if opposite.y.abs() < best.y.abs() {
            previous = best;
            best = opposite;
            opposite = previous;
        }
        let near = 2.0 * f64::EPSILON * best.x.abs() + tolerance / 2.0;
        let mut step = (opposite.x - best.x) / 2.0;
        if step.abs() <= near || best.y == 0.0 {
            return best.x;
        }
        if last_step.abs() >= near
            && previous.y.abs() > best.y.abs()
            && let Some(interpolated) = interpolate(previous, best, opposite, last_step, near)
        {
            step = interpolated;
        }
        if step.abs() < near {
            step = if step > 0.0 { near } else { -near };
        }
        previous = best;
        best.x += step;
        best.y = function(best.x);
        if (best.y > 0.0 && opposite.y > 0.0) || (best.y < 0.0 && opposite.y < 0.0) {
            opposite = previous;
        }
    }
    best.x
}

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

/// The step by a straight line or an inverse parabola, if it stays well inside the bracket and shrinks.
fn interpolate(previous: Point, best: Point, opposite: Point, last_step: f64, tolerance: f64) -> Option<f64> {
    let width = opposite.x - best.x;
    let (mut dividend, mut divisor);
    if previous.x == opposite.x {
        let ratio = best.y / previous.y;
        dividend = width * ratio;
        divisor = 1.0 - ratio;
    } else {
        let (far, near, both) = (previous.y / opposite.y, best.y / opposite.y, best.y / previous.y);
        dividend = both * (width * far * (far - near) - (best.x - previous.x) * (near - 1.0));
        divisor = (far - 1.0) * (near - 1.0) * (both - 1.0);
    }
    if dividend > 0.0 {
        divisor = -divisor;
    } else {
        dividend = -dividend;
    }
    let inside = dividend < 0.75 * width * divisor - (tolerance * divisor).abs() / 2.0;
    let shrinks = dividend < (last_step * divisor / 2.0).abs();
    (inside && shrinks).then(|| dividend / divisor)
}

const MOST_STEPS: usize = 1000;
