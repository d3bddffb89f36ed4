//! Plugin data: a small key-value store on each access request, written by compare-and-set. It is never watched.

use std::sync::Arc;

use prost::Message as _;
use tribunal_proto::types::{Metadata, PluginDataFilter, PluginDataUpdateParams, PluginDataV3};

use super::create::request_not_found;
use super::refusal::{bad_parameter, compare_failed};
use super::{Caller, Change, Cluster, KIND_ACCESS_PLUGIN_DATA, KIND_ACCESS_REQUEST, Refusal, spec_of};
use crate::clock::Moment;

/// Largest plugin data of one request (Teleport's `MaxResourceSize`).
const PLUGIN_DATA_BYTES_MAX: usize = 1_000_000;
/// How long plugin data stay after the access ended.
const OUTLIVES_ACCESS_MS: i64 = 60 * 60 * 1000;

impl Cluster {
    /// `GetPluginData`.
    ///
    /// # Errors
    /// Without `list` and `read`, each on `access_plugin_data` or on `access_request`; for another kind than access requests.
    pub fn get_plugin_data(&self, caller: &Caller, filter: &PluginDataFilter) -> Result<Vec<PluginDataV3>, Refusal> {
        check_kind(&filter.kind)?;
        self.require_on_data(caller, &["list", "read"])?;
        let wanted = |(request, data): &(&String, &PluginDataV3)| {
            let of_plugin = || data.spec.as_ref().is_some_and(|spec| spec.entries.contains_key(&filter.plugin));
            (filter.resource.is_empty() || **request == filter.resource) && (filter.plugin.is_empty() || of_plugin())
        };
        Ok(self.plugin_data.iter().filter(wanted).map(|(_, data)| data.clone()).collect())
    }

    /// `UpdatePluginData`: sets keys of one plugin, if the expected ones are as expected. An empty value removes its key.
    ///
    /// # Errors
    /// Without `update` on `access_plugin_data` or on `access_request`; for another kind; for a request that does not exist; `FailedPrecondition` when an expectation is not met.
    pub fn update_plugin_data(
        &mut self,
        caller: &Caller,
        now: Moment,
        update: PluginDataUpdateParams,
    ) -> Result<(), Refusal> {
        check_kind(&update.kind)?;
        self.require_on_data(caller, &["update"])?;
        if update.plugin.is_empty() {
            return Err(bad_parameter("missing plugin name"));
        }
        let mut data = match self.plugin_data.get(&update.resource) {
            Some(data) => data.clone(),
            None => self.new_plugin_data(&update.resource)?,
        };
        data.metadata.get_or_insert_default().revision = self.ids.revision();
        let entries = &mut data.spec.get_or_insert_default().entries;
        let entry = entries.entry(update.plugin.clone()).or_default();
        for (key, expected) in &update.expect {
            if entry.data.get(key).map_or("", String::as_str) != expected {
                return Err(compare_failed(format!(
                    "expectations not met for field `{key}` of plugin `{}`",
                    update.plugin
                )));
            }
        }
        for (key, value) in update.set {
            if value.is_empty() {
                entry.data.remove(&key);
            } else {
                entry.data.insert(key, value);
            }
        }
        if entry.data.is_empty() {
            entries.remove(&update.plugin);
        }
        if data.encoded_len() > PLUGIN_DATA_BYTES_MAX {
            return Err(bad_parameter(format!(
                "plugin data are too large: at most {PLUGIN_DATA_BYTES_MAX} bytes for each request"
            )));
        }
        self.plugin_data.insert(update.resource, data.clone());
        self.record(now, &caller.user, Change::PluginDataPut(Arc::new(data)));
        Ok(())
    }
}

impl Cluster {
    /// A verb on access requests counts for their plugin data too, as it did before plugin data had a kind of their own.
    fn require_on_data(&self, caller: &Caller, verbs: &[&str]) -> Result<(), Refusal> {
        verbs
            .iter()
            .filter(|verb| !self.can(caller, KIND_ACCESS_REQUEST, verb))
            .try_for_each(|verb| self.require(caller, KIND_ACCESS_PLUGIN_DATA, &[verb]))
    }

    /// They outlive the request a little, so that plugins can still read them when it ends.
    fn new_plugin_data(&self, id: &str) -> Result<PluginDataV3, Refusal> {
        let request = self.requests.get(id).ok_or_else(|| request_not_found(id))?;
        let ends = Moment::from_proto(spec_of(request).expires.as_ref())
            .map(|ends| ends.plus_ms(OUTLIVES_ACCESS_MS).to_proto());
        Ok(PluginDataV3 {
            kind: "plugin_data".to_owned(),
            sub_kind: KIND_ACCESS_REQUEST.to_owned(),
            version: "v3".to_owned(),
            metadata: Some(Metadata {
                name: id.to_owned(),
                namespace: "default".to_owned(),
                expires: ends,
                ..Metadata::default()
            }),
            spec: None,
        })
    }
}

fn check_kind(kind: &str) -> Result<(), Refusal> {
    if kind == KIND_ACCESS_REQUEST {
        Ok(())
    } else {
        Err(bad_parameter(format!("plugin data of kind `{kind}` is not supported")))
    }
}
