//! Puts tokens in the place of the secrets of a config.
//!
//! A value is a secret if anything that the schema says about its place carries `airbyte_secret`,
//! whichever of several alternatives applies. So is everything within it. All else stays as it was
//! written, to the last digit.
//!
//! A sealed secret can only become part of a header, so what no header can carry is rejected here,
//! where the name of the property is known. White space around it, which copying brings along, is
//! removed.

use json_text::{Json, Scanner, quoted};
use serde_json::Value;

use crate::error::{Error, Remedy, Result};
use crate::schema::{ELEMENTS, MEMBERS, NAMES, ResolvedSchema, below, expand, is_secret};
use crate::secrets::{Secret, Secrets};

/// What a connector is given in the place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handling {
    /// A token.
    Seal,
    /// The secret, as it was written.
    Expose,
}

/// Seals one config.
struct Sealer<'s> {
    schema: &'s ResolvedSchema,
    handling: Handling,
    secrets: Vec<Secret>,
    sealed: String,
    /// The names and numbers that lead to the current value.
    path: Vec<String>,
}

/// Finds the secrets of `config`, a valid JSON object that `schema` describes. Also returns the
/// config as the connector is given it.
///
/// # Errors
///
/// A config error that names a secret which cannot be sealed, because a header cannot carry it. A
/// system error if the schema marks names of properties, or if there are no random numbers.
pub(crate) fn seal(config: &str, schema: &ResolvedSchema, handling: Handling) -> Result<(String, Secrets)> {
    let mut sealer =
        Sealer { schema, handling, secrets: Vec::new(), sealed: String::new(), path: Vec::new() };
    sealer.seal_value(Json::checked(config), &[schema.root()], false)?;
    Ok((sealer.sealed, Secrets::new(sealer.secrets)))
}

impl<'s> Sealer<'s> {
    /// Seals one value. `schemas` are those of its place, and `secret` says whether it is within a
    /// secret.
    fn seal_value(&mut self, value: Json<'_>, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let schemas = expand(self.schema, schemas);
        let secret = secret || schemas.iter().any(|schema| is_secret(schema));
        match value.get().bytes().next() {
            Some(b'{') => self.seal_object(value, &schemas, secret),
            Some(b'[') => self.seal_list(value, &schemas, secret),
            Some(b'"' | b'-' | b'0'..=b'9') if secret => self.seal_scalar(value),
            _ => {
                self.sealed += value.get();
                Ok(())
            }
        }
    }

    fn seal_object(&mut self, object: Json<'_>, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let names: Vec<_> = schemas.iter().flat_map(|schema| below(schema, &NAMES)).collect();
        if self.handling == Handling::Seal && expand(self.schema, &names).into_iter().any(is_secret) {
            return Err(Error::system(
                "the config schema marks names of properties as secrets, which nothing can stand for",
            ));
        }
        let mut separator = "{";
        for (name, value) in members(object) {
            self.sealed += separator;
            separator = ",";
            self.sealed += name.get();
            self.sealed.push(':');
            let name = name.text().unwrap_or_else(|| name.get().into());
            let named = schemas.iter().filter_map(|schema| schema.get("properties")?.get(&*name));
            let schemas: Vec<_> =
                named.chain(schemas.iter().flat_map(|schema| below(schema, &MEMBERS))).collect();
            self.path.push(name.into_owned());
            self.seal_value(value, &schemas, secret)?;
            self.path.pop();
        }
        self.sealed += if separator == "{" { "{}" } else { "}" };
        Ok(())
    }

    fn seal_list(&mut self, list: Json<'_>, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let schemas: Vec<_> = schemas.iter().flat_map(|schema| below(schema, &ELEMENTS)).collect();
        let elements = list.list().unwrap_or_default();
        let mut separator = "[";
        for (index, element) in elements.iter().enumerate() {
            self.sealed += separator;
            separator = ",";
            self.path.push(index.to_string());
            self.seal_value(*element, &schemas, secret)?;
            self.path.pop();
        }
        self.sealed += if elements.is_empty() { "[]" } else { "]" };
        Ok(())
    }

    /// Seals a string or a number. Empty text is no secret, and is left for the connector to
    /// reject.
    fn seal_scalar(&mut self, value: Json<'_>) -> Result<()> {
        let text = value.text().unwrap_or_else(|| value.get().into());
        let core = text.trim_ascii();
        if core.is_empty() {
            self.sealed += value.get();
            return Ok(());
        }
        let property = self.path.join(".");
        if self.handling == Handling::Seal {
            check(&property, &text)?;
        }
        let known = self.secrets.iter().position(|secret| secret.value == core);
        let at = match known {
            Some(at) => at,
            None => {
                let secret = match self.handling {
                    Handling::Seal => Secret::seal(core)?,
                    Handling::Expose => Secret::expose(core),
                };
                self.secrets.push(secret.of(property));
                self.secrets.len() - 1
            }
        };
        self.sealed += &match self.handling {
            Handling::Seal => quoted(&self.secrets[at].token),
            Handling::Expose => value.get().to_owned(),
        };
        Ok(())
    }
}

/// Checks that a header can carry a secret: without the white space around it, it must be printable
/// ASCII. Other characters come from copying, and servers understand them differently, if at all.
fn check(property: &str, text: &str) -> Result<()> {
    let printable = |character: char| matches!(character, ' '..='~');
    let leading = text.len() - text.trim_ascii_start().len();
    let before = text[..leading].chars().count();
    let found = text.trim_ascii().chars().enumerate().find(|(_, character)| !printable(*character));
    let Some((index, character)) = found else { return Ok(()) };
    let what = match character {
        '\n' | '\r' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        other if other.is_alphanumeric() => {
            format!("a character that is not ASCII (U+{:04X})", u32::from(other))
        }
        other => format!("a character that cannot be seen or is not ASCII (U+{:04X})", u32::from(other)),
    };
    Err(Error::config(format!(
        "the config is not valid: `{property}` has {what} as its character {}; copy it again from where it was \
         made, without what does not belong to it",
        before + index + 1
    ))
    .with_hint(
        "a secret is sent in a header, so it may have letters, digits, punctuation and spaces of ASCII only; a \
         connector that needs another one as it is can be given it",
    )
    .with_remedy(Remedy::ExposeSecrets))
}

/// The members of an object in their order, repeated names included: each may be the one that a
/// connector reads.
fn members(object: Json<'_>) -> Vec<(Json<'_>, Json<'_>)> {
    let mut members = Vec::new();
    // A config was checked when it was parsed.
    let _ = Scanner::new(object.get()).object(|name, value| members.push((name, value)));
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(schema: &Value) -> ResolvedSchema {
        ResolvedSchema::of(schema).unwrap()
    }

    /// Seals by a schema, and shows each value in brackets in the place of its token.
    fn sealed(schema: &Value, config: &str) -> String {
        let (text, secrets) = seal(config, &resolved(schema), Handling::Seal).unwrap();
        let brackets =
            |text: String, secret: &Secret| text.replace(&secret.token, &format!("<{}>", secret.value));
        secrets.list().iter().fold(text, brackets)
    }

    #[test]
    fn only_what_is_marked_is_sealed_and_the_rest_is_kept_to_the_last_digit() {
        let schema = json!({"properties": {"key": {"airbyte_secret": true}, "days": {"type": "number"}}});
        assert_eq!(
            sealed(&schema, r#"{"z":1.50,"key":"k","days":3e400,"other":"k\u00e9y"}"#),
            r#"{"z":1.50,"key":"<k>","days":3e400,"other":"k\u00e9y"}"#
        );
        assert_eq!(sealed(&schema, "{}"), "{}");
    }

    #[test]
    fn nested_secrets_are_found() {
        let schema = json!({
            "properties": {
                "login": {"oneOf": [{"properties": {"kind": {}}}, {"properties": {"token": {"airbyte_secret": true}}}]},
                "many": {"items": {"properties": {"token": {"airbyte_secret": true}}}},
                "named": {"additionalProperties": {"$ref": "#/definitions/secret"}},
                "whole": {"airbyte_secret": true},
            },
            "definitions": {"secret": {"airbyte_secret": true, "anyOf": [{"$ref": "#/definitions/secret"}]}},
        });
        assert_eq!(
            sealed(
                &schema,
                r#"{"login":{"kind":"a","token":"b"},"many":[{"token":"c"},{"token":""}],"named":{"x":"d"},"whole":{"a":["e",7,null,true]}}"#
            ),
            r#"{"login":{"kind":"a","token":"<b>"},"many":[{"token":"<c>"},{"token":""}],"named":{"x":"<d>"},"whole":{"a":["<e>","<7>",null,true]}}"#
        );
    }

    #[test]
    fn a_repeated_name_is_sealed_each_time() {
        let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
        assert_eq!(sealed(&schema, r#"{"key":"a","key":"b"}"#), r#"{"key":"<a>","key":"<b>"}"#);
    }

    #[test]
    fn white_space_around_a_secret_is_taken_off() {
        let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
        assert_eq!(sealed(&schema, r#"{"key":" \ta b\r\n"}"#), r#"{"key":"<a b>"}"#);
        assert_eq!(sealed(&schema, r#"{"key":" \n"}"#), r#"{"key":" \n"}"#);
    }

    #[test]
    fn what_a_header_cannot_carry_is_named_with_its_property_and_place_and_without_the_secret() {
        let schema = json!({"properties": {
            "key": {"airbyte_secret": true},
            "logins": {"items": {"properties": {"token": {"airbyte_secret": true}}}},
        }});
        let problem = |config: &Value| {
            let config = config.to_string();
            let error = seal(&config, &resolved(&schema), Handling::Seal).unwrap_err();
            assert_eq!(error.failure_type(), crate::FailureType::Config);
            assert!(!error.message().contains("sesame") && error.message().contains("copy it again"));
            error.message().to_owned()
        };
        for (character, what) in [
            ('\t', "a tab"),
            ('\n', "a line break"),
            ('\r', "a line break"),
            ('\0', "U+0000"),
            ('\u{7f}', "U+007F"),
            ('\u{a0}', "U+00A0"),
            ('\u{e9}', "U+00E9"),
            ('\u{200b}', "U+200B"),
            ('\u{feff}', "U+FEFF"),
            ('\u{1f511}', "U+1F511"),
        ] {
            let problem = problem(&json!({ "key": format!(" sesame{character}open\n") }));
            assert!(problem.contains("`key` has") && problem.contains("its character 8;"), "{problem}");
            assert!(problem.contains(what), "{problem}");
        }
        assert!(problem(&json!({ "key": "\u{feff}sesame" })).contains("its character 1;"));
        let nested = problem(&json!({ "logins": [{}, { "token": "sesame\u{a0}" }] }));
        assert!(nested.contains("`logins.1.token`"), "{nested}");
    }

    #[test]
    fn what_is_exposed_stays_as_it_was_written() {
        let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
        let config = r#"{"key":" -----BEGIN\n\u00e9\n-----END\n "}"#;
        let (text, secrets) = seal(config, &resolved(&schema), Handling::Expose).unwrap();
        assert_eq!(text, config);
        assert_eq!(secrets.list()[0].value, "-----BEGIN\n\u{e9}\n-----END");
    }

    #[test]
    fn one_value_has_one_token() {
        let schema = json!({"additionalProperties": {"airbyte_secret": true}});
        let (text, secrets) = seal(r#"{"a":"x","b":"x"}"#, &resolved(&schema), Handling::Seal).unwrap();
        assert_eq!(secrets.list().len(), 1);
        assert_eq!(text.matches(&secrets.list()[0].token).count(), 2);
    }

    #[test]
    fn a_secret_is_found_wherever_the_schema_marks_it() {
        let mark = json!({"airbyte_secret": true});
        let key = json!({"properties": {"key": {"airbyte_secret": true}}});
        for schema in [
            json!({"allOf": [key]}),
            json!({"anyOf": [{}, key]}),
            json!({"oneOf": [true, key]}),
            json!({"not": {"not": key}}),
            json!({"if": key}),
            json!({"if": {}, "then": key}),
            json!({"if": {}, "else": key}),
            json!({"dependencies": {"key": key, "other": ["key"]}}),
            json!({"dependentSchemas": {"key": key}}),
            json!({"patternProperties": {"^k": mark}}),
            json!({"additionalProperties": mark}),
            json!({"unevaluatedProperties": mark}),
            json!({"properties": {"key": {"airbyte_secret": "true"}}}),
            json!({"properties": {"key": {"$ref": "#/definitions/a"}}, "definitions": {"a": mark}}),
            json!({"properties": {"key": {"$ref": "#/$defs/a%62"}}, "$defs": {"ab": mark}}),
            json!({"properties": {"key": {"$ref": "#a"}}, "definitions": {"x": {"$id": "#a", "airbyte_secret": true}}}),
            json!({"properties": {"key": {"$ref": "#a"}}, "$defs": {"x": {"$anchor": "a", "airbyte_secret": true}}}),
            json!({"properties": {"key": {"$ref": "a.json"}}, "$defs": {"x": {"$id": "a.json", "airbyte_secret": true}}}),
            json!({"$id": "http://h/s", "properties": {"key": {"$ref": "/a#/definitions/b"}},
                "definitions": {"x": {"$id": "a", "definitions": {"b": mark}}}}),
            json!({"properties": {"key": {"$ref": "#/properties/other", "airbyte_secret": true}, "other": {}}}),
            json!({"properties": {"key": {"allOf": [{"$ref": "#/x-own/deep"}]}}, "x-own": {"deep": {"$ref": "#/x-own/more"}, "more": mark}}),
            json!({"$ref": "#/definitions/whole", "definitions": {"whole": key}}),
        ] {
            assert_eq!(sealed(&schema, r#"{"key":"k"}"#), r#"{"key":"<k>"}"#, "{schema}");
        }
        for (schema, expected) in [
            (json!({"items": mark}), r#"["<a>","<b>"]"#),
            (json!({"items": [{}, mark]}), r#"["<a>","<b>"]"#),
            (json!({"prefixItems": [{}, mark]}), r#"["<a>","<b>"]"#),
            (json!({"items": [{}], "additionalItems": mark}), r#"["<a>","<b>"]"#),
            (json!({"contains": mark}), r#"["<a>","<b>"]"#),
            (json!({"unevaluatedItems": mark}), r#"["<a>","<b>"]"#),
            (mark.clone(), r#"["<a>","<b>"]"#),
            (json!({"items": {"properties": {"airbyte_secret": mark}}}), r#"["a","b"]"#),
        ] {
            let schema = json!({"properties": {"list": schema}});
            assert_eq!(
                sealed(&schema, r#"{"list":["a","b"]}"#),
                format!(r#"{{"list":{expected}}}"#),
                "{schema}"
            );
        }
    }

    #[test]
    fn names_that_are_secrets_cannot_be_sealed() {
        let schema = resolved(&json!({"properties": {"keys": {"propertyNames": {"airbyte_secret": true}}}}));
        let error = seal(r#"{"keys":{"k":1}}"#, &schema, Handling::Seal).unwrap_err();
        assert_eq!(error.failure_type(), crate::FailureType::System);
        assert!(seal(r#"{"other":{"k":1}}"#, &schema, Handling::Seal).is_ok());
    }
}
