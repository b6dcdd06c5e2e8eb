//! Secrets: where each is kept, and, for the code that acts, what it is.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::step::{Form, Written};
use crate::diagnostic::Span;

/// A secret as `[secrets]` declares it.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) keeper: Keeper<Written>,
    /// Its name, in the file.
    pub(crate) at: Span,
}

impl Secret {
    /// Whether it is this variable of the caller's environment.
    pub(crate) fn is_kept_by(&self, variable: &str) -> bool {
        matches!(&self.keeper, Keeper::Env(name) if name.as_plain() == Some(variable))
    }
}

/// Who keeps a secret. Paths are relative to the folder of the file that declares it.
#[derive(Clone, Debug)]
pub(crate) enum Keeper<F: Form> {
    /// A variable of the caller's environment.
    Env(F::Text),
    /// A file that holds nothing else; a newline at its end is not part of the secret.
    File(F::Text),
    /// What a program prints, without the newline at its end.
    Command(Vec<F::Text>),
    /// An entry of a dotenv file.
    Dotenv { path: F::Text, key: F::Text },
    /// A file that the `age` program decrypts, with the identities in another file.
    Age { path: F::Text, identity: Option<F::Text> },
}

/// The values of secrets, by their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Vault {
    values: HashMap<String, String>,
}

impl Vault {
    /// The value of a secret.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Every value.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.values().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Vault {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Vault {
        Vault { values: values.into_iter().collect() }
    }
}

/// The values of secrets in each environment: where one is kept may depend on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vaults {
    within: BTreeMap<Option<String>, Vault>,
    none: Vault,
}

impl Vaults {
    /// The secrets as seen in an environment, or outside of all.
    pub(crate) fn of(&self, environment: Option<&str>) -> &Vault {
        self.within.get(&environment.map(str::to_owned)).unwrap_or(&self.none)
    }

    /// Adds a secret's value.
    pub(crate) fn insert(&mut self, environment: Option<String>, name: String, value: String) {
        self.within.entry(environment).or_default().values.insert(name, value);
    }

    /// Every value.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.within.values().flat_map(Vault::values)
    }
}

impl fmt::Debug for Vault {
    /// The names alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
