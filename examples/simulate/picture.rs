//! The report as a page of plots that needs no legend.

use plotters::{
    backend::SVGBackend,
    drawing::IntoDrawingArea as _,
    style::{RGBColor, WHITE, text_anchor::HPos},
};
use serinus_core::simulate::{Cell, Report, StrategyReport, Sweep};

use crate::{
    lanes,
    panel::{Area, Curve, Failure, GREY, INK, Names, Panel, Point, Scale, write},
    table::percent,
};

/// The page, as SVG.
pub(crate) fn of(report: &Report) -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let page = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        page.fill(&WHITE)?;
        let (head, plots) = page.split_vertically(HEAD);
        headline(&head, report)?;
        let areas = plots.margin(0, 8, 10, 10).split_evenly((2, 2));
        let [often, fast, dear, some] = areas.as_slice() else { return Ok(String::new()) };
        how_often(report).draw_in(often, report)?;
        how_fast(report).draw_in(fast, report)?;
        how_dear(report).draw_in(dear, report)?;
        if let Some(first) = report.strategies.first() {
            some_rollouts(some, report, first)?;
        }
        page.present()?;
    }
    Ok(svg)
}

fn headline(area: &Area<'_>, report: &Report) -> Result<(), Failure> {
    let title = match report.strategies.as_slice() {
        [only] => format!("{}: what it does before it ships", only.name),
        _ => "Who rolls back what, and when".to_owned(),
    };
    write(area, &title, (22, 34), 26, INK, HPos::Left)?;
    let world = &report.world;
    let world = format!(
        "{} simulated rollouts for each point, seed {}; {} requests per second, {} % of stable's requests fail",
        report.rollouts,
        report.seed,
        world.requests_per_second,
        percent(world.failure_rate),
    );
    write(area, &world, (22, 64), 14, GREY, HPos::Left)
}

/// A plot before the report's effects are written under it.
struct Plot {
    /// Whether healthy candidates are in it.
    with_healthy: bool,
    title: &'static str,
    remark: &'static str,
    scale: Scale,
    names: Names,
    curves: Vec<Curve>,
}

impl Plot {
    fn draw_in(self, area: &Area<'_>, report: &Report) -> Result<(), Failure> {
        let Self { with_healthy, title, remark, scale, names, curves } = self;
        let effects = effects_of(report, with_healthy);
        let axis = match report.sweep {
            Sweep::Latency => "how many times as long the candidate's answers take",
            _ => "how many times as often the candidate's requests fail",
        };
        Panel { title, remark, effects: &effects, axis, scale, names, curves }.draw(area)
    }
}

fn effects_of(report: &Report, with_healthy: bool) -> Vec<String> {
    let cells = report.strategies.first().map_or(&[][..], |strategy| &strategy.cells);
    let name = |cell: &Cell| {
        if cell.is_healthy { "healthy".to_owned() } else { format!("× {}", cell.effect) }
    };
    cells.iter().filter(|cell| with_healthy || !cell.is_healthy).map(name).collect()
}

fn how_often(report: &Report) -> Plot {
    let point = |cell: &Cell| {
        let share = cell.rolled_back;
        Some(Point { value: share.share, interval: Some((share.lower, share.upper)) })
    };
    let mut curves = curves(report, true, point);
    for (curve, strategy) in curves.iter_mut().zip(&report.strategies) {
        if let Some(first) = strategy.cells.first() {
            curve.name = format!("{}: {:.0} %", strategy.name, 100.0 * first.rolled_back.share);
        }
    }
    Plot {
        with_healthy: true,
        title: "How often it is rolled back",
        remark: "a healthy candidate should never be, a bad one always; thin bars: 95 % certain to be within",
        scale: Scale::Percent,
        names: Names::Left,
        curves,
    }
}

fn how_fast(report: &Report) -> Plot {
    // A median of a few that were rolled back says little about how fast a fault is found.
    let point = |cell: &Cell| {
        let spread =
            cell.minutes_to_rollback.filter(|_| !cell.is_healthy && cell.rolled_back.share >= 0.5)?;
        Some(Point { value: spread.median.max(SHORTEST), interval: None })
    };
    let curves = curves(report, false, point);
    Plot {
        with_healthy: false,
        title: "How many minutes that takes",
        remark: "median of those rolled back; shown where at least half are",
        scale: Scale::around(values(&curves)),
        names: Names::Right,
        curves,
    }
}

fn how_dear(report: &Report) -> Plot {
    let point = |cell: &Cell| Some(Point { value: cell.excess_failures.max(SHORTEST), interval: None });
    let curves = curves(report, false, point);
    Plot {
        with_healthy: false,
        title: "How many requests fail because of the candidate",
        remark: "mean of all rollouts, until the rollback or the promotion",
        scale: Scale::around(values(&curves)),
        names: Names::Right,
        curves,
    }
}

fn values(curves: &[Curve]) -> impl Iterator<Item = f64> {
    curves.iter().flat_map(|curve| &curve.points).flatten().map(|point| point.value)
}

fn curves(report: &Report, with_healthy: bool, point: impl Fn(&Cell) -> Option<Point>) -> Vec<Curve> {
    let strategies = report.strategies.iter().enumerate();
    strategies
        .map(|(index, strategy)| Curve {
            name: strategy.name.clone(),
            colour: COLOURS[index % COLOURS.len()],
            is_first: index == 0,
            points: strategy
                .cells
                .iter()
                .filter(|cell| with_healthy || !cell.is_healthy)
                .map(&point)
                .collect(),
        })
        .collect()
}

fn some_rollouts(area: &Area<'_>, report: &Report, strategy: &StrategyReport) -> Result<(), Failure> {
    let healthy = strategy.cells.iter().find(|cell| cell.is_healthy);
    let distance = |cell: &Cell| (cell.effect - 2.0).abs();
    let faulty = strategy
        .cells
        .iter()
        .filter(|cell| !cell.is_healthy)
        .min_by(|one, other| distance(one).total_cmp(&distance(other)));
    let worse = |cell: &Cell| match report.sweep {
        Sweep::Latency => format!("candidates {} times as slow", cell.effect),
        _ => format!("candidates that fail {} times as often", cell.effect),
    };
    let groups: Vec<_> = healthy
        .map(|cell| ("healthy candidates".to_owned(), cell))
        .into_iter()
        .chain(faulty.map(|cell| (worse(cell), cell)))
        .collect();
    lanes::draw(area, &format!("Some rollouts: {}", strategy.name), &groups)
}

/// Rollouts that are drawn one by one, for each effect.
pub(crate) const TRAILS: u64 = 6;
const SIZE: (u32, u32) = (1320, 1080);
const HEAD: u32 = 86;
/// Below this everything is at once, or nothing.
const SHORTEST: f64 = 0.1;
/// Told apart by people who see colours differently, too (after Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 90, 160),
    RGBColor(213, 94, 0),
    RGBColor(0, 140, 100),
    RGBColor(190, 90, 150),
    RGBColor(180, 125, 0),
    RGBColor(70, 150, 205),
    RGBColor(110, 110, 110),
    RGBColor(125, 75, 45),
];
