//! What all charts share: the page they are drawn on, their axes, legend and styles.

use std::fmt::Write;

use crate::Lang;
use crate::axis::Range;
use crate::escape::escape;

/// The colours of Okabe and Ito, which people with any colour vision can tell apart, those first that stand
/// out on white and on black; each with a pattern of dashes and a shape of markers of its own, for prints
/// without colour.
pub(crate) const STYLES: [(&str, &str); 7] = [
    ("#0072b2", "none"),
    ("#d55e00", "7 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "9 3 2 3"),
    ("#e69f00", "12 4"),
    ("#56b4e9", "5 2 1 2 1 2"),
    ("currentColor", "4 4"),
];

/// Markers around the origin, in the order of the styles: with the colours, they tell things apart without
/// any.
pub(crate) const MARKERS: [&str; 7] = [
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    "M-2.7-2.7h5.4v5.4h-5.4z",
    "M0-3.7L3.5 2.6h-7z",
    "M0-4L4 0L0 4L-4 0z",
    "M0 3.7L3.5-2.6h-7z",
    "M-1.2-3.6h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4v-2.4h2.4z",
    "M-3.6-1.3h7.2v2.6h-7.2z",
];

/// The width of a chart in a file of its own: a telephone still shows its text in a size that can be read.
pub(crate) const FILE_WIDTH: f64 = 500.0;
pub(crate) const FONT: f64 = 14.0;
pub(crate) const LINE: f64 = 21.0;
/// What is left free around a chart in a file of its own.
const MARGIN: f64 = 10.0;
/// The length of the piece of line in front of a name in the legend.
const SAMPLE: f64 = 26.0;

/// Where a chart will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a page: as wide as its surroundings allow, in the colour of the text around it.
    Page,
    /// In a file of its own: with a size, and a background that is light or dark as the reader's screen is.
    File,
    /// In another picture, so many units from its left and its top.
    Inside(u32, u32),
}

impl Place {
    /// The beginning of an `svg` element of such a width and height, with what it shows in words.
    pub fn open(self, lang: Lang, (width, height): (f64, f64), title: &str, description: &str) -> String {
        let (shape, style) = match self {
            Self::Page => (format!("viewBox=\"0 0 {width} {height}\" style=\"width:100%;height:auto\""), ""),
            Self::File => {
                let (wide, high) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
                let view = format!("viewBox=\"-{MARGIN} -{MARGIN} {wide} {high}\"");
                (format!("{view} width=\"{wide}\" height=\"{high}\" color=\"#1b1f24\""), STYLE)
            }
            Self::Inside(x, y) => {
                let view = format!("viewBox=\"0 0 {width} {height}\"");
                (format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {view}"), "")
            }
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" lang=\"{}\" {shape} \
             font-family=\"{}\" font-size=\"{FONT}\" fill=\"currentColor\" \
             stroke-linejoin=\"round\">\n\
             <title>{}</title>\n<desc>{}</desc>\n{style}",
            lang.code(),
            family(lang),
            escape(title),
            escape(description),
        )
    }
}

/// The fonts to look for. Where there is no interface font with Korean letters, those that systems have.
fn family(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "system-ui,sans-serif",
        Lang::Ko => {
            "system-ui,'Noto Sans KR','Noto Sans CJK KR','Apple SD Gothic Neo','Malgun Gothic',sans-serif"
        }
    }
}

/// A chart but for what is inside its axes.
pub(crate) struct Panel<'a> {
    /// What it shows, for those who cannot see it.
    pub title: &'a str,
    pub lang: Lang,
    /// The same in more words.
    pub description: String,
    /// The whole width, and the height between the axes.
    pub size: (f64, f64),
    /// The room for words to the right of the axes.
    pub aside: f64,
    pub x: Range,
    pub x_label: String,
    pub y: Range,
    pub y_label: String,
    pub legend: Vec<Entry<'a>>,
}

/// A name in the legend, with its line.
pub(crate) struct Entry<'a> {
    pub name: &'a str,
    pub colour: &'a str,
    pub dashes: &'a str,
    /// The path of a marker on the line, around the origin.
    pub marker: &'a str,
}

impl Panel<'_> {
    /// The height of the whole chart.
    pub fn height(&self) -> f64 {
        let (_, rows) = legend(&self.legend, LINE, self.size.0);
        LINE * (1 + rows) as f64 + 10.0 + self.size.1 + 2.0 * LINE + 4.0
    }

    /// The chart as an `svg` element around what `inside` draws between the axes.
    pub fn svg(&self, place: Place, inside: impl FnOnce(Plot) -> String) -> String {
        let (whole, plot_height) = self.size;
        let y_ticks = self.y.ticks((plot_height / 40.0) as usize);

        // The axes' label and the legend stand in rows of their own, so nothing can lie on top of anything.
        let widest = y_ticks.iter().map(|tick| width(&tick.1)).fold(0.0, f64::max);
        let left = widest + 12.0;
        let (x_ticks, right) = along(&self.x, left, whole - self.aside);
        let (legend, rows) = legend(&self.legend, LINE, whole);
        let top = LINE * (1 + rows) as f64 + 10.0;
        let bottom = top + plot_height;
        let height = self.height();

        let mut svg = place.open(self.lang, (whole, height), self.title, &self.description);
        let _ =
            writeln!(svg, "<text x=\"2\" y=\"14\">{}</text>", escape(&clipped(&self.y_label, whole - 4.0)));
        svg += &legend;
        for (value, text) in &y_ticks {
            let at = bottom - self.y.share(*value) * plot_height;
            let _ = writeln!(
                svg,
                "<path d=\"M{left:.1} {at:.1}H{right:.1}\" stroke=\"currentColor\" stroke-opacity=\".15\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 6.0,
                at + 4.5
            );
        }
        for (value, text) in &x_ticks {
            let at = left + self.x.share(*value) * (right - left);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {bottom:.1}v4\" stroke=\"currentColor\" stroke-opacity=\".6\"/>\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                bottom + 18.0
            );
        }
        let _ = writeln!(
            svg,
            "<path d=\"M{left:.1} {top:.1}V{bottom:.1}H{right:.1}\" fill=\"none\" stroke=\"currentColor\" \
             stroke-opacity=\".6\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            (left + right) / 2.0,
            bottom + 18.0 + LINE,
            escape(&clipped(&self.x_label, right - left)),
        );

        // An `svg` inside cuts off what leaves the plot by more than the thickness of a line.
        let plot = Plot { x: self.x, y: self.y, width: right - left, height: plot_height, aside: self.aside };
        let (wide, high) = (plot.width + self.aside + 6.0, plot_height + 6.0);
        let _ = writeln!(
            svg,
            "<svg x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{high}\" viewBox=\"-3 -3 {wide:.1} {high}\" \
             overflow=\"hidden\" fill=\"none\" stroke-width=\"2\">\n{}</svg>\n</svg>",
            left - 3.0,
            top - 3.0,
            inside(plot)
        );
        svg
    }
}

/// On a page, colours come from around; in a file there is nothing around.
const STYLE: &str = "<style>svg{background:#fff}\
    @media(prefers-color-scheme:dark){svg{background:#16181b;color:#e4e6e8}}</style>\n";

/// The inside of the axes.
pub(crate) struct Plot {
    pub x: Range,
    pub y: Range,
    pub width: f64,
    pub height: f64,
    /// The room for words to its right.
    pub aside: f64,
}

impl Plot {
    /// Where a point lies. What is far outside is moved nearer, for coordinates that every reader of SVG can
    /// take.
    pub fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let near = |share: f64| share.clamp(-5.0, 6.0);
        (near(self.x.share(x)) * self.width, (1.0 - near(self.y.share(y))) * self.height)
    }

    /// The path data of a line through these places; in tenths, which no screen shows finer.
    pub fn data(places: &[(f64, f64)]) -> String {
        let mut data = String::new();
        for (index, (x, y)) in places.iter().enumerate() {
            let _ = write!(data, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        data
    }
}

/// The values to name along an x axis that begins at `left`, as many as have room, and where it ends.
fn along(x: &Range, left: f64, whole: f64) -> (Vec<(f64, String)>, f64) {
    let fits = |ticks: &Vec<(f64, String)>, right: f64| {
        let ends = ticks.iter().map(|(value, text)| {
            let (at, half) = (left + x.share(*value) * (right - left), width(text) / 2.0);
            (at - half, at + half)
        });
        let ends: Vec<_> = ends.collect();
        ends.iter().all(|end| end.0 >= 1.0) && ends.windows(2).all(|pair| pair[0].1 + 8.0 <= pair[1].0)
    };
    for count in (1..=6).rev() {
        let ticks = x.ticks(count);
        let right = whole - 6.0 - ticks.last().map_or(0.0, |tick| width(&tick.1) / 2.0);
        if fits(&ticks, right) {
            return (ticks, right);
        }
    }
    (Vec::new(), whole - 6.0)
}

/// The legend below `top`, and its number of rows.
fn legend(entries: &[Entry<'_>], top: f64, whole: f64) -> (String, usize) {
    let mut svg = String::new();
    let (mut x, mut row) = (2.0, 0);
    for Entry { name, colour, dashes, marker } in entries {
        let name = clipped(name, whole - SAMPLE - 14.0);
        let wide = SAMPLE + 6.0 + width(&name);
        if x > 2.0 && x + wide > whole {
            (x, row) = (2.0, row + 1);
        }
        let y = top + LINE * row as f64 + 14.0;
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {:.1}h{SAMPLE}\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dashes}\"/><text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            y - 4.5,
            x + SAMPLE + 6.0,
            escape(&name)
        );
        if !marker.is_empty() {
            let _ = writeln!(
                svg,
                "<path transform=\"translate({:.1} {:.1})\" d=\"{marker}\" fill=\"{colour}\"/>",
                x + SAMPLE / 2.0,
                y - 4.5
            );
        }
        x += wide + 18.0;
    }
    (svg, if entries.is_empty() { 0 } else { row + 1 })
}

/// About how wide a text is; rather too wide, as fonts differ.
pub(crate) fn width(text: &str) -> f64 {
    text.chars().map(|character| if character.is_ascii() { 0.62 } else { 1.0 }).sum::<f64>() * FONT
}

/// A text cut to a width.
pub(crate) fn clipped(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_string();
    }
    let mut room = most - width("…");
    let mut cut: String = text
        .chars()
        .take_while(|character| {
            room -= width(character.encode_utf8(&mut [0; 4]));
            room >= 0.0
        })
        .collect();
    cut.push('…');
    cut
}

/// What is drawn, for those who cannot see it.
pub(crate) fn against(y: &str, x: &str, lang: Lang) -> String {
    lang.said(&format!("{y} against {x}.")).into_owned()
}
