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
mod tests;
