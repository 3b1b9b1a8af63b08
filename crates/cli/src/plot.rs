//! Pictures into files.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};
use downhill::train::durable;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Group, Node, Options, Tree};

use crate::{Failure, output};

/// Pixels of a PNG for each unit of the picture.
const SCALE: f32 = 2.0;

/// The letters of a PNG: those of a system differ, and a bare one has none.
const FONT: &[u8] = include_bytes!("../fonts/DownhillSans.ttf");
const FAMILY: &str = "Downhill Sans";

/// A file to draw into, in the format of its extension.
#[derive(Clone, Debug)]
pub struct PlotFile {
    path: PathBuf,
    format: Format,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Svg,
    Png,
}

impl ValueParserFactory for PlotFile {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new().try_map(|path| Self::at(path.into())).into()
    }
}

impl PlotFile {
    /// A path, which need not be UTF-8.
    fn at(path: PathBuf) -> Result<Self, String> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
        let format = match extension.as_deref() {
            Some("svg") => Format::Svg,
            Some("png") => Format::Png,
            _ => return Err("name a .svg or a .png file; those are the formats there are".into()),
        };
        Ok(Self { path, format })
    }
}

impl PlotFile {
    /// Draws a picture into the file, all of it or nothing, and says so unless `quiet`.
    pub fn write(&self, svg: &str, quiet: bool) -> Result<(), Failure> {
        let bytes = match self.format {
            Format::Svg => svg.as_bytes().to_vec(),
            Format::Png => png(svg)?,
        };
        durable::write("draw into", &self.path, &bytes)?;
        if !quiet {
            output::note(&format!("drawn into {}", self.path.display()));
        }
        Ok(())
    }
}

/// A letter of the texts in a group that no font has.
fn missing_letter(group: &Group) -> Option<String> {
    group.children().iter().find_map(|node| match node {
        Node::Group(group) => missing_letter(group),
        Node::Text(text) => {
            let mut glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
            let missing = glyphs.find(|glyph| glyph.id.0 == 0 && glyph.text.chars().any(char::is_alphabetic));
            missing.map(|glyph| glyph.text.clone())
        }
        Node::Path(_) | Node::Image(_) => None,
    })
}

/// A picture as PNG on white, with two pixels a unit.
fn png(svg: &str) -> Result<Vec<u8>, Failure> {
    let mut options = Options { font_family: FAMILY.into(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(FONT.to_vec());
    // For letters that ours has none of, such as Chinese ones.
    fonts.load_system_fonts();
    fonts.set_sans_serif_family(FAMILY);
    let tree = Tree::from_str(svg, &options)?;
    if let Some(letter) = missing_letter(tree.root()) {
        return Err(Failure::Message(format!(
            "no font on this system has the letter `{letter}`, which the picture needs; install one that has, such as \
             Noto Sans CJK, or draw into a .svg file"
        )));
    }
    let size = tree.size().to_int_size();
    let pixels = |units: u32| (units as f32 * SCALE) as u32;
    let mut pixmap = Pixmap::new(pixels(size.width()), pixels(size.height()))
        .ok_or_else(|| Failure::Message("the picture has no size".into()))?;
    pixmap.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixmap.as_mut());
    Ok(pixmap.encode_png()?)
}
