//! Leaks its secrets into its log, a record, a state and an error.

use guests::{Batch, Error, Hostile, Level, Next, Value, batch, error, json, log, text};

struct Smuggler;

guests::hostile!(Smuggler);

impl Hostile for Smuggler {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let key = text(config, "api_key");
        let password = text(&config["credentials"], "password");
        if turn > 0 {
            let message = format!("{key}\n{password}");
            return Err(Error { internal_message: Some(message.clone()), ..error(message) });
        }
        for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error] {
            log(level, &format!("the key is {key}, the password is {password}"));
        }
        // No filter recognizes reversed text, so this shows what the guest was given.
        let backwards: String = key.chars().rev().collect();
        let record =
            json!({ "key": key, "list": [password], key: true, "backwards": backwards, "config": config });
        let state = json!({ "key": key, password: config });
        Ok(Some(Batch { checkpoint: Some(state.to_string()), ..batch([record.to_string()]) }))
    }
}
