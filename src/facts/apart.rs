//! How far commits are apart, as far as this clone goes back.

use super::{LookError, Site};
use crate::model::release::ObjectId;
use crate::release::repository::Between;

/// How two commits lie to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Apart {
    /// What the second has and the first has not.
    pub(crate) ahead: Between,
    /// What the first has and the second has not.
    pub(crate) behind: Between,
}

impl Site {
    /// How the second commit lies to the first; none if this clone does not have both.
    pub(crate) fn apart(&self, first: &ObjectId, second: &ObjectId) -> Result<Option<Apart>, LookError> {
        let repository = self.repository()?;
        let (ahead, behind) = (repository.between(first, second)?, repository.between(second, first)?);
        Ok(ahead.zip(behind).map(|(ahead, behind)| Apart { ahead, behind }))
    }
}
