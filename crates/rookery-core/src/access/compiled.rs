//! Rules and bans as all shards of a node share them: made ready once per change.

use std::sync::{Arc, Mutex, PoisonError};

use super::{AccessError, AccessTable, AuthorizationConfig, Ban, BanTable};

/// Settings and what was made of them.
type Made<S, T> = Mutex<Option<(Arc<S>, Arc<T>)>>;

/// What was made ready last, by the settings it was made of.
#[derive(Debug, Default)]
pub struct Compiled {
    rules: Made<AuthorizationConfig, AccessTable>,
    bans: Made<[Ban], BanTable>,
}

impl Compiled {
    /// The sources of `config`, ready to use.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used.
    pub fn rules(
        &self,
        config: &Arc<AuthorizationConfig>,
    ) -> Result<Arc<AccessTable>, AccessError> {
        let mut last = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, table)) = &*last
            && Arc::ptr_eq(of, config)
        {
            return Ok(table.clone());
        }
        let table = Arc::new(AccessTable::compile(config)?);
        *last = Some((config.clone(), table.clone()));
        Ok(table)
    }

    /// The bans, ready to use.
    ///
    /// # Errors
    ///
    /// The first ban that cannot be used.
    pub fn bans(&self, bans: &Arc<[Ban]>) -> Result<Arc<BanTable>, AccessError> {
        let mut last = self.bans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, table)) = &*last
            && Arc::ptr_eq(of, bans)
        {
            return Ok(table.clone());
        }
        let table = Arc::new(BanTable::compile(bans)?);
        *last = Some((bans.clone(), table.clone()));
        Ok(table)
    }
}
