use super::*;

fn declared() -> Specification {
    Specification {
        name: "things".to_owned(),
        version: "1.0.0".to_owned(),
        config_schema: JsonObject::parse("{}").unwrap(),
        documentation_url: None,
        allowed_hosts: vec![],
    }
}

fn stream(name: &str) -> Stream {
    Stream {
        name: name.to_owned(),
        json_schema: JsonObject::parse("{}").unwrap(),
        supported_sync_modes: vec![SyncMode::FullRefresh],
        primary_key: vec![],
        cursor_field: vec![],
        resumable: false,
        group: None,
        selected_by_default: true,
        requests: None,
    }
}

/// What is returned, and has been converted.
struct Declared<T>(T);

impl TryFrom<Declared<Self>> for Specification {
    type Error = Error;

    fn try_from(declared: Declared<Self>) -> Result<Self> {
        Ok(declared.0)
    }
}

impl TryFrom<Declared<Self>> for Stream {
    type Error = Error;

    fn try_from(declared: Declared<Self>) -> Result<Self> {
        Ok(declared.0)
    }
}

fn refused(specification: Specification) -> String {
    super::specification(Declared(specification)).unwrap_err().to_string()
}

fn refused_stream(stream: Stream) -> String {
    streams(vec![Declared(stream)]).unwrap_err().to_string()
}

fn long(bound: Bound) -> String {
    "x".repeat(bound.most() + 1)
}

#[test]
fn what_is_at_a_bound_is_accepted() {
    let name = "x".repeat(Bound::Name.most());
    let specification = Specification {
        name: name.clone(),
        version: "x".repeat(Bound::Version.most()),
        documentation_url: Some("x".repeat(Bound::Url.most())),
        allowed_hosts: vec!["x".repeat(Bound::Host.most()); Bound::Hosts.most()],
        ..declared()
    };
    super::specification(Declared(specification)).unwrap();
    let path = vec![name.clone(); Bound::Path.most()];
    let key = vec![path.clone(); Bound::KeyFields.most()];
    let most = Stream { primary_key: key, cursor_field: path, ..stream(&name) };
    streams(vec![Declared(most)]).unwrap();
    let many = (0..Bound::Streams.most()).map(|number| Declared(stream(&number.to_string())));
    assert_eq!(streams(many.collect()).unwrap().len(), Bound::Streams.most());
}

#[test]
fn what_is_beyond_a_bound_is_refused_with_how_much_it_is() {
    assert_eq!(
        refused(Specification { name: "x".repeat(60_000_000), ..declared() }),
        "the connector declares a name of 60000000 bytes, and 255 is the most that is accepted"
    );
    for specification in [
        Specification { version: long(Bound::Version), ..declared() },
        Specification { documentation_url: Some(long(Bound::Url)), ..declared() },
        Specification { allowed_hosts: vec![String::new(); Bound::Hosts.most() + 1], ..declared() },
        Specification { allowed_hosts: vec![String::new(), long(Bound::Host)], ..declared() },
    ] {
        let refused = refused(specification);
        assert!(refused.ends_with("is the most that is accepted") && refused.len() < 200, "{refused}");
    }
    let path = vec![String::new(); Bound::Path.most() + 1];
    for stream in [
        Stream { primary_key: vec![vec![]; Bound::KeyFields.most() + 1], ..stream("a") },
        Stream { primary_key: vec![path.clone()], ..stream("a") },
        Stream { primary_key: vec![vec![long(Bound::Name)]], ..stream("a") },
        Stream { cursor_field: path, ..stream("a") },
        Stream { cursor_field: vec![long(Bound::Name)], ..stream("a") },
    ] {
        let refused = refused_stream(stream);
        assert!(refused.ends_with("is the most that is accepted") && refused.len() < 200, "{refused}");
    }
    let many = (0..=Bound::Streams.most()).map(|number| Declared(stream(&number.to_string())));
    assert_eq!(
        streams(many.collect()).unwrap_err().message(),
        "the connector declares a list of 10001 streams, and 10000 is the most that is accepted"
    );
    assert!(schema_of(&long(Bound::Name)).is_err());
}

#[test]
fn a_schema_has_so_many_bytes_and_levels() {
    let text = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    schema("it", &text(Bound::Schema.most())).unwrap();
    assert_eq!(
        schema("the config schema", &text(Bound::Schema.most() + 1)).unwrap_err().message(),
        "the connector declares the config schema of 1048577 bytes, and 1048576 is the most that is accepted"
    );
    let text = |levels: usize| format!(r#"{}1{}"#, r#"{"a":"#.repeat(levels), "}".repeat(levels));
    schema("it", &text(Bound::Nesting.most())).unwrap();
    assert!(schema("it", &text(Bound::Nesting.most() + 1)).is_err());
    assert!(schema("it", &text(100_000)).is_err());
}

#[test]
fn brackets_in_strings_are_no_levels() {
    assert_eq!(nesting(r#"{"[\"[":["\\",{}],"{":"}"}"#), 3);
    assert_eq!(nesting(r#"]]]["#), 1);
}

#[test]
fn streams_are_distinct_and_their_modes_count_once() {
    let accepted = streams(vec![Declared(Stream {
        supported_sync_modes: [SyncMode::Incremental, SyncMode::FullRefresh].repeat(1_000),
        ..stream("a")
    })]);
    assert_eq!(accepted.unwrap()[0].supported_sync_modes, [SyncMode::FullRefresh, SyncMode::Incremental]);
    let problem = |names: &[&str]| {
        streams(names.iter().map(|name| Declared(stream(name))).collect()).unwrap_err().to_string()
    };
    assert_eq!(problem(&["a", "a"]), "the connector has a stream that is called `a` like another");
    assert_eq!(problem(&[""]), "the connector has a stream that has no name");
    assert_eq!(
        refused_stream(Stream { supported_sync_modes: vec![], ..stream("a") }),
        "the connector has a stream that is called `a` and can be read in no sync mode"
    );
}
