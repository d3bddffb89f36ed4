//! Plugin data: a small key-value store on each access request, written by compare-and-set. It is not watched and it goes with its request.

use std::sync::Arc;

use tribunal_proto::types::{Metadata, PluginDataFilter, PluginDataUpdateParams, PluginDataV3};

use super::create::request_not_found;
use super::refusal::{bad_parameter, compare_failed};
use super::{Caller, Change, Cluster, KIND_ACCESS_PLUGIN_DATA, KIND_ACCESS_REQUEST, Refusal};
use crate::clock::Moment;

impl Cluster {
    /// `GetPluginData`.
    ///
    /// # Errors
    /// Without `list` and `read` on `access_plugin_data`; for another kind than access requests.
    pub fn get_plugin_data(&self, caller: &Caller, filter: &PluginDataFilter) -> Result<Vec<PluginDataV3>, Refusal> {
        check_kind(&filter.kind)?;
        self.require(caller, KIND_ACCESS_PLUGIN_DATA, &["list", "read"])?;
        let wanted = |data: &&PluginDataV3| {
            filter.resource.is_empty()
                || data.metadata.as_ref().is_some_and(|metadata| metadata.name == filter.resource)
        };
        let of_plugin = |data: &PluginDataV3| {
            let mut data = data.clone();
            if !filter.plugin.is_empty() {
                data.spec.get_or_insert_default().entries.retain(|plugin, _| *plugin == filter.plugin);
            }
            data
        };
        let found = self.plugin_data.values().filter(wanted).map(of_plugin);
        Ok(found.filter(|data| data.spec.as_ref().is_some_and(|spec| !spec.entries.is_empty())).collect())
    }

    /// `UpdatePluginData`: sets keys of one plugin, if the expected ones are as expected. An empty value removes its key.
    ///
    /// # Errors
    /// Without `update`; for another kind; for a request that does not exist; `FailedPrecondition` when an expectation is not met.
    pub fn update_plugin_data(
        &mut self,
        caller: &Caller,
        now: Moment,
        update: PluginDataUpdateParams,
    ) -> Result<(), Refusal> {
        check_kind(&update.kind)?;
        self.require(caller, KIND_ACCESS_PLUGIN_DATA, &["update"])?;
        if update.plugin.is_empty() {
            return Err(bad_parameter("missing plugin name"));
        }
        if !self.requests.contains_key(&update.resource) {
            return Err(request_not_found(&update.resource));
        }
        let mut data = self.plugin_data.get(&update.resource).cloned().unwrap_or_else(|| PluginDataV3 {
            kind: "plugin_data".to_owned(),
            sub_kind: KIND_ACCESS_REQUEST.to_owned(),
            version: "v3".to_owned(),
            metadata: Some(Metadata {
                name: update.resource.clone(),
                namespace: "default".to_owned(),
                ..Metadata::default()
            }),
            spec: None,
        });
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
        self.plugin_data.insert(update.resource, data.clone());
        self.record(now, &caller.user, Change::PluginDataPut(Arc::new(data)));
        Ok(())
    }
}

fn check_kind(kind: &str) -> Result<(), Refusal> {
    if kind == KIND_ACCESS_REQUEST {
        Ok(())
    } else {
        Err(bad_parameter(format!("plugin data of kind `{kind}` is not supported")))
    }
}
