//! Has the streams listed in its config: each a name and a schema, valid or not, and maybe a group
//! and whether the stream is selected by default.

use guests::{Error, Hostile, Next, Stream, Value, stream};

struct Catalog;

guests::hostile!(Catalog);

impl Hostile for Catalog {
    fn discover(config: &Value) -> Result<Vec<Stream>, Error> {
        let streams = config["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
        let listed = |listed: &Value| {
            let mut stream = stream(listed[0].as_str().unwrap_or_default());
            if let Some(schema) = listed[1].as_str() {
                stream.json_schema = schema.into();
            }
            stream.group = listed[2].as_str().map(str::to_owned);
            stream.selected_by_default = listed[3] != false;
            stream.requests = stream.group.is_some().then(|| "3 in all".into());
            if config["modes"] == false {
                stream.supported_sync_modes.clear();
            }
            stream
        };
        Ok(streams.iter().map(listed).collect())
    }

    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}
