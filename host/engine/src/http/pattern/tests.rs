use super::*;

fn pattern(text: &str) -> HostPattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str, url: &str) -> bool {
    pattern(text).matches(&Origin::of(&Url::parse(url).unwrap()).unwrap())
}

#[test]
fn a_pattern_is_shown_in_the_form_in_which_it_is_compared() {
    for (written, shown) in [
        ("api.example.com", "https://api.example.com"),
        ("API.Example.COM.", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("HTTP://api.example.com:80", "http://api.example.com"),
        ("http://api.example.com", "http://api.example.com"),
        ("api.example.com:8443", "https://api.example.com:8443"),
        ("*.example.com:8443", "https://*.example.com:8443"),
        ("http://*.Bücher.example.", "http://*.xn--bcher-kva.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[0:0:0:0:0:0:0:1]:443", "https://[::1]"),
        ("localhost", "https://localhost"),
    ] {
        assert_eq!(pattern(written).to_string(), shown, "{written}");
        assert_eq!(pattern(shown), pattern(written), "{written}");
    }
}

#[test]
fn what_is_no_pattern_is_told_with_the_right_form() {
    for (written, problem) in [
        ("", "is neither a host nor a URL"),
        ("*", "has a `*` elsewhere"),
        ("*.", "is neither a host nor a URL"),
        ("*com", "has a `*` elsewhere"),
        ("*.*.example.com", "has a `*` elsewhere"),
        ("api.*.com", "has a `*` elsewhere"),
        ("%2a.example.com", "has a `*` elsewhere"),
        ("*.10.0.0.1", "has a `*` in front of an IP address"),
        ("*.[::1]", "has a `*` in front of an IP address"),
        ("2130706433", "has an IP address that is not written as four numbers"),
        ("http://0x7f000001:22", "has an IP address that is not written as four numbers"),
        ("http://0177.0.0.1", "has an IP address that is not written as four numbers"),
        ("127.1:22", "has an IP address that is not written as four numbers"),
        ("http://127.0.0.1.:22", "has an IP address that is not written as four numbers"),
        ("http://①②⑦.0.0.1", "has an IP address that is not written as four numbers"),
        ("http://127%2e0.0.1", "has an IP address that is not written as four numbers"),
        ("ftp://example.com", "is neither http nor https"),
        ("file:///etc/passwd", "is neither http nor https"),
        ("https:///example.com", "is neither a host nor a URL"),
        ("example.com/v1", "has a path"),
        ("example.com\\v1", "has a path"),
        ("https://example.com/?a=b", "has a query"),
        ("https://example.com#a", "has a query or fragment"),
        ("user:key@example.com", "has a user in it"),
        ("two words", "is neither a host nor a URL"),
        ("exam\nple.com", "is neither a host nor a URL"),
        ("example.com:99999", "is neither a host nor a URL"),
        ("[fe80::1%25eth0]", "is neither a host nor a URL"),
        ("example.com..", "is neither a host nor a URL"),
    ] {
        let error = written.parse::<HostPattern>().expect_err(written);
        assert!(error.message().starts_with(&format!("it {problem}")), "{written}: {error}");
        assert!(error.message().ends_with("; the form is [SCHEME://]HOST[:PORT], such as api.example.com, *.example.com or http://127.0.0.1:8080"));
    }
}

#[test]
fn a_wildcard_is_one_label_or_more_but_not_none() {
    assert!(matches("*.example.com", "https://a.example.com/"));
    assert!(matches("*.example.com", "https://a.b.example.com/"));
    for url in [
        "https://example.com/",
        "https://.example.com/",
        "https://badexample.com/",
        "https://a.example.com.evil.com/",
        "https://a.example.com:8443/",
        "http://a.example.com/",
        "https://example.com.a/",
    ] {
        assert!(!matches("*.example.com", url), "{url}");
    }
}

#[test]
fn no_wildcard_stands_for_a_part_of_an_address() {
    assert!("*.0.0.1".parse::<HostPattern>().is_err());
    assert!(!matches("*.internal", "https://10.0.0.1/"));
}
#[test]
fn a_loopback_address_is_named_by_a_whole_url_alone() {
    for url in [
        "http://127.0.0.1:8080",
        "https://127.9.9.9:1/v1?a=b#c",
        " http://127.0.0.1:80/ ",
        "http://[::1]:8080/v1",
        "http://[0:0:0:0:0:0:0:1]:8080",
    ] {
        assert!(names_loopback(url), "{url}");
    }
    for url in [
        "127.0.0.1",
        "127.0.0.1:8080",
        "//127.0.0.1:8080",
        "http://127.0.0.1",
        "http://127.0.0.1/",
        "http://127.0.0.1:",
        "http://127.0.0.1:/v1:8080",
        "http://127.0.0.1?:8080",
        "http://2130706433:22",
        "http://0x7f000001:22",
        "http://0x7f.0.0.1:22",
        "http://0177.0.0.1:22",
        "http://0127.0.0.1:22",
        "http://127.1:22",
        "http://127.0.0.1.:22",
        "http://①②⑦.0.0.1:22",
        "http://127%2e0.0.1:22",
        "http://::1:22",
        "http://[::ffff:127.0.0.1]:22",
        "http://[::127.0.0.1]:22",
        "http://[::1%25lo]:22",
        "http://[127.0.0.1]:22",
        "http://localhost:22",
        "http://a.localhost:22",
        "http://0.0.0.0:22",
        "http://0:22",
        "http://user@127.0.0.1:22",
        "http://evil.example\\@127.0.0.1:22",
        "http://127.0.0.1:22@evil.example",
        "http://10.0.0.1:22",
    ] {
        assert!(!names_loopback(url), "{url}");
    }
}

#[test]
fn names_that_strangers_can_register_are_below_a_public_suffix() {
    for text in [
        "*.com",
        "*.CO.UK.",
        "*.github.io",
        "http://*.github.io:8080",
        "*.s3.amazonaws.com",
        "*.foo.ck",
        "*.xn--55qx5d.cn",
        "*.公司.cn",
        "*.localhost",
        "*.no-such-domain",
    ] {
        assert!(pattern(text).is_below_public_suffix(), "{text}");
    }
    for text in ["*.example.com", "*.example.co.uk", "*.me.github.io", "*.www.ck", "github.io", "co.uk"] {
        assert!(!pattern(text).is_below_public_suffix(), "{text}");
    }
}
