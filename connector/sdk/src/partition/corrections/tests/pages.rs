//! The list of corrections itself.

use super::*;

#[test]
fn all_pages_are_read_one_after_the_other() {
    let mut corrected = Corrected::new(&ROW, instant("2024-03-01T00:00:00Z"), None, Memory::default());
    let days = [5, 7];
    for (token, next) in [(None, Some("next")), (Some("next"), None)] {
        assert!(!corrected.is_finished());
        let request = corrected.next_request().unwrap();
        assert_eq!(request.page_token.as_deref(), token);
        let day = days[usize::from(token.is_some())];
        let records = vec![correction(&day.to_string(), "done", day..day + 1, "null")];
        let next_token = next.map(str::to_owned);
        corrected.observe(Page { records, next_token, ..Page::default() }).unwrap();
    }
    assert!(corrected.is_finished() && corrected.next_request().is_none());
    assert_eq!(kept(&corrected, "{}"), [5, 7]);
    assert_eq!(corrected.log, [(Level::Info, "2 owners are new".to_owned())]);
}

#[test]
fn nothing_is_logged_if_none_is_new() {
    assert!(read("2024-03-01T00:00:00Z", Memory::default(), Vec::new()).log.is_empty());
}

#[test]
fn of_as_many_as_are_remembered_time_tells_whether_a_further_one_is_new() {
    let is_new = |count: usize| {
        let known = (0..count).map(|id| (format!("x{id}"), None)).collect();
        let memory = Memory { corrections: Some(known), ..Memory::default() };
        let old = vec![correction("a", "done", 5..6, "null")];
        !kept(&read("2024-03-10T00:00:00Z", memory, old), "{}").is_empty()
    };
    assert!(is_new(MAX_REMEMBERED - 1) && !is_new(MAX_REMEMBERED));
}
