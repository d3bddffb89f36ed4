//! Plots as SVG that stands in a page: shapes and words, no scripts, nothing from elsewhere. Whatever a plot shows stands in a
//! table beside it as well.

use std::fmt::Write;

/// The width of every plot, in the units of its own coordinates.
const WIDTH: u64 = 720;
/// Room for what stands at the left.
const LEFT: u64 = 190;
const RIGHT: u64 = 60;
const BAR: u64 = 18;
const STEP: u64 = 26;
/// The height of columns.
const HEIGHT: u64 = 180;
/// More columns than this are drawn together.
const COLUMNS_MAX: usize = 120;

/// Text in HTML, in SVG, or in an attribute of either.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Marks that turn text around, and control characters, show nothing and hide much.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

fn begin(height: u64, id: &str, title: &str, says: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>\n",
        escaped(title),
        escaped(says)
    )
}

/// What `value` of `most` is of `room`.
fn part(value: u64, most: u64, room: u64) -> u64 {
    let scaled = u128::from(value).saturating_mul(u128::from(room)) / u128::from(most.max(1));
    u64::try_from(scaled).unwrap_or(room)
}

/// A bar for each of these, with a name at its left and a value at its end; in each the parts lie one behind the other, each
/// in the class of its place.
pub(super) fn bars(id: &str, title: &str, says: &str, rows: &[(String, Vec<u64>, String)]) -> String {
    let height = STEP.saturating_mul(rows.len() as u64).saturating_add(8);
    let most = rows.iter().map(|(_, parts, _)| parts.iter().sum()).max().unwrap_or(0);
    let room = WIDTH - LEFT - RIGHT;
    let mut svg = begin(height, id, title, says);
    for (row, (name, parts, value)) in (0_u64..).zip(rows) {
        let y = STEP.saturating_mul(row).saturating_add(4);
        let middle = y + BAR - 5;
        let mut x = LEFT;
        // Writing to a string does not fail.
        let _written = writeln!(
            svg,
            "<text class=\"name\" x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
            LEFT - 8,
            escaped(&cut(name))
        );
        for (class, amount) in (1_u64..).zip(parts) {
            let width = part(*amount, most, room);
            if width > 0 {
                let _written =
                    writeln!(svg, "<rect class=\"c{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\"/>");
            }
            x = x.saturating_add(width);
        }
        let _written = writeln!(svg, "<text x=\"{}\" y=\"{middle}\">{}</text>", x + 6, escaped(value));
    }
    svg.push_str("</svg>\n");
    svg
}

/// A column for each of these; in each the parts lie one above the other, each in the class of its place.
pub(super) fn columns(id: &str, title: &str, says: &str, rows: &[(String, Vec<u64>)]) -> String {
    let together = rows.len().div_ceil(COLUMNS_MAX).max(1);
    let drawn: Vec<(&str, Vec<u64>)> = rows
        .chunks(together)
        .map(|some| {
            let mut parts: Vec<u64> = Vec::new();
            for (_, more) in some {
                parts.resize(parts.len().max(more.len()), 0);
                parts.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
            }
            (some.first().map_or("", |(name, _)| name.as_str()), parts)
        })
        .collect();
    let most: u64 = drawn.iter().map(|(_, parts)| parts.iter().sum()).max().unwrap_or(0);
    let room = WIDTH - RIGHT - 8;
    let width = room / (drawn.len() as u64).max(1);
    let mut svg = begin(HEIGHT + 44, id, title, says);
    let _written = writeln!(svg, "<text x=\"0\" y=\"12\">{most}</text>");
    let base = HEIGHT + 20;
    for (place, (_, parts)) in (0_u64..).zip(&drawn) {
        let x = RIGHT.saturating_add(place.saturating_mul(width));
        let mut top = base;
        for (class, amount) in (1_u64..).zip(parts) {
            let height = part(*amount, most, HEIGHT);
            top = top.saturating_sub(height);
            if height > 0 {
                let bar = (width * 4 / 5).max(1);
                let _written = writeln!(
                    svg,
                    "<rect class=\"c{class}\" x=\"{x}\" y=\"{top}\" width=\"{bar}\" height=\"{height}\"/>"
                );
            }
        }
    }
    let _written = writeln!(svg, "<line x1=\"{RIGHT}\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\"/>");
    if let (Some((first, _)), Some((last, _))) = (drawn.first(), drawn.last()) {
        let below = base + 18;
        let _written = writeln!(svg, "<text x=\"{RIGHT}\" y=\"{below}\">{}</text>", escaped(first));
        if drawn.len() > 1 {
            let _written =
                writeln!(svg, "<text x=\"{WIDTH}\" y=\"{below}\" text-anchor=\"end\">{}</text>", escaped(last));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// As much of a name as fits at the left.
fn cut(name: &str) -> String {
    const LETTERS_MAX: usize = 28;
    if name.chars().count() <= LETTERS_MAX {
        return name.to_owned();
    }
    name.chars().take(LETTERS_MAX - 1).chain(['…']).collect()
}
