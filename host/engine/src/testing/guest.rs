//! A policy in text, honest until one of its parts is replaced.

use std::fmt::Write as _;

/// Where the guest's constants begin in its memory; the heap begins at the second page.
const IMAGE_AT: u32 = 1_024;
/// Effects in the order of the contract: approve, deny, escalate, lock.
const EFFECTS: [u8; 4] = [0, 1, 2, 3];

/// Discriminant of the opinion `abstain`.
pub const OPINION_ABSTAIN: u8 = 0;
/// Discriminant of the opinion `approve`.
pub const OPINION_APPROVE: u8 = 1;
/// Discriminant of the opinion `deny`.
pub const OPINION_DENY: u8 = 2;
/// Discriminant of the opinion `escalate`.
pub const OPINION_ESCALATE: u8 = 3;

/// A lock order as a guest gives it.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The id of a request.
    pub request: &'a str,
    /// The rule.
    pub rule: &'a str,
    /// The reason.
    pub reason: &'a str,
    /// When the lock may end, in milliseconds.
    pub until: Option<u64>,
}

/// A policy in text. A new one is called `guest`, declares the rules `rule-a` and `rule-b` and all effects, takes any
/// settings, abstains and orders nothing. Its functions are WAT expressions that leave an address.
#[derive(Clone, Debug)]
pub struct Guest {
    image: Vec<u8>,
    name: String,
    rules: Vec<String>,
    effects: Vec<u8>,
    schema: String,
    memory: String,
    imports: String,
    fields: String,
    realloc: String,
    describe: Option<String>,
    configure: Option<String>,
    review: Option<String>,
    enforce: Option<String>,
}

impl Default for Guest {
    fn default() -> Self {
        Self::new()
    }
}

impl Guest {
    /// The honest policy.
    #[must_use]
    pub fn new() -> Self {
        Self {
            image: Vec::new(),
            name: "guest".into(),
            rules: vec!["rule-a".into(), "rule-b".into()],
            effects: EFFECTS.to_vec(),
            schema: String::new(),
            memory: "2".into(),
            imports: String::new(),
            fields: String::new(),
            realloc: REALLOC.into(),
            describe: None,
            configure: None,
            review: None,
            enforce: None,
        }
    }

    /// Another name in its description.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Other rules in its description.
    #[must_use]
    pub fn rules(mut self, rules: &[&str]) -> Self {
        self.rules = rules.iter().map(|&rule| rule.into()).collect();
        self
    }

    /// Other effects in its description: 0 approve, 1 deny, 2 escalate, 3 lock; other numbers break the contract.
    #[must_use]
    pub fn effects(mut self, effects: &[u8]) -> Self {
        self.effects = effects.to_vec();
        self
    }

    /// Another schema of settings in its description.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.schema = schema.into();
        self
    }

    /// Other limits of its memory in pages, such as `1 4`; at least two pages.
    #[must_use]
    pub fn memory(mut self, pages: &str) -> Self {
        self.memory = pages.into();
        self
    }

    /// Imports of its module; they come first in a module.
    #[must_use]
    pub fn import(mut self, imports: &str) -> Self {
        self.imports.push_str(imports);
        self
    }

    /// More fields of its module: functions, globals, tables, data.
    #[must_use]
    pub fn field(mut self, fields: &str) -> Self {
        self.fields.push_str(fields);
        self
    }

    /// Another body of `cabi_realloc`, with parameters 0 to 3: old address, old size, alignment, new size.
    #[must_use]
    pub fn realloc(mut self, body: &str) -> Self {
        self.realloc = body.into();
        self
    }

    /// Another body of `describe`.
    #[must_use]
    pub fn describe(mut self, body: &str) -> Self {
        self.describe = Some(body.into());
        self
    }

    /// Another body of `configure`, with parameters 0 and 1: address and length of the settings.
    #[must_use]
    pub fn configure(mut self, body: &str) -> Self {
        self.configure = Some(body.into());
        self
    }

    /// Another body of `review`, with parameter 0: address of case and request.
    #[must_use]
    pub fn review(mut self, body: &str) -> Self {
        self.review = Some(body.into());
        self
    }

    /// Another body of `enforce`; its parameters are the case, flat.
    #[must_use]
    pub fn enforce(mut self, body: &str) -> Self {
        self.enforce = Some(body.into());
        self
    }

    /// A policy that always answers this opinion.
    #[must_use]
    pub fn says(mut self, opinion: u8, grounds: &[(&str, &str)]) -> Self {
        let address = self.opinion(opinion, grounds);
        self.review(&format!("(i32.const {address})"))
    }

    /// A policy that always gives these orders.
    #[must_use]
    pub fn orders(mut self, orders: &[Order<'_>]) -> Self {
        let mut list = Vec::new();
        for order in orders {
            for text in [order.request, order.rule, order.reason] {
                let at = self.text(text);
                list.extend(pair(at, text.len()));
            }
            list.extend(u64::from(order.until.is_some()).to_le_bytes());
            list.extend(order.until.unwrap_or_default().to_le_bytes());
        }
        let at = self.put(&list);
        let address = self.put(&pair(at, orders.len()));
        self.enforce(&format!("(i32.const {address})"))
    }

    /// A policy that refuses every settings with these faults.
    #[must_use]
    pub fn refuses(mut self, faults: &[&str]) -> Self {
        let list = self.texts(faults);
        let mut result = 1_u32.to_le_bytes().to_vec();
        result.extend(pair(list, faults.len()));
        let address = self.put(&result);
        self.configure(&format!("(i32.const {address})"))
    }

    /// Puts an opinion into its memory; gives its address.
    pub fn opinion(&mut self, opinion: u8, grounds: &[(&str, &str)]) -> u32 {
        let mut list = Vec::new();
        for (rule, reason) in grounds {
            for text in [rule, reason] {
                let at = self.text(text);
                list.extend(pair(at, text.len()));
            }
        }
        let mut answer = u32::from(opinion).to_le_bytes().to_vec();
        if opinion == OPINION_DENY {
            let at = self.put(&list);
            answer.extend(pair(at, grounds.len()));
        } else {
            answer.extend(list);
        }
        // As long as the longest case.
        answer.resize(20, 0);
        self.put(&answer)
    }

    /// Puts a text into its memory; gives its address.
    pub fn text(&mut self, text: &str) -> u32 {
        self.put(text.as_bytes())
    }

    /// Puts bytes into its memory at a multiple of eight; gives their address.
    pub fn put(&mut self, bytes: &[u8]) -> u32 {
        self.image.resize(self.image.len().next_multiple_of(8), 0);
        let at = address(self.image.len());
        self.image.extend_from_slice(bytes);
        at
    }

    /// The component.
    ///
    /// # Panics
    /// If its parts do not fit together.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        super::component(&self.module())
    }

    /// The core module in text.
    #[must_use]
    pub fn module(&self) -> String {
        let mut guest = self.clone();
        let described = guest.description();
        let configured = guest.put(&[0; 12]);
        let abstain = guest.opinion(OPINION_ABSTAIN, &[]);
        let nothing = guest.put(&pair(0, 0));
        let body = |own: &Option<String>, address: u32| own.clone().unwrap_or_else(|| format!("(i32.const {address})"));
        let flat_case = format!("i64{}", " i32".repeat(15));
        format!(
            r#"(module {imports}
                (memory (export "memory") {memory})
                (global $heap (mut i32) (i32.const 65536))
                (data (i32.const {IMAGE_AT}) "{image}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                (func (export "describe") (result i32) {describe})
                (func (export "configure") (param i32 i32) (result i32) {configure})
                (func (export "review") (param i32) (result i32) {review})
                (func (export "enforce") (param {flat_case}) (result i32) {enforce})
                {fields})"#,
            imports = guest.imports,
            memory = guest.memory,
            image = escaped(&guest.image),
            realloc = guest.realloc,
            describe = body(&guest.describe, described),
            configure = body(&guest.configure, configured),
            review = body(&guest.review, abstain),
            enforce = body(&guest.enforce, nothing),
            fields = guest.fields,
        )
    }

    /// Puts the description into its memory.
    fn description(&mut self) -> u32 {
        let mut rules = Vec::new();
        for rule in self.rules.clone() {
            let at = self.text(&rule);
            rules.extend(pair(at, rule.len()));
            rules.extend(pair(0, 0));
        }
        let rules_at = self.put(&rules);
        let effects_at = self.put(&self.effects.clone());
        let (name, version) = (self.name.clone(), "1.0.0");
        let mut record = Vec::new();
        for text in [name.as_str(), version, "a guest of tests"] {
            let at = self.text(text);
            record.extend(pair(at, text.len()));
        }
        record.extend(pair(rules_at, self.rules.len()));
        record.extend(pair(effects_at, self.effects.len()));
        let schema = self.schema.clone();
        let at = self.text(&schema);
        record.extend(pair(at, schema.len()));
        self.put(&record)
    }

    fn texts(&mut self, texts: &[&str]) -> u32 {
        let mut list = Vec::new();
        for text in texts {
            let at = self.text(text);
            list.extend(pair(at, text.len()));
        }
        self.put(&list)
    }
}

/// Takes memory from the heap and grows it; traps where it cannot.
const REALLOC: &str = "(local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
        (then
            (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536)))))
                (then (unreachable)))))
    (local.get $at)";

fn address(offset: usize) -> u32 {
    IMAGE_AT + u32::try_from(offset).expect("a guest's constants fit into its memory")
}

/// Address and length, as the canonical ABI stores them.
fn pair(at: u32, len: usize) -> [u8; 8] {
    let len = u32::try_from(len).expect("a guest's lists are short");
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(at.to_le_bytes().into_iter().chain(len.to_le_bytes())) {
        *to = from;
    }
    bytes
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    })
}
