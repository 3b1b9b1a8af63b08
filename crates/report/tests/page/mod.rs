//! What the tests ask of every page.

use roxmltree::{Document, ParsingOptions};

/// Reads a page as XML, which is stricter than HTML, and checks that it is whole and keeps to itself.
pub fn checked(html: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let page = Document::parse_with_options(html, options).unwrap();
    let first = |name: &str| page.descendants().find(|node| node.has_tag_name(name));
    assert_eq!(page.root_element().attribute("lang"), Some("en"));
    assert!(first("title").is_some() && first("h1").is_some());
    assert!(html.contains("charset=\"utf-8\"") && html.contains("name=\"viewport\""));
    for node in page.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "link", "img", "iframe", "image", "use", "b", "i"].contains(&name), "<{name}>");
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!["href", "src", "action"].contains(&name) && !name.starts_with("on"), "{name}");
            assert!(!value.contains("url("), "{value}");
            assert!(!["NaN", "inf"].iter().any(|odd| value.contains(odd)), "{name}={value}");
        }
    }
    for chart in charts(&page) {
        let child = |name: &str| chart.children().find(|node| node.has_tag_name((SVG, name)));
        assert!(child("title").is_some() && child("desc").is_some());
    }
    page
}

const SVG: &str = "http://www.w3.org/2000/svg";

/// The charts of a page.
pub fn charts<'a, 'input>(page: &'a Document<'input>) -> Vec<roxmltree::Node<'a, 'input>> {
    page.descendants().filter(|node| node.attribute("role") == Some("img")).collect()
}

/// The titles of the charts of a page.
pub fn titles(page: &Document<'_>) -> Vec<String> {
    let title = |chart: &roxmltree::Node<'_, '_>| {
        let title = chart.children().find(|node| node.has_tag_name((SVG, "title")));
        title.and_then(|title| title.text()).unwrap_or_default().to_string()
    };
    charts(page).iter().map(title).collect()
}

/// All that is to be read on a page, without the style.
pub fn text(page: &Document<'_>) -> String {
    let shown = |node: &roxmltree::Node<'_, '_>| {
        node.is_text() && !node.ancestors().any(|above| above.has_tag_name("head"))
    };
    page.descendants().filter(shown).filter_map(|node| node.text()).collect()
}
