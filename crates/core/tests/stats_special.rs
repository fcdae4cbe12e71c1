//! The special functions have the values that fifty digits give, and statrs those that it can.

use serinus_core::stats::special::{
    beta_lower, beta_quantile, beta_upper, chi_squared_sf, gamma_lower, gamma_upper, lambert_w_minus_1,
    ln_beta, ln_choose, ln_gamma, ln_normal_cdf, normal_cdf, normal_quantile, student_t_quantile,
    student_t_sf,
};
use statrs::distribution::{Beta, ChiSquared, ContinuousCDF, Normal, StudentsT};

#[test]
fn values_agree_with_fifty_digits() {
    for &(function, [a, b, x], expected) in VALUES {
        let value = match function {
            "beta_lower" => beta_lower(a, b, x),
            "beta_upper" => beta_upper(a, b, x),
            "gamma_lower" => gamma_lower(a, b),
            "gamma_upper" => gamma_upper(a, b),
            "lambert_w_minus_1" => lambert_w_minus_1(a),
            "ln_beta" => ln_beta(a, b),
            "ln_gamma" => ln_gamma(a),
            "ln_normal_cdf" => ln_normal_cdf(a),
            "normal_cdf" => normal_cdf(a),
            "normal_quantile" => normal_quantile(a),
            "student_t_sf" => student_t_sf(a, b),
            other => panic!("no function {other}"),
        };
        let error = (value / expected - 1.0).abs();
        let allowed = if a.max(b) > 1e5 { 1e-10 } else { 1e-12 };
        assert!(error <= allowed, "{function}({a}, {b}, {x}) is {value:e}, not {expected:e}");
    }
}

#[test]
fn statrs_agrees_where_it_is_right() {
    let normal = Normal::new(0.0, 1.0).unwrap();
    for x in [-6.0, -2.5, -0.3, 0.0, 1.0, 3.0] {
        assert!((normal_cdf(x) / normal.cdf(x) - 1.0).abs() < 1e-9, "{x}");
    }
    for (freedom, x) in [(1.0, 3.84), (2.0, 9.0), (10.0, 4.0), (100.0, 130.0)] {
        let theirs = ChiSquared::new(freedom).unwrap().sf(x);
        assert!((chi_squared_sf(x, freedom) / theirs - 1.0).abs() < 1e-10, "{freedom} {x}");
    }
    for (freedom, t) in [(1.0, 2.0), (3.5, -1.0), (30.0, 4.0), (1e4, 2.0)] {
        let theirs = StudentsT::new(0.0, 1.0, freedom).unwrap().sf(t);
        assert!((student_t_sf(t, freedom) / theirs - 1.0).abs() < 1e-9, "{freedom} {t}");
    }
    for (a, b, x) in [(2.0, 3.0, 0.4), (0.5, 0.5, 0.1), (20.0, 300.0, 0.05), (1000.0, 1000.0, 0.51)] {
        let theirs = Beta::new(a, b).unwrap().cdf(x);
        assert!((beta_lower(a, b, x) / theirs - 1.0).abs() < 1e-9, "{a} {b} {x}");
    }
}

#[test]
fn the_incomplete_beta_of_statrs_is_wrong_where_ours_is_right() {
    // By symmetry a half, exactly.
    assert!((beta_lower(1e6, 1e6, 0.5) - 0.5).abs() < 1e-13);
    let theirs = Beta::new(1e6, 1e6).unwrap().cdf(0.5);
    assert!((theirs - 0.5).abs() > 1e-3, "statrs gives {theirs}: it has learnt it, and may be used");
}

#[test]
fn quantiles_undo_their_distributions() {
    for p in [1e-300, 1e-20, 1e-3, 0.2, 0.5, 0.7, 0.975] {
        assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-12, "{p}");
        for freedom in [1.0, 2.5, 30.0, 1e6] {
            // Of one degree of freedom the tail of 1e-300 lies where squares overflow.
            if p < 1e-200 && freedom < 30.0 {
                continue;
            }
            let t = student_t_quantile(p, freedom);
            assert!((student_t_sf(-t, freedom) / p - 1.0).abs() < 1e-11, "{p} {freedom} {t}");
        }
        for (a, b) in [(1.0, 1.0), (0.5, 20.0), (30.0, 2.0), (1e5, 1e7)] {
            let x = beta_quantile(a, b, p);
            if 1e-300 < x && x < 0.999 {
                assert!((beta_lower(a, b, x) / p - 1.0).abs() < 1e-9, "{p} {a} {b} {x}");
            }
        }
    }
}

#[test]
fn the_two_tails_make_one_and_grow_with_their_argument() {
    for (a, b) in [(0.5_f64, 0.5_f64), (3.0, 1000.0), (2e5, 3e5), (2e7, 5e8), (4e9, 4e9), (1e18, 3e18)] {
        let mean = a / (a + b);
        let deviation = f64::sqrt(mean * (1.0 - mean) / (a + b));
        let mut before = 0.0;
        for step in -80..=80 {
            let x = (mean + f64::from(step) * 0.1 * deviation).clamp(0.0, 1.0);
            let (lower, upper) = (beta_lower(a, b, x), beta_upper(a, b, x));
            assert!((lower + upper - 1.0).abs() < 1e-12, "{a} {b} {x}: {lower} {upper}");
            assert!(lower >= before * (1.0 - 1e-9), "{a} {b} {x}: {lower} after {before}");
            before = lower;
        }
    }
    for a in [0.5, 10.0, 1e5, 9.9e6, 1.1e7, 1e12] {
        let mut before = 0.0;
        for step in -80..=80 {
            let x = (a + f64::from(step) * 0.1 * f64::sqrt(a)).max(0.0);
            let (lower, upper) = (gamma_lower(a, x), gamma_upper(a, x));
            assert!((lower + upper - 1.0).abs() < 1e-12, "{a} {x}: {lower} {upper}");
            assert!(lower >= before * (1.0 - 1e-9), "{a} {x}: {lower} after {before}");
            before = lower;
        }
    }
}

#[test]
fn nothing_panics_or_hangs_outside_the_domain() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, f64::MIN_POSITIVE, 1.0, 1e18, f64::MAX];
    for a in odd {
        for b in odd {
            for x in odd {
                let _ = (beta_lower(a, b, x), beta_quantile(a, b, x));
            }
            let _ = (gamma_lower(a, b), student_t_sf(a, b), student_t_quantile(a, b), ln_beta(a, b));
            let _ = ln_choose(a, b);
        }
        let _ = (ln_gamma(a), normal_cdf(a), ln_normal_cdf(a), normal_quantile(a), lambert_w_minus_1(a));
    }
    assert!(beta_lower(-1.0, 2.0, 0.5).is_nan());
    assert!(gamma_lower(f64::NAN, 1.0).is_nan());
    assert!(normal_quantile(1.5).is_nan());
    assert!(lambert_w_minus_1(0.1).is_nan());
}

const VALUES: &[(&str, [f64; 3], f64)] = &[
    ("normal_cdf", [1.0, 0.0, 0.0], 0.8413447460685429),
    ("normal_cdf", [2.5, 0.0, 0.0], 0.9937903346742238),
    ("normal_cdf", [0.3, 0.0, 0.0], 0.6179114221889527),
    ("normal_cdf", [-5.0, 0.0, 0.0], 2.866515718791939e-07),
    ("normal_cdf", [-0.01, 0.0, 0.0], 0.4960106436853684),
    ("normal_cdf", [-1.0, 0.0, 0.0], 0.15865525393145705),
    ("normal_cdf", [8.0, 0.0, 0.0], 0.9999999999999993),
    ("normal_cdf", [-14.1, 0.0, 0.0], 1.8988485212291758e-45),
    ("normal_cdf", [30.0, 0.0, 0.0], 1.0),
    ("normal_cdf", [-37.0, 0.0, 0.0], 5.725571222524577e-300),
    ("normal_cdf", [-13.9, 0.0, 0.0], 3.167068268130779e-44),
    ("ln_normal_cdf", [0.3, 0.0, 0.0], -0.4814101615884812),
    ("ln_normal_cdf", [-14.1, 0.0, 0.0], -102.97508152373534),
    ("ln_normal_cdf", [-0.01, 0.0, 0.0], -0.7011578934443701),
    ("ln_normal_cdf", [-13.9, 0.0, 0.0], -100.16093776832581),
    ("ln_normal_cdf", [-40.0, 0.0, 0.0], -804.6084420137538),
    ("ln_normal_cdf", [-1000.0, 0.0, 0.0], -500007.82669481216),
    ("ln_normal_cdf", [8.0, 0.0, 0.0], -6.220960574271786e-16),
    ("ln_normal_cdf", [-1.0, 0.0, 0.0], -1.8410216450092636),
    ("ln_normal_cdf", [1.0, 0.0, 0.0], -0.17275377902344988),
    ("ln_normal_cdf", [30.0, 0.0, 0.0], -4.906713927148187e-198),
    ("ln_normal_cdf", [-5.0, 0.0, 0.0], -15.064998393988725),
    ("ln_normal_cdf", [2.5, 0.0, 0.0], -0.006229025485860002),
    ("normal_quantile", [0.41, 0.0, 0.0], -0.22754497664114948),
    ("normal_quantile", [1e-300, 0.0, 0.0], -37.0470962993612),
    ("normal_quantile", [0.975, 0.0, 0.0], 1.9599639845400538),
    ("normal_quantile", [0.61, 0.0, 0.0], 0.27931903444745415),
    ("normal_quantile", [0.50001, 0.0, 0.0], 2.506628274882086e-05),
    ("normal_quantile", [0.3, 0.0, 0.0], -0.5244005127080408),
    ("normal_quantile", [0.999999, 0.0, 0.0], 4.753424308817087),
    ("normal_quantile", [1e-100, 0.0, 0.0], -21.273453560965326),
    ("normal_quantile", [0.45, 0.0, 0.0], -0.12566134685507402),
    ("normal_quantile", [1e-10, 0.0, 0.0], -6.361340902404057),
    ("normal_quantile", [0.4999, 0.0, 0.0], -0.00025066283008800747),
    ("normal_quantile", [0.39, 0.0, 0.0], -0.27931903444745415),
    ("ln_gamma", [1000000000000000.0, 0.0, 0.0], 3.3538776394910668e+16),
    ("ln_gamma", [1000000000.0, 0.0, 0.0], 19723265827.503716),
    ("ln_gamma", [10.0, 0.0, 0.0], 12.801827480081469),
    ("ln_gamma", [0.9999, 0.0, 0.0], 5.7729791561193866e-05),
    ("ln_gamma", [1.5, 0.0, 0.0], -0.12078223763524522),
    ("ln_gamma", [0.001, 0.0, 0.0], 6.907178885383853),
    ("ln_gamma", [9.99, 0.0, 0.0], 12.779315214350193),
    ("ln_gamma", [2.0001, 0.0, 0.0], 4.2281658112919945e-05),
    ("ln_gamma", [1234.5, 0.0, 0.0], 7550.550901077895),
    ("ln_gamma", [1.0000001, 0.0, 0.0], -5.772155829918507e-08),
    ("ln_gamma", [1e-08, 0.0, 0.0], 18.42068073818021),
    ("ln_gamma", [0.5, 0.0, 0.0], 0.5723649429247001),
    ("ln_beta", [100000.0, 100000.0, 0.0], -138633.92706134808),
    ("ln_beta", [3.0, 3.0, 0.0], -3.4011973816621555),
    ("ln_beta", [3.0, 100000.0, 0.0], -33.84565921410074),
    ("ln_beta", [0.001, 3.0, 0.0], 6.906255903607402),
    ("ln_beta", [0.001, 1000.0, 0.0], 6.900271629687955),
    ("ln_beta", [1000.0, 1000.0, 0.0], -1388.4826016359023),
    ("ln_beta", [0.5, 3.0, 0.0], 0.06453852113757118),
    ("ln_beta", [10.0, 100000.0, 0.0], -102.3278771553715),
    ("ln_beta", [0.5, 10.0, 0.0], -0.5664327963975939),
    ("ln_beta", [1.0, 100000.0, 0.0], -11.512925464970229),
    ("ln_beta", [1.0, 3.0, 0.0], -1.0986122886681098),
    ("ln_beta", [0.001, 100000.0, 0.0], 6.895665964913892),
    ("beta_lower", [1000000000.0, 1000000000.0, 0.50004472135955], 0.999968328759171),
    ("beta_lower", [10000000.0, 1000000000.0, 0.009897874669428082], 0.1586552500171336),
    ("beta_lower", [1000000000.0, 1000000000.0, 0.5000000335410196], 0.5011968250445995),
    ("beta_lower", [3000000.0, 5000000.0, 0.3736306936062371], 6.029259165695669e-16),
    ("beta_lower", [100000000.0, 100000000.0, 0.5001414213562373], 0.9999683287682041),
    ("beta_lower", [1000000000.0, 1000000000.0, 0.4999105572809], 6.220957391317727e-16),
    ("beta_lower", [100000000.0, 100000000.0, 0.49971715728752536], 6.220928745008291e-16),
    ("beta_lower", [3000000.0, 5000000.0, 0.37482883670077966], 0.15865525258592303),
    ("beta_lower", [0.5, 10.0, 0.42440788955949726], 0.9989779138228644),
    ("beta_lower", [100000.0, 3.0, 0.9999701740963939], 0.4270851198704926),
    ("beta_lower", [10.0, 3.0, 0.7703568077764791], 0.4561362161865896),
    ("beta_lower", [1000.0, 1000.0, 0.27644908299505205], 2.7753236835193483e-99),
    ("beta_lower", [1000.0, 1000.0, 0.5001117754585025], 0.5039878609353043),
    ("beta_lower", [3.0, 10.0, 0.9063923581951383], 0.9999999971461077),
    ("beta_lower", [1000.0, 3.0, 0.9918386927305931], 0.011733184367456483),
    ("beta_lower", [1000.0, 3.0, 0.9970262073485916], 0.42741531542810124),
    ("beta_upper", [9900000.0, 1000000000.0, 0.00979985051348626], 0.8413447500236171),
    ("beta_upper", [100000000.0, 100000000.0, 0.5000001060660172], 0.4988031749553778),
    ("beta_upper", [10000.0, 1000000000.0, 9.899901500981241e-06], 0.8413488076846387),
    ("beta_upper", [1000000000.0, 1000000000.0, 0.4999105572809], 0.9999999999999993),
    ("beta_upper", [1000000.0, 1000000.0, 0.5014142135623731], 3.167023811690903e-05),
    ("beta_upper", [100.5, 1000000000.0, 2.0300251366808214e-08], 1.0),
    ("beta_upper", [3000000.0, 5000000.0, 0.37568465319688144], 3.179332806508019e-05),
    ("beta_upper", [3000000.0, 5000000.0, 0.3736306936062371], 0.9999999999999994),
    ("beta_upper", [1000.0, 10.0, 0.9901301487853328], 0.5374877839721496),
    ("beta_upper", [1000.0, 3.0, 0.9970262073485916], 0.5725846845718987),
    ("beta_upper", [100000.0, 10.0, 0.9999003261777571], 0.5381015219314278),
    ("beta_upper", [0.5, 10.0, 0.0482470290222817], 0.32600840009306914),
    ("beta_upper", [100000.0, 1.0, 0.999990100097999], 0.6284214884449061),
    ("beta_upper", [0.5, 1000.0, 0.0005068123642876282], 0.3140351898596126),
    ("beta_upper", [1000.0, 0.5, 0.9853757711748685], 0.9999999428311243),
    ("beta_upper", [100000.0, 100000.0, 0.5067081871620525], 9.850848334918405e-10),
    ("gamma_lower", [1000000000.0, 999747017.7871865, 0.0], 6.187493511900028e-16),
    ("gamma_lower", [9900000.0, 9874828.587643916, 0.0], 5.892125106578258e-16),
    ("gamma_lower", [1000000000.0, 1000015811.3883009, 0.0], 0.6914652445935727),
    ("gamma_lower", [100000000.0, 99990000.0, 0.0], 0.15865525352814383),
    ("gamma_lower", [9900000.0, 9900009.439279633, 0.0], 0.5012390885251999),
    ("gamma_lower", [1000000.0, 992000.0, 0.0], 5.24012281543083e-16),
    ("gamma_lower", [9900000.0, 9896853.57345549, 0.0], 0.15865524985700316),
    ("gamma_lower", [100000000.0, 100000030.0, 0.0], 0.50121012294146),
    ("gamma_lower", [1000.0, 1000.3162277660168, 0.0], 0.5081936374909919),
    ("gamma_lower", [3.0, 1.2679491924311228, 0.0], 0.13557137117993442),
    ("gamma_lower", [10.0, 10.031622776601683, 0.0], 0.5460203042151527),
    ("gamma_lower", [1000.0, 968.3772233983162, 0.0], 0.15861399679200125),
    ("gamma_lower", [10.0, 6.83772233983162, 0.0], 0.15343696063860646),
    ("gamma_lower", [1000.0, 1015.8113883008419, 0.0], 0.6942439328184478),
    ("gamma_lower", [100000.0, 100000.0, 0.0], 0.5004205221103651),
    ("gamma_lower", [10.0, 104.86832980505139, 0.0], 1.0),
    ("gamma_upper", [9900000.0, 9901573.213272255, 0.0], 0.3085095654847553),
    ("gamma_upper", [1000000000.0, 999968377.2233983, 0.0], 0.8413447461087834),
    ("gamma_upper", [100000000.0, 100000030.0, 0.0], 0.4987898770585401),
    ("gamma_upper", [100000000.0, 100040000.0, 0.0], 3.173820736880889e-05),
    ("gamma_upper", [1000000.0, 992000.0, 0.0], 0.9999999999999994),
    ("gamma_upper", [10000000.0, 10000009.48683298, 0.0], 0.49876112332304107),
    ("gamma_upper", [100000000.0, 99990000.0, 0.0], 0.8413447464718562),
    ("gamma_upper", [1000000.0, 1004000.0, 0.0], 3.234544731347768e-05),
    ("gamma_upper", [1000.0, 999.6837722339832, 0.0], 0.49978441053919914),
    ("gamma_upper", [1000.0, 1000.3162277660168, 0.0], 0.4918063625090081),
    ("gamma_upper", [1.0, 31.0, 0.0], 3.442477108469977e-14),
    ("gamma_upper", [10.0, 19.486832980505138, 0.0], 0.006717833440803303),
    ("gamma_upper", [0.5, 0.8535533905932737, 0.0], 0.19136118154086168),
    ("gamma_upper", [1000.0, 367.5444679663242, 0.0], 1.0),
    ("gamma_upper", [10.0, 9.968377223398317, 0.0], 0.4618922437036997),
    ("gamma_upper", [1000.0, 1015.8113883008419, 0.0], 0.30575606718155224),
    ("student_t_sf", [9.0, 1000000000.0, 0.0], 1.1285903025735564e-19),
    ("student_t_sf", [9.0, 1000000.0, 0.0], 1.13048651674643e-19),
    ("student_t_sf", [1.0, 1000000000.0, 0.0], 0.1586552540524424),
    ("student_t_sf", [12.0, 1000000000.0, 0.0], 1.7764914488705717e-33),
    ("student_t_sf", [2.0, 1000000.0, 0.0], 0.022750266925659603),
    ("student_t_sf", [2.0, 1000000000.0, 0.0], 0.022750132083156623),
    ("student_t_sf", [12.0, 3.7, 0.0], 0.0002133936996906225),
    ("student_t_sf", [0.5, 0.5, 0.0], 0.3786590364647183),
    ("student_t_sf", [12.0, 100.0, 0.0], 2.197543857802189e-21),
    ("student_t_sf", [9.0, 10000.0, 0.0], 1.3339216347343313e-19),
    ("student_t_sf", [9.0, 3.7, 0.0], 0.0006006904265500679),
    ("student_t_sf", [35.0, 10.0, 0.0], 4.297404277991815e-12),
    ("lambert_w_minus_1", [-0.3678, 0.0, 0.0], -1.0209272394094255),
    ("lambert_w_minus_1", [-1e-300, 0.0, 0.0], -697.3227762954601),
    ("lambert_w_minus_1", [-0.36, 0.0, 0.0], -1.2227701339785062),
    ("lambert_w_minus_1", [-1e-10, 0.0, 0.0], -26.295238819246926),
    ("lambert_w_minus_1", [-0.001, 0.0, 0.0], -9.11800647040274),
    ("lambert_w_minus_1", [-0.36787944, 0.0, 0.0], -1.0000798057615958),
    ("lambert_w_minus_1", [-0.1, 0.0, 0.0], -3.577152063957297),
    ("lambert_w_minus_1", [-0.3, 0.0, 0.0], -1.7813370234216277),
];
