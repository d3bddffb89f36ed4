//! The files of projects, compiled in from `guest-sdk/` and `wit/`. It must never hold a text of its own but what git ignores.

use super::Language;

/// A path in the project, and a text.
type Part = (&'static str, &'static str);

/// Files of `guest-sdk/`: where they go to, and where they come from.
macro_rules! parts {
    ($($to:literal = $from:literal),+ $(,)?) => {
        &[
            (".gitignore", IGNORED),
            ("suite.toml", include_str!("../../../../guest-sdk/suite.toml")),
            $(($to, include_str!(concat!("../../../../guest-sdk/", $from)))),+
        ]
    };
}

/// The same of files that are not the author's, beside the contract.
macro_rules! sdk {
    ($under:literal = $from:literal: $($file:literal),+ $(,)?) => {
        &[
            ("wit/policy.wit", include_str!("../../../../wit/policy.wit")),
            $((concat!($under, $file), include_str!(concat!("../../../../guest-sdk/", $from, $file)))),+
        ]
    };
}

/// What is made anew.
const IGNORED: &str = "/build/\n/target/\n/node_modules/\n__pycache__/\n";

/// What is the author's from the first day.
pub(super) const fn mine(language: Language) -> &'static [Part] {
    match language {
        Language::Rust => parts! {
            "Cargo.lock" = "rust/template/Cargo.lock",
            "Cargo.toml" = "rust/template/Cargo.toml",
            "README.md" = "rust/template/README.md",
            "rust-toolchain.toml" = "rust/template/rust-toolchain.toml",
            "src/lib.rs" = "rust/template/src/lib.rs",
            "tribunal/rust/Cargo.toml" = "rust/template/sdk.toml",
        },
        Language::Js => parts! {
            "README.md" = "js/template/README.md",
            "package-lock.json" = "js/template/package-lock.json",
            "package.json" = "js/template/package.json",
            "policy.js" = "js/template/policy.js",
            "policy.test.js" = "js/template/policy.test.js",
        },
        Language::Ts => parts! {
            "README.md" = "js/template-ts/README.md",
            "package-lock.json" = "js/template-ts/package-lock.json",
            "package.json" = "js/template-ts/package.json",
            "policy.test.ts" = "js/template-ts/policy.test.ts",
            "policy.ts" = "js/template-ts/policy.ts",
            "tsconfig.json" = "js/template-ts/tsconfig.json",
        },
        Language::Python => parts! {
            "README.md" = "python/template/README.md",
            "policy.py" = "python/template/policy.py",
            "pyproject.toml" = "python/template/pyproject.toml",
            "requirements.txt" = "python/template/requirements.txt",
            "test_policy.py" = "python/template/test_policy.py",
        },
        Language::Go => parts! {
            "README.md" = "go/template/README.md",
            "go.mod" = "go/template/go.mod",
            "policy.go" = "go/template/policy.go",
            "policy_test.go" = "go/template/policy_test.go",
        },
        Language::C => parts! {
            "Makefile" = "c/template/Makefile",
            "README.md" = "c/template/README.md",
            "policy.c" = "c/template/policy.c",
            "requirements.txt" = "c/template/requirements.txt",
            "test_policy.c" = "c/template/test_policy.c",
        },
    }
}

/// What a newer host would replace.
pub(super) const fn given(language: Language) -> &'static [Part] {
    match language {
        Language::Rust => sdk! {
            "tribunal/rust/src/" = "rust/src/":
            "bare.rs",
            "bare/memory.rs",
            "bare/message.rs",
            "bare/wasm.rs",
            "bindings.rs",
            "case.rs",
            "lib.rs",
            "log.rs",
            "opinion.rs",
            "policy.rs",
            "runtime.rs",
            "settings.rs",
            "testing.rs",
            "testing/cases.rs",
            "testing/contract.rs",
        },
        Language::Js | Language::Ts => sdk! {
            "tribunal/" = "js/tribunal/":
            "adapt.js",
            "component.js",
            "contract.d.ts",
            "index.js",
            "settings.js",
            "testing.js",
        },
        Language::Python => sdk! {
            "tribunal/" = "python/tribunal/":
            "__init__.py",
            "adapt.py",
            "bindings/componentize_py_types.py",
            "bindings/wit_world/__init__.py",
            "bindings/wit_world/imports/__init__.py",
            "bindings/wit_world/imports/log.py",
            "bindings/wit_world/imports/types.py",
            "component.py",
            "settings.py",
            "testing.py",
        },
        Language::Go => sdk! {
            "tribunal/" = "go/tribunal/":
            "answers.go",
            "contract.go",
            "export.go",
            "export_wasip1.go",
            "log.go",
            "memory_wasip1.go",
            "policy.go",
            "questions.go",
            "records_wasip1.go",
            "settings.go",
            "tribunaltest/tribunaltest.go",
        },
        Language::C => sdk! {
            "tribunal/" = "c/tribunal/":
            "policy.c",
            "policy.h",
            "settings.c",
            "testing.h",
            "tribunal.c",
            "tribunal.h",
        },
    }
}

/// Where these files come from, under `guest-sdk/`.
#[cfg(test)]
pub(super) const fn places(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &["rust/src", "rust/template"],
        Language::Js => &["js/tribunal", "js/template"],
        Language::Ts => &["js/tribunal", "js/template-ts"],
        Language::Python => &["python/tribunal", "python/template"],
        Language::Go => &["go/tribunal", "go/template"],
        Language::C => &["c/tribunal", "c/template"],
    }
}
