use serde_json::json;

use super::*;

fn mail<'a>(subject: &'a str, mjml: &'a str) -> Source<'a> {
    Source {
        subject: Some(subject),
        mjml: Some(mjml),
        text: None,
    }
}

fn body(text: &str) -> String {
    format!(
        "<mjml><mj-body><mj-section><mj-column>\n<mj-text>{text}</mj-text>\n</mj-column></mj-section></mj-body></mjml>"
    )
}

#[test]
fn values_are_escaped_where_they_stand() {
    let values = json!({ "event": { "title": "<b onclick=x>\r\nBcc: a@example.org & \"co\"" } });
    let mjml = body("{{ event.title }}");
    let made = render(
        mail("For {{ event.title }}", &mjml),
        &values,
        Missing::Refused,
    )
    .unwrap();
    assert_eq!(
        made.subject,
        "For <b onclick=x> Bcc: a@example.org & \"co\""
    );
    let html = made.html.unwrap();
    assert!(
        html.contains("&lt;b onclick=x&gt;") && !html.contains("<b onclick"),
        "{html}"
    );
    assert_eq!(made.text, "<b onclick=x> Bcc: a@example.org & \"co\"\n");
}

#[test]
fn a_name_that_is_not_there_is_told_with_its_line() {
    let mjml = body("Hello\n{% if false %}{{ event.titel }}{% endif %}");
    let flaw = check(mail("x", &mjml), "registration_confirmed").unwrap_err();
    assert_eq!(
        (flaw.part, flaw.line, flaw.unknown),
        ("mjml", Some(3), true)
    );
    assert!(
        flaw.what.contains("event.titel") && flaw.what.contains("event.title"),
        "{flaw}"
    );
    let mjml = body("{{ code }}");
    assert!(check(mail("x", &mjml), "registration_confirmed").is_err());
    assert!(check(mail("x", &mjml), "invitation").is_ok());
}

#[test]
fn nothing_can_be_made_called_or_read() {
    for text in [
        "{% set a = 1 %}",
        "{% include 'x' %}",
        "{%- macro m() %}{% endmacro %}",
        "{% with a = 1 %}{% endwith %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ 'a' * 9000000 }}",
        "{{ range(9) }}",
        "{{ event|tojson }}",
        "{% if %}",
        "{{ event.title",
        "{{ [1, 2]|map('upper') }}",
    ] {
        let mjml = body(text);
        let source = mail("x", &mjml);
        let values = json!({ "event": { "title": "t" } });
        let refused = check(source, "reminder")
            .and_then(|()| render(source, &values, Missing::Refused).map(drop));
        assert!(refused.is_err(), "{text}");
        assert!(render(source, &values, Missing::Empty).is_err(), "{text}");
    }
}

#[test]
fn what_it_costs_is_bounded() {
    let many: Vec<u32> = (0..200).collect();
    let values = json!({ "tickets": many });
    let loops = "{% for a in tickets %}{% for b in tickets %}{% for c in tickets %}x{% endfor %}{% endfor %}{% endfor %}";
    let flaw = render(mail("x", &body(loops)), &values, Missing::Refused).unwrap_err();
    assert!(flaw.what.contains("too long"), "{flaw}");
    let long = format!(
        "{{% for a in tickets %}}{}{{% endfor %}}",
        "x".repeat(20_000)
    );
    let flaw = render(mail("x", &body(&long)), &values, Missing::Refused).unwrap_err();
    assert!(flaw.what.contains("megabyte"), "{flaw}");
    let deep = format!("{}x{}", "<div>".repeat(20_000), "</div>".repeat(20_000));
    let flaw = render(mail("x", &body(&deep)), &values, Missing::Refused).unwrap_err();
    assert!(flaw.what.contains("deep"), "{flaw}");
}

#[test]
fn what_opens_something_stands_in_no_subject() {
    let source = mail("Your code: {{ code }}", "<mjml><mj-body></mj-body></mjml>");
    let flaw = check(source, "ticket_transfer").expect_err("a code in a subject");
    assert_eq!((flaw.part, flaw.line), ("subject", Some(1)));
    let values = json!({ "code": "est_1", "action_url": "https://x.example/?code=est_1" });
    let made = render(source, &values, Missing::Empty).expect("a mail");
    assert_eq!(made.subject, "Your code:");
}

#[test]
fn values_may_look_like_attributes_and_comments_end_where_browsers_end_them() {
    let logo = "<mjml><mj-body><mj-section><mj-column><mj-image alt=\"{{ name }}\" src=\"https://x.example/l.png\" /></mj-column></mj-section></mj-body></mjml>";
    let named = json!({ "name": "Radio Live onair=24h" });
    render(mail("x", logo), &named, Missing::Empty).expect("a harmless name");
    for script in [
        "<!--><script>alert(1)</script> -->",
        "<!---><img src=x onerror=alert(1)>-->",
        "<!-- --!><img src=x onerror=alert(1)>-->",
        "<a href=\"javascript&colon;alert(1)\">x</a>",
        "<a href=\"java&Tab;script:alert(1)\">x</a>",
    ] {
        let mjml = format!(
            "<mjml><mj-body><mj-section><mj-column><mj-text>{script}</mj-text></mj-column></mj-section></mj-body></mjml>"
        );
        render(mail("x", &mjml), &json!({}), Missing::Refused).expect_err(script);
    }
}

#[test]
fn broken_mjml_is_told_with_its_line() {
    for (mjml, line, word) in [
        (
            "<mjml>\n<mj-body>\n<mj-sectoin></mj-sectoin></mj-body></mjml>",
            Some(3),
            "element",
        ),
        ("<mjml><mj-body><mj-section>", None, "not closed"),
        ("Hello", None, "MJML"),
        (
            "<mjml><mj-body>\n<mj-raw></mj-raw></mj-body></mjml>",
            Some(2),
            "mj-raw",
        ),
    ] {
        let flaw = render(mail("x", mjml), &json!({}), Missing::Refused).expect_err(mjml);
        assert_eq!(flaw.line, line, "{mjml}: {flaw}");
        assert!(flaw.what.contains(word), "{mjml}: {flaw}");
    }
}
