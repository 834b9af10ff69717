//! Answers requests in process, without a server.

use crate::account::Account;
use crate::endpoint::{Asked, Endpoint};
use crate::problem::Problem;
use crate::query::decode_query;

impl Account {
    /// Answers a request without a server: the status and the body. `target` is the path with the
    /// query, as sent. Nothing is authenticated, and no faults, limits or delays apply.
    #[must_use]
    pub fn respond(&self, method: &str, target: &str, body: &[u8]) -> (u16, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = decode_query(query);
        let answer = || {
            let method = method.parse().map_err(|_| Problem::url_not_found())?;
            let endpoint = Endpoint::parse(&method, path).ok_or_else(Problem::url_not_found)?;
            let asked = Asked { method: &method, path, query: &query, body: Some(body), repeat_token: false };
            endpoint.answer(self, asked)
        };
        match answer() {
            Ok(body) => (200, body),
            Err(problem) => (problem.status, problem.body()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn an_account_answers_as_its_server_does() {
        let account = Account::generate(&Settings::default());
        let (status, body) = account.respond("GET", "/v1/customers?limit=1", b"");
        assert_eq!(status, 200);
        assert!(body.starts_with("{\"data\":[{\"id\":"), "{body}");
        assert_eq!(account.respond("GET", "/v1/customers?limit=0", b"").0, 400);
        assert_eq!(account.respond("DELETE", "/v1/customers", b"").0, 404);
        assert_eq!(account.respond("no method", "/v1/customers", b"").0, 404);
    }
}
