//! Integrals by Gauss-Legendre rules on panels.

/// Points and weights of a rule with `panels` panels of sixteen points each on `[from, to]`.
///
/// It integrates exactly any function that is a polynomial of degree 31 within each panel; a smooth function whose
/// scale is at least a third of a panel is integrated to about 1e-14.
pub(crate) fn points(from: f64, to: f64, panels: usize) -> Vec<(f64, f64)> {
    let rule = rule();
    let panels = panels.max(1);
    let half = (to - from) / (2.0 * panels as f64);
    let mut points = Vec::with_capacity(panels * rule.len());
    for panel in 0..panels {
        let middle = from + half * (2 * panel + 1) as f64;
        points.extend(rule.iter().map(|(x, weight)| (middle + half * x, half * weight)));
    }
    points
}

/// The rule of sixteen points on `[-1, 1]`: the zeros of the Legendre polynomial, by Newton's method.
fn rule() -> [(f64, f64); ORDER] {
    let mut rule = [(0.0, 0.0); ORDER];
    for index in 0..ORDER / 2 {
        let mut x = libm::cos(std::f64::consts::PI * (index as f64 + 0.75) / (ORDER as f64 + 0.5));
        let mut slope = 1.0;
        for _ in 0..8 {
            let (mut before, mut now) = (1.0, x);
            for degree in 2..=ORDER {
                let degree = degree as f64;
                (before, now) = (now, ((2.0 * degree - 1.0) * x * now - (degree - 1.0) * before) / degree);
            }
            slope = ORDER as f64 * (x * now - before) / (x * x - 1.0);
            x -= now / slope;
        }
        let weight = 2.0 / ((1.0 - x * x) * slope * slope);
        rule[index] = (-x, weight);
        rule[ORDER - 1 - index] = (x, weight);
    }
    rule
}

const ORDER: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_and_a_bell_are_integrated_to_the_last_digits() {
        let exponential: f64 = points(0.0, 1.0, 1).iter().map(|(x, weight)| weight * x.exp()).sum();
        assert!((exponential - (1_f64.exp() - 1.0)).abs() < 1e-15);
        let bell: f64 = points(-9.0, 9.0, 6).iter().map(|(x, weight)| weight * (-x * x / 2.0).exp()).sum();
        assert!((bell - (2.0 * std::f64::consts::PI).sqrt()).abs() < 1e-14);
    }
}
