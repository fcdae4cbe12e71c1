//! Logarithm and exponential without branches, so that the compiler computes those of several ratios at once.
//!
//! Sums, products and quotients only, in one order: the same bits on every machine, as from `libm`, at less than half
//! the cost. The coefficients of the logarithm are those of FreeBSD's `log1p`.

/// `ln(1 + x)` for `x` from −1 + 10⁻³⁰⁰ to 10³⁰⁰, to two units in the last place.
#[inline]
pub(crate) fn ln_1p(x: f64) -> f64 {
    let whole = 1.0 + x;
    // whole = 2^exponent · mantissa, with the mantissa from √½ to √2.
    let shifted = whole.to_bits().wrapping_add(ONE - ROOT_OF_HALF);
    let scaled = f64::from_bits((shifted & MANTISSA).wrapping_add(ROOT_OF_HALF));
    // The exponent as a double, by way of the bits of 2⁵² + exponent.
    let exponent = f64::from_bits((shifted >> 52) | TWO_TO_52) - (4_503_599_627_370_496.0 + 1023.0);
    // Near 0 the sum has lost digits of x that the result needs.
    let near = x > -0.29 && x < 0.41;
    let f = if near { x } else { scaled - 1.0 };
    let exponent = if near { 0.0 } else { exponent };
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (LOG[1] + w * (LOG[3] + w * LOG[5]));
    let odd = z * (LOG[0] + w * (LOG[2] + w * (LOG[4] + w * LOG[6])));
    let half_square = 0.5 * f * f;
    let small = s * (half_square + (even + odd)) + exponent * LN_2_LOW;
    small - half_square + f + exponent * LN_2_HIGH
}

/// `exp(x)` for `x` from −700 to 700, to two units in the last place.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    // Adding 1.5 · 2⁵² rounds to a whole number, which then stands in the last bits.
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let r = x - whole * LN_2_HIGH - whole * LN_2_LOW;
    // The series of the exponential, in a tree rather than in a chain.
    let (r2, c) = (r * r, &INVERSE_FACTORIALS);
    let r4 = r2 * r2;
    let first = (c[0] + c[1] * r) + (c[2] + c[3] * r) * r2;
    let second = (c[4] + c[5] * r) + (c[6] + c[7] * r) * r2;
    let third = (c[8] + c[9] * r) + (c[10] + c[11] * r) * r2;
    let fourth = c[12] + c[13] * r;
    let sum = (first + second * r4) + (third + fourth * r4) * (r4 * r4);
    sum * f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

/// `ln Σ exp(weight + sum)`, four terms at a time.
#[inline]
pub(super) fn log_mixture(ln_weights: &[f64], sums: &[f64]) -> f64 {
    let (weights, more_weights) = ln_weights.as_chunks::<4>();
    let (sums, more_sums) = sums.as_chunks::<4>();
    let chunks = weights
        .iter()
        .zip(sums)
        .map(|(weights, sums)| std::array::from_fn(|lane| weights[lane] + sums[lane]));
    log_sum_exp::<4>(chunks, more_weights.iter().zip(more_sums).map(|(weight, sum)| weight + sum))
}

/// `ln Σ exp(x)`, for terms that need two passes. Four sums go beside one another, which are added at the end: one after
/// the other each addition would wait for the one before.
#[inline]
pub(super) fn log_sum_exp<const LANES: usize>(
    chunks: impl Iterator<Item = [f64; LANES]> + Clone,
    rest: impl Iterator<Item = f64> + Clone,
) -> f64 {
    let greater = |a: f64, b: f64| if b > a { b } else { a };
    let mut most = [f64::NEG_INFINITY; LANES];
    for chunk in chunks.clone() {
        most = std::array::from_fn(|lane| greater(most[lane], chunk[lane]));
    }
    let most = rest.clone().chain(most).fold(f64::NEG_INFINITY, greater);
    if most.is_infinite() {
        return most;
    }
    let term = |x: f64| exp(greater(NEGLIGIBLE, x - most));
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        let terms: [f64; LANES] = std::array::from_fn(|lane| term(chunk[lane]));
        sums = std::array::from_fn(|lane| sums[lane] + terms[lane]);
    }
    most + libm::log(sums.into_iter().chain(rest.map(term)).sum())
}

const ONE: u64 = 0x3ff0_0000_0000_0000;
/// The bits of √½, rounded down.
const ROOT_OF_HALF: u64 = 0x3fe6_a09e_0000_0000;
const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts, of which the first has zeros for its last 32 bits.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const LOG: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];
/// What lies further below the greatest term does not reach the last bit of the sum.
const NEGLIGIBLE: f64 = -60.0;
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0,
    1.0,
    0.5,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_libm_to_the_last_digits() {
        let mut x = -1.0 + 1e-15;
        while x < 1e300 {
            let (own, known) = (ln_1p(x), libm::log1p(x));
            assert!((own - known).abs() <= 6e-16 * known.abs(), "{x}: {own} {known}");
            x = if x.abs() < 1e-18 {
                1e-18
            } else if x < 0.0 {
                x * 0.999
            } else {
                x * 1.01
            };
        }
        assert_eq!(ln_1p(0.0), 0.0);
        for step in -70_000..=70_000 {
            let x = f64::from(step) / 100.0;
            let (own, known) = (exp(x), libm::exp(x));
            assert!((own - known).abs() <= 6e-16 * known, "{x}: {own} {known}");
        }
        assert_eq!(exp(0.0), 1.0);
    }
}
