//! One plot: curves over the size of the effect, each with its name beside it.

use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind},
    element::{Circle, PathElement, Text},
    style::{
        Color as _, IntoFont as _, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// A part of the page.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// What drawing may fail with: nothing, as it goes to a text.
pub(crate) type Failure = DrawingAreaErrorKind<std::io::Error>;

/// Curves over the size of the effect.
pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    pub(crate) remark: &'a str,
    /// Under each place on the horizontal axis.
    pub(crate) effects: &'a [String],
    pub(crate) axis: &'a str,
    pub(crate) scale: Scale,
    /// Where names stand: where the curves lie furthest apart.
    pub(crate) names: Names,
    pub(crate) curves: Vec<Curve>,
}

/// A line with a name.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) is_first: bool,
    /// One for each effect; none where there is nothing to show.
    pub(crate) points: Vec<Option<Point>>,
}

/// A value, with its interval.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
}

/// The vertical axis.
#[derive(Clone, Copy)]
pub(crate) enum Scale {
    /// Shares from 0 to 1, in percent.
    Percent,
    /// From the first to the second by factors.
    Factors(f64, f64),
}

/// Where the names of curves stand.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Names {
    /// Before their first point.
    Left,
    /// After their last point.
    Right,
}

impl Panel<'_> {
    pub(crate) fn draw(&self, area: &Area<'_>) -> Result<(), Failure> {
        let frame = self.frame(area);
        write(area, self.title, (12, 20), 17, INK, HPos::Left)?;
        write(area, self.remark, (12, 40), 12, GREY, HPos::Left)?;
        for tick in self.scale.ticks() {
            let y = frame.y(self.scale.height(tick));
            area.draw(&PathElement::new(vec![(frame.left, y), (frame.right, y)], FAINT))?;
            let (x, side) = match self.names {
                Names::Left => (frame.right + 6, HPos::Left),
                Names::Right => (frame.left - 6, HPos::Right),
            };
            write(area, &self.scale.name(tick), (x, y), 12, GREY, side)?;
        }
        for (index, effect) in self.effects.iter().enumerate() {
            let below = (frame.x(index, self.effects.len()), frame.bottom + 20);
            write(area, effect, below, 12, INK, HPos::Center)?;
        }
        let middle = ((frame.left + frame.right) / 2, frame.bottom + 40);
        write(area, self.axis, middle, 12, GREY, HPos::Center)?;
        // The first is drawn last, above the others.
        for curve in self.curves.iter().rev() {
            self.draw_curve(area, &frame, curve)?;
        }
        self.draw_names(area, &frame)
    }

    fn frame(&self, area: &Area<'_>) -> Frame {
        let (width, height) = area.dim_in_pixel();
        let (width, height) = (width as i32, height as i32);
        let longest = self.curves.iter().map(|curve| curve.name.chars().count()).max().unwrap_or(0);
        let for_names = (longest as i32 * LETTER + 30).clamp(60, width / 2);
        let (left, right) = match self.names {
            Names::Left => (for_names, width - 56),
            Names::Right => (56, width - for_names),
        };
        Frame { left, right, top: 72, bottom: height - 52 }
    }

    fn draw_curve(&self, area: &Area<'_>, frame: &Frame, curve: &Curve) -> Result<(), Failure> {
        let places: Vec<_> = (0..curve.points.len())
            .map(|index| (frame.x(index, curve.points.len()), curve.points[index]))
            .filter_map(|(x, point)| Some((x, point?)))
            .collect();
        let y = |value| frame.y(self.scale.height(value));
        let style = curve.colour.stroke_width(if curve.is_first { 3 } else { 2 });
        for (x, point) in &places {
            if let Some((lower, upper)) = point.interval {
                area.draw(&PathElement::new(vec![(*x, y(lower)), (*x, y(upper))], curve.colour.mix(0.5)))?;
            }
            let size = if curve.is_first { 5 } else { 3 };
            area.draw(&Circle::new((*x, y(point.value)), size, curve.colour.filled()))?;
        }
        let line: Vec<_> = places.iter().map(|(x, point)| (*x, y(point.value))).collect();
        area.draw(&PathElement::new(line.clone(), style))?;
        // Among several curves the numbers would lie on one another, and a name on the left has its own.
        if self.curves.len() == 1 {
            let skipped = usize::from(self.names == Names::Left);
            for (index, (x, point)) in places.iter().enumerate().skip(skipped) {
                let this = y(point.value);
                let rises = line.get(index + 1).is_some_and(|next| next.1 < this - STEEP);
                let falls = index > 0 && line[index - 1].1 < this - STEEP;
                // Beside a line that comes from above or goes there.
                let (x, side) = match (rises, falls) {
                    (true, false) => (x - 4, HPos::Right),
                    (false, true) => (x + 4, HPos::Left),
                    (true, true) | (false, false) => (*x, HPos::Center),
                };
                let height = if rises && falls { this + 16 } else { this - 14 };
                write(area, &self.scale.value(point.value), (x, height), 12, curve.colour, side)?;
            }
        }
        Ok(())
    }

    /// Beside the curves, moved apart where they would lie on one another, each with a thread to its curve.
    fn draw_names(&self, area: &Area<'_>, frame: &Frame) -> Result<(), Failure> {
        let mut names: Vec<(i32, (i32, i32), &Curve)> = self
            .curves
            .iter()
            .filter_map(|curve| {
                let count = curve.points.len();
                let mut places = (0..count).filter(|index| curve.points[*index].is_some());
                let index = if self.names == Names::Left { places.next() } else { places.next_back() }?;
                let y = frame.y(self.scale.height(curve.points[index]?.value));
                Some((y, (frame.x(index, count), y), curve))
            })
            .collect();
        names.sort_by_key(|(y, ..)| *y);
        spread(&mut names, frame);
        for (y, end, curve) in names {
            let (x, start, side) = match self.names {
                Names::Left => (frame.left - 14, frame.left - 11, HPos::Right),
                Names::Right => (frame.right + 14, frame.right + 11, HPos::Left),
            };
            area.draw(&PathElement::new(vec![(start, y), end], curve.colour.mix(0.45)))?;
            let size = if curve.is_first { 14 } else { 13 };
            write(area, &curve.name, (x, y), size, curve.colour, side)?;
        }
        Ok(())
    }
}

/// Moves names, which are sorted, to at least a line's height apart: down as needed, then up from the bottom.
fn spread(names: &mut [(i32, (i32, i32), &Curve)], frame: &Frame) {
    let mut least = frame.top - 6;
    for (y, ..) in names.iter_mut() {
        *y = (*y).max(least);
        least = *y + LINE;
    }
    let mut most = frame.bottom + 4;
    for (y, ..) in names.iter_mut().rev() {
        *y = (*y).min(most);
        most = *y - LINE;
    }
}

/// Where the curves are, in pixels of the area.
struct Frame {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Frame {
    fn x(&self, index: usize, count: usize) -> i32 {
        let inner = f64::from(self.right - self.left - 2 * INSET);
        let share = if count > 1 { index as f64 / (count - 1) as f64 } else { 0.5 };
        self.left + INSET + (share * inner) as i32
    }

    fn y(&self, height: f64) -> i32 {
        self.bottom - (height * f64::from(self.bottom - self.top)) as i32
    }
}

impl Scale {
    /// From a tick to a tick, around all of these values; two steps of ticks at least.
    pub(crate) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| *value > 0.0) {
            (least, most) = (least.min(value), most.max(value));
        }
        let ticks: Vec<f64> = ticks().collect();
        let above = ticks.iter().position(|tick| *tick >= most).unwrap_or(ticks.len() - 1).max(2);
        let below = ticks.iter().rposition(|tick| *tick <= least).unwrap_or(0).min(above - 2);
        Self::Factors(ticks[below], ticks[above])
    }

    /// From 0 at the bottom to 1 at the top.
    fn height(self, value: f64) -> f64 {
        match self {
            Self::Percent => value.clamp(0.0, 1.0),
            Self::Factors(least, most) => {
                ((value.max(least) / least).ln() / (most / least).ln()).clamp(0.0, 1.0)
            }
        }
    }

    fn ticks(self) -> Vec<f64> {
        match self {
            Self::Percent => vec![0.0, 0.25, 0.5, 0.75, 1.0],
            Self::Factors(least, most) => ticks().filter(|tick| (least..=most).contains(tick)).collect(),
        }
    }

    /// A value, as precisely as a picture needs it.
    fn value(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{:.0} %", 100.0 * value),
            Self::Factors(..) if value < 10.0 => format!("{:.1}", value).trim_end_matches(".0").to_owned(),
            Self::Factors(..) => format!("{value:.0}"),
        }
    }

    fn name(self, tick: f64) -> String {
        match self {
            Self::Percent => format!("{} %", 100.0 * tick),
            Self::Factors(..) => format!("{tick}"),
        }
    }
}

/// What an axis of factors may be marked with.
fn ticks() -> impl Iterator<Item = f64> {
    (-1..=9).flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)))
}

/// Writes a text; `at` is the middle of its height.
pub(crate) fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    size: u32,
    colour: RGBColor,
    side: HPos,
) -> Result<(), Failure> {
    let style =
        TextStyle::from(("sans-serif", size).into_font()).color(&colour).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))
}

pub(crate) const INK: RGBColor = RGBColor(40, 40, 40);
pub(crate) const GREY: RGBColor = RGBColor(115, 115, 115);
pub(crate) const FAINT: ShapeStyle =
    ShapeStyle { color: plotters::style::RGBAColor(225, 225, 225, 1.0), filled: false, stroke_width: 1 };
/// From so many pixels on a line would cross a number.
const STEEP: i32 = 12;
/// Between names, in pixels.
const LINE: i32 = 17;
/// About how wide a letter of a name is, in pixels.
const LETTER: i32 = 7;
/// Between the frame and the first effect, in pixels.
const INSET: i32 = 14;
