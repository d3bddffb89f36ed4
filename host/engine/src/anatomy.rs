//! What can be seen of a plugin's bytes from outside, however broken they are: for whoever wants to know why it does not
//! load. It compiles and runs nothing.

use wasmparser::{
    BinaryReader, ComponentName, ComponentNameSectionReader, ComponentTypeRef, CustomSectionReader, Parser, Payload,
    ProducersSectionReader, TypeBounds,
};

use crate::digest::Digest;
use crate::engine::limits::Limits;
use crate::inspect;
use crate::load::LoadProblem;
use crate::text;

/// Imports and exports that are shown.
const SHOWN_MAX: usize = 256;
/// Bytes that are shown of a name or of a line of metadata.
const SHOWN_BYTES_MAX: usize = 512;
/// Bytes of a page of memory.
const PAGE_BYTES: u64 = 64 * 1024;
/// Custom sections that are a line of text each, as registries read them.
const TEXTS: [&str; 7] = ["authors", "description", "homepage", "licenses", "revision", "source", "version"];

/// What bytes are, by their first eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebAssembly component.
    Component,
    /// A core module, which is not wrapped into a component.
    CoreModule,
    /// WebAssembly in text.
    Text,
    /// Something else.
    Other,
}

/// An import, and whether policies get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// Why not, and what to do.
    pub refused: Option<LoadProblem>,
}

/// One tool that made the plugin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Which.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a plugin wants from the start, whatever it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Core modules in it.
    pub modules: u64,
    /// Bytes of its memories together.
    pub memory_bytes: u64,
    /// Elements of its tables together.
    pub table_elements: u64,
    /// Functions with code.
    pub functions: u64,
    /// Bytes of the longest of them.
    pub function_bytes: u64,
}

/// What is seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anatomy {
    /// The SHA-256 of the bytes.
    pub digest: Digest,
    /// How many they are.
    pub bytes: u64,
    /// What they are.
    pub kind: Kind,
    /// The version of the contract that it is built against, as its imports name it.
    pub contract: Option<String>,
    /// What it wants from the host.
    pub imports: Vec<Import>,
    /// What it gives.
    pub exports: Vec<String>,
    /// What of the world `policy` it does not give.
    pub missing: Vec<&'static str>,
    /// What it says about itself in custom sections: key and value.
    pub metadata: Vec<(String, String)>,
    /// What made it.
    pub producers: Vec<Producer>,
    /// What it wants from the start.
    pub needs: Needs,
    /// Why it would not even be compiled.
    pub problem: Option<LoadProblem>,
}

// === impl Anatomy ===

impl Anatomy {
    /// Looks at a plugin's bytes, as far as they can be read.
    #[must_use]
    pub fn of(plugin: &[u8], limits: &Limits) -> Self {
        let mut seen = Self {
            digest: Digest::of(plugin),
            bytes: u64::try_from(plugin.len()).unwrap_or(u64::MAX),
            kind: kind(plugin),
            contract: None,
            imports: Vec::new(),
            exports: Vec::new(),
            missing: Vec::new(),
            metadata: Vec::new(),
            producers: Vec::new(),
            needs: Needs::default(),
            problem: inspect::inspect(plugin, limits).err(),
        };
        if matches!(seen.kind, Kind::Component | Kind::CoreModule) && plugin.len() <= limits.component_bytes_max {
            // Where the bytes break off, what stands before it is shown; `problem` says the rest.
            let _broken_off = seen.walk(plugin);
        }
        seen.missing = inspect::missing(&seen.exports);
        seen.producers.sort();
        seen.producers.dedup();
        seen
    }

    fn walk(&mut self, plugin: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(plugin) {
            #[expect(clippy::wildcard_enum_match_arm, reason = "sections that people do not ask about")]
            match payload? {
                Payload::ModuleSection { .. } => {
                    depth = depth.saturating_add(1);
                    self.needs.modules = self.needs.modules.saturating_add(1);
                }
                Payload::ComponentSection { .. } => depth = depth.saturating_add(1),
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let bytes = memory?.initial.saturating_mul(PAGE_BYTES);
                        self.needs.memory_bytes = self.needs.memory_bytes.saturating_add(bytes);
                    }
                }
                Payload::TableSection(tables) => {
                    for table in tables {
                        self.needs.table_elements = self.needs.table_elements.saturating_add(table?.ty.initial);
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    self.needs.functions = self.needs.functions.saturating_add(1);
                    let bytes = u64::try_from(body.range().len()).unwrap_or(u64::MAX);
                    self.needs.function_bytes = self.needs.function_bytes.max(bytes);
                }
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        let import = import?;
                        if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                            self.import(import.name.name);
                        }
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        let name = shown(export?.name.name);
                        if self.exports.len() < SHOWN_MAX {
                            self.exports.push(name);
                        }
                    }
                }
                Payload::ExportSection(exports) if depth == 0 => {
                    for export in exports {
                        let name = shown(export?.name);
                        if self.exports.len() < SHOWN_MAX {
                            self.exports.push(name);
                        }
                    }
                }
                Payload::CustomSection(section) => self.custom(&section, depth == 0),
                _ => {}
            }
        }
        Ok(())
    }

    fn import(&mut self, name: &str) {
        if let Some(version) = inspect::contract_version(name) {
            self.contract.get_or_insert_with(|| shown(version));
        }
        if self.imports.len() < SHOWN_MAX {
            self.imports.push(Import { name: shown(name), refused: inspect::check_import(name).err() });
        }
    }

    /// Metadata stands on the outermost layer, producers on any. What cannot be read is nobody's loss.
    fn custom(&mut self, section: &CustomSectionReader<'_>, is_outermost: bool) {
        let data = BinaryReader::new(section.data(), section.data_offset());
        match section.name() {
            "producers" => {
                let _unreadable = self.producers(data);
            }
            "component-name" if is_outermost => {
                for name in ComponentNameSectionReader::new(data).flatten() {
                    if let ComponentName::Component { name, .. } = name {
                        self.metadata.push(("name".to_owned(), shown(name)));
                    }
                }
            }
            known if is_outermost && TEXTS.contains(&known) && self.metadata.len() < SHOWN_MAX => {
                self.metadata.push((known.to_owned(), shown(&String::from_utf8_lossy(section.data()))));
            }
            _ => {}
        }
    }

    fn producers(&mut self, data: BinaryReader<'_>) -> Result<(), wasmparser::BinaryReaderError> {
        for field in ProducersSectionReader::new(data)? {
            let field = field?;
            for value in field.values {
                let value = value?;
                if self.producers.len() < SHOWN_MAX {
                    let (field, name, version) = (shown(field.name), shown(value.name), shown(value.version));
                    self.producers.push(Producer { field, name, version });
                }
            }
        }
        Ok(())
    }
}

fn kind(plugin: &[u8]) -> Kind {
    match inspect::check_kind(plugin) {
        Ok(()) => Kind::Component,
        Err(LoadProblem::CoreModule) => Kind::CoreModule,
        Err(LoadProblem::Text) => Kind::Text,
        Err(_) => Kind::Other,
    }
}

fn shown(text: &str) -> String {
    text::clip(text, SHOWN_BYTES_MAX)
}
