//! Some rollouts, one below the other: how much traffic the candidate had, and how it ended.

use plotters::{
    element::{PathElement, Polygon},
    style::{Color as _, RGBColor, text_anchor::HPos},
};
use serinus_core::simulate::{Cell, Ending, Trail, Turn};

use crate::panel::{Area, FAINT, Failure, GREY, INK, write};

/// Draws the trails of a few cells, each a group of lanes over the same time.
pub(crate) fn draw(area: &Area<'_>, title: &str, groups: &[(String, &Cell)]) -> Result<(), Failure> {
    let (width, height) = area.dim_in_pixel();
    let (left, right, top, bottom) = (20, width as i32 - 150, 64, height as i32 - 52);
    write(area, title, (12, 20), 17, INK, HPos::Left)?;
    let remark = "each strip is one rollout; its height is the candidate's share of the traffic";
    write(area, remark, (12, 40), 12, GREY, HPos::Left)?;
    let trails = || groups.iter().flat_map(|(_, cell)| &cell.trails);
    let longest = trails().map(|trail| trail.minutes).fold(1.0, f64::max);
    let x = |minutes: f64| left + (minutes / longest * f64::from(right - left)) as i32;
    for minutes in ticks(longest) {
        area.draw(&PathElement::new(vec![(x(minutes), top), (x(minutes), bottom)], FAINT))?;
        write(area, &minutes.to_string(), (x(minutes), bottom + 14), 12, INK, HPos::Center)?;
    }
    write(area, "minutes", ((left + right) / 2, bottom + 34), 12, GREY, HPos::Center)?;
    let most = trails()
        .flat_map(|trail| trail.turns.iter().filter(|turn| is_inside(turn, trail)))
        .map(|turn| turn.weight.as_percent() / 100.0)
        .fold(0.05, f64::max);
    let lanes = trails().count() as i32 + groups.len() as i32;
    let step = ((bottom - top) / lanes.max(1)).max(8);
    let mut base = top;
    for (name, cell) in groups {
        base += step;
        write(area, name, (left, base - step / 2 + 2), 13, INK, HPos::Left)?;
        for trail in &cell.trails {
            base += step;
            lane(area, trail, base, f64::from(step - 5) / most, &x)?;
        }
    }
    Ok(())
}

/// One strip above `base`; `height` is that of all traffic.
fn lane(
    area: &Area<'_>,
    trail: &Trail,
    base: i32,
    height: f64,
    x: &impl Fn(f64) -> i32,
) -> Result<(), Failure> {
    let (colour, text) = match &trail.ending {
        Ending::Promoted => (GREEN, "promoted".to_owned()),
        Ending::RolledBack(_) => (RED, format!("rolled back, minute {:.0}", trail.minutes)),
        Ending::LeftToPerson => (AMBER, "left to a person".to_owned()),
        _ => (AMBER, "did not end".to_owned()),
    };
    let end = x(trail.minutes);
    let mut outline = vec![(x(0.0), base)];
    let mut share = 0.0;
    let up = |share: f64| base - (share * height) as i32;
    for turn in &trail.turns {
        let at = x(turn.at.as_secs_f64() / 60.0).min(end);
        outline.push((at, up(share)));
        if is_inside(turn, trail) {
            share = turn.weight.as_percent() / 100.0;
        }
        outline.push((at, up(share)));
    }
    outline.extend([(end, up(share)), (end, base)]);
    area.draw(&Polygon::new(outline, colour.mix(0.45)))?;
    area.draw(&PathElement::new(vec![(x(0.0), base), (end, base)], colour.stroke_width(1)))?;
    write(area, &text, (end + 6, base - 5), 11, colour, HPos::Left)
}

/// What follows the end is not the candidate's share of this rollout.
fn is_inside(turn: &Turn, trail: &Trail) -> bool {
    turn.at.as_secs_f64() / 60.0 < trail.minutes
}

fn ticks(longest: f64) -> Vec<f64> {
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 240.0, 720.0, 1440.0]
        .into_iter()
        .find(|step| longest / step <= 8.0)
        .unwrap_or(longest / 4.0);
    (0..=(longest / step) as u32).map(|index| f64::from(index) * step).collect()
}

const GREEN: RGBColor = RGBColor(0, 125, 90);
const RED: RGBColor = RGBColor(200, 60, 30);
const AMBER: RGBColor = RGBColor(170, 110, 0);
