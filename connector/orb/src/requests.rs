//! Builds HTTP requests to Orb, with the API key.

use elt_sdk::http::Request;

use crate::config::Config;

/// Creates a `GET` of a path below the API's base URL.
pub fn get(config: &Config, path: &str, query: &[(String, String)]) -> Request {
    signed(config, Request::get(&config.api_url, path, query))
}

/// Creates a `POST` of JSON text to a path below the API's base URL.
pub fn post(config: &Config, path: &str, json: String) -> Request {
    signed(config, Request::post(&config.api_url, path, json))
}

fn signed(config: &Config, request: Request) -> Request {
    request
        .header("accept", "application/json")
        .bearer(&config.api_key)
        .header("user-agent", concat!("orb.wasm/", env!("CARGO_PKG_VERSION")))
}
