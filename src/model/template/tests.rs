//! What is ours between braces, and what is left alone.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Template, Fault> {
    Template::parse(text, &|range| Span::new(0, range))
}

/// The sources of the expressions in `text`.
fn values(text: &str) -> Vec<String> {
    let template = parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    template.expressions().map(|expression| expression.source.clone()).collect()
}

#[test]
fn finds_what_is_ours() {
    for (text, sources) in [
        ("{{ tag }}", vec!["tag"]),
        ("v{{tag}}-{{ env.HOME }}.", vec!["tag", "env.HOME"]),
        ("{{ a }}{{ b }}", vec!["a", "b"]),
        ("{{ 'it is }}' }}", vec!["'it is }}'"]),
        (r#"{{ "a \" }} b" }}"#, vec![r#""a \" }} b""#]),
        ("{{ {'a': {'b': 1}} }}", vec![]),
        ("{{ f({'a': {'b': 1}}) }}", vec!["f({'a': {'b': 1}})"]),
        (r#"{"id": {"n": {{ id }}}}"#, vec!["id"]),
        ("{{ -1 }} {{-1}} {{ 1.5 }}", vec!["-1", "-1", "1.5"]),
        ("{{ (a or b) | upper }}", vec!["(a or b) | upper"]),
        ("{{ [1, 2] }}", vec!["[1, 2]"]),
        ("{{ a if b else c }}", vec!["a if b else c"]),
        ("{{\n  tag\n}}", vec!["tag"]),
        ("{% if x %}{{ y }}{% endif %}", vec!["y"]),
    ] {
        assert_eq!(values(text), sources, "{text}");
    }
}

#[test]
fn leaves_alone_what_is_not() {
    for text in [
        "docker ps --format {{.Names}}",
        "{{ .Names }}\t{{.Image}}",
        "{{json .}}",
        "{{printf \"%s\" .Name}}",
        "{{ index (index .Ports \"80/tcp\") 0 }}",
        "{{range $i, $e := .List}}{{$e}}{{println}}{{end}}",
        "{{- if .X -}}{{else}}{{template \"y\"}}{{- end -}}",
        "{{ $x := .Y }}",
        "${{ github.ref }}",
        "{{{ raw }}}",
        "{{{{ name }}}}",
        "{{}} {{ }} {} { }",
        "{{#each x}}{{/each}}{{> part}}",
        "{% raw %} {# note #}",
        "{{- trimmed }}",
        "{{",
    ] {
        let template = parse(text).unwrap();
        assert_eq!(template.as_plain(), Some(text));
    }
}

#[test]
fn a_block_of_go_ends_with_its_end() {
    assert_eq!(values("{{range .A}}{{if .B}}{{ x }}{{end}}{{ y }}{{end}} {{ ours }}"), ["ours"]);
    assert_eq!(values("{{range .A}} {{ ours }}"), ["ours"], "without an end it is one action");
    assert_eq!(values("{{ end }} {{ range }}"), ["end", "range"], "without a block they are names");
}

#[test]
fn braces_are_written_as_text_in_quotes() {
    assert_eq!(parse(r#"{{ "{{" }} name }}"#).unwrap().as_plain(), Some("{{ name }}"));
    assert_eq!(parse("a {{ '${{' }} b").unwrap().as_plain(), Some("a ${{ b"));
}

#[test]
fn an_expression_without_end_is_a_fault_with_the_mend() {
    for (text, at, mend) in [
        ("git tag {{ tag", 8..10, "`{{ tag }}`"),
        ("{{ a {{ b }}", 0..2, "`{{ a }}`"),
        ("{{ env.X }", 0..2, "`{{ env.X }}`"),
        ("{{ f(x }}", 0..2, "`{{ f }}`"),
        ("{{ it's }}", 0..2, "`{{ it }}`"),
        ("echo {{a,b},c}", 5..7, "`{{ \"{{\" }}`"),
    ] {
        let fault = parse(text).unwrap_err();
        assert_eq!(fault.at, at, "{text}");
        assert_eq!(fault.message, "this `{{` has no `}}` that ends it");
        assert!(fault.help.as_deref().unwrap_or_default().contains(mend), "{fault:?}");
    }
}

#[test]
fn tells_what_a_text_is() {
    let template = parse("{{ files }}").unwrap();
    let expression = template.as_value().unwrap();
    assert_eq!((expression.source.as_str(), expression.at), ("files", Span::new(0, 3..8)));
    assert_eq!(template.at, Span::new(0, 0..11));
    assert_eq!(parse(" {{ files }}").unwrap().as_value(), None);
    assert_eq!(parse("").unwrap().as_plain(), Some(""));
    assert_eq!(Template::plain("{{ x }}", Span::default()).as_plain(), Some("{{ x }}"));
}

#[test]
fn knows_names_and_raw() {
    let expression =
        |source: &str| Expression { source: source.to_owned(), at: Span::new(0, 10..10 + source.len()) };
    for name in ["tag", "_x1", "env.HOME", "secret.TOKEN"] {
        assert_eq!(expression(name).as_name(), Some(name));
    }
    for other in ["a b", "1a", "a.", ".a", "a-b", "'a'", "f(x)", ""] {
        assert_eq!(expression(other).as_name(), None, "{other}");
    }
    let raw = expression("raw( flags )").as_raw().unwrap();
    assert_eq!((raw.source.as_str(), raw.at), ("flags", Span::new(0, 15..20)));
    assert_eq!(expression("raw(a | join(')'))").as_raw().unwrap().source, "a | join(')')");
    for other in ["raw", "raw(a) ~ raw(b)", "raw()", "raw(a", "rawer(a)", "f(raw(a))"] {
        assert_eq!(expression(other).as_raw(), None, "{other}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_apart_or_refused_with_a_place(text in r#"(\{\{|\}\}|[{}()\[\]"'\\$. ]|a|range |end|ü|\n){0,20}"#) {
        match parse(&text) {
            Ok(template) => {
                for expression in template.expressions() {
                    let at = expression.at.start as usize..expression.at.end as usize;
                    prop_assert_eq!(&text[at], expression.source.as_str());
                }
            }
            Err(fault) => prop_assert!(text.get(fault.at).is_some_and(|braces| braces == "{{")),
        }
    }
}
