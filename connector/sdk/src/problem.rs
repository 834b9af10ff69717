//! Describes invalid responses, records, states and schemas.

use std::fmt;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    place: Option<String>,
}

impl Problem {
    /// Creates a problem from a clause such as `"id" is missing`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None }
    }

    /// Adds the part of the larger text that has the problem.
    #[must_use]
    pub fn within(self, place: impl Into<String>) -> Self {
        Self { message: self.to_string(), place: Some(place.into()) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Problem {}

impl From<json_text::Problem> for Problem {
    fn from(problem: json_text::Problem) -> Self {
        Self::new(problem.to_string())
    }
}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stand_in_front_of_the_message_outermost_first() {
        let problem = Problem::new("\"id\" is missing").within("a day").within("an element of \"data\"");
        assert_eq!(problem.to_string(), "an element of \"data\": a day: \"id\" is missing");
    }
}
