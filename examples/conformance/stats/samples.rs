//! Samples, as lists or as recipes: a linear congruential generator and what is made of its numbers.

use serde_json::Value;

use super::{Input, count, number};

pub(crate) fn sample(given: &Value) -> Result<Vec<f64>, String> {
    match given {
        Value::Array(values) => values.iter().map(number).collect(),
        Value::Object(recipe) => generated(Input(recipe)),
        other => Err(format!("{other} is no sample")),
    }
}

fn generated(recipe: Input<'_>) -> Result<Vec<f64>, String> {
    let mut state = recipe.count("seed")? % MODULUS;
    let length = recipe.count("n")?;
    let power = recipe.number_or("power", 1.0)?;
    let scale = recipe.number_or("scale", 1.0)?;
    let shift = recipe.number_or("shift", 0.0)?;
    let levels = recipe.get("int_levels").map(count).transpose()?;
    let transform = recipe.get("transform").map(|_| recipe.text("transform")).transpose()?;
    (0..length)
        .map(|_| {
            state = (1_664_525 * state + 1_013_904_223) % MODULUS;
            let uniform = (state as f64 + 0.5) / MODULUS as f64;
            if let Some(transform) = transform {
                return Expression { rest: transform, uniform }.whole();
            }
            Ok(match levels {
                Some(levels) => (uniform * levels as f64).floor(),
                None if power == 1.0 => uniform * scale + shift,
                None => uniform.powf(power) * scale + shift,
            })
        })
        .collect()
}

/// An expression of the uniform number `u`, with `+ - * / ^ < >` and parentheses.
struct Expression<'a> {
    rest: &'a str,
    uniform: f64,
}

impl Expression<'_> {
    fn whole(mut self) -> Result<f64, String> {
        let value = self.comparison()?;
        if self.rest.trim().is_empty() { Ok(value) } else { Err(format!("cannot read `{}`", self.rest)) }
    }

    fn comparison(&mut self) -> Result<f64, String> {
        let left = self.sum()?;
        Ok(if self.takes('<') {
            f64::from(u8::from(left < self.sum()?))
        } else if self.takes('>') {
            f64::from(u8::from(left > self.sum()?))
        } else {
            left
        })
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            if self.takes('+') {
                value += self.product()?;
            } else if self.takes('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.power()?;
        loop {
            if self.takes('*') {
                // `**` is a power too.
                value *= self.power()?;
            } else if self.takes('/') {
                value /= self.power()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn power(&mut self) -> Result<f64, String> {
        let base = self.atom()?;
        if self.takes('^') || self.takes_text("**") { Ok(base.powf(self.power()?)) } else { Ok(base) }
    }

    fn atom(&mut self) -> Result<f64, String> {
        if self.takes('(') {
            let value = self.comparison()?;
            return if self.takes(')') { Ok(value) } else { Err("a parenthesis is open".to_owned()) };
        }
        if self.takes('u') {
            return Ok(self.uniform);
        }
        let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().map_err(|_| format!("cannot read a number at `{digits}{rest}`"))
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        if wanted == '*' && self.rest.starts_with("**") {
            return false;
        }
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn takes_text(&mut self, wanted: &str) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }
}

const MODULUS: u64 = 1 << 32;
