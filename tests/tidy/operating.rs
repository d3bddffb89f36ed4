//! The pages for operators, `host/docs`, say what the sources say: every line of the log, every metric, the files to deploy.
//! It must never judge their words.

use std::collections::BTreeSet;

use clap::CommandFactory as _;

use super::tree::{file, files, none};

/// The daemon's own code: the simulated cluster and its users are not what operators run.
const ROOMS: [&str; 4] = ["host/src/", "host/teleport/src/", "host/engine/src/", "host/ledger/src/"];
const NOT_THE_DAEMON: [&str; 3] = ["host/src/dev/", "host/src/dev.rs", "host/src/cli/dev.rs"];
/// The levels that are logged where nobody asks for more.
const LEVELS: [&str; 3] = ["info", "warn", "error"];
/// How few lines would show that the sources are not read rightly.
const LINES_MIN: usize = 50;
/// The same of metrics.
const METRICS_MIN: usize = 20;

/// Levels and phrases of the events that a file logs; or what is wrong with one.
fn logged(text: &str) -> Vec<Result<(String, String), String>> {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for level in LEVELS {
        for (at, macro_name) in shipped.match_indices(&format!("{level}!(")) {
            let before = shipped.get(..at).unwrap();
            let line = before.rsplit('\n').next().unwrap();
            // `other_info!(` is another macro, and what stands in a comment is none.
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') || line.contains("//") {
                continue;
            }
            let arguments = shipped.get(at + macro_name.len()..).unwrap();
            let phrase = phrase(arguments).map(|phrase| (level.to_owned(), phrase));
            found.push(phrase.ok_or_else(|| format!("{level}!({}…", arguments.chars().take(60).collect::<String>())));
        }
    }
    found
}

/// The last text among the arguments of a macro that is no field's value.
fn phrase(arguments: &str) -> Option<String> {
    let (mut depth, mut last, mut found) = (1, ',', None);
    let mut rest = arguments.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                let mut text = String::new();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    match (c, rest.peek()) {
                        // The text goes on in the next line.
                        ('\\', Some('\n')) => while rest.next_if(|c| c.is_whitespace()).is_some() {},
                        ('\\', Some(_)) => text.extend(rest.next()),
                        (c, _) => text.push(c),
                    }
                }
                if depth == 1 && last == ',' {
                    found = Some(text);
                }
                last = '"';
            }
            '(' | '[' | '{' => (depth, last) = (depth + 1, c),
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return found;
                }
                last = c;
            }
            c if c.is_whitespace() => {}
            c => last = c,
        }
    }
    None
}

/// The cells of a page's table rows, as they are written.
fn rows(page: &str) -> Vec<Vec<String>> {
    let text = file(page);
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    cells.map(|line| line.split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in a cell in backticks, or between two of them where it has some itself.
fn code(cell: &str) -> &str {
    let doubled = cell.strip_prefix("`` ").and_then(|cell| cell.strip_suffix(" ``"));
    doubled.unwrap_or_else(|| cell.split('`').nth(1).unwrap_or_default())
}

fn differences(of: &str, there: &BTreeSet<String>, told: &BTreeSet<String>) -> Vec<String> {
    let silent = there.difference(told).map(|it| format!("{of} does not explain: {it}"));
    let gone = told.difference(there).map(|it| format!("{of} explains what is not there: {it}"));
    silent.chain(gone).collect()
}

#[test]
fn every_line_of_the_log_is_explained() {
    const PAGE: &str = "host/docs/LOG.md";
    let mut there = BTreeSet::new();
    let mut wrong = Vec::new();
    for source in files(".rs") {
        let is_ours = ROOMS.iter().any(|room| source.path.starts_with(room));
        let is_not = NOT_THE_DAEMON.iter().any(|part| source.path.starts_with(part));
        if !is_ours || is_not || source.path.contains("/tests") {
            continue;
        }
        for event in logged(&source.text) {
            match event {
                Ok((level, phrase)) => drop(there.insert(format!("{level}: {phrase}"))),
                Err(what) => wrong.push(format!("{}: no constant phrase at its end: {what}", source.path)),
            }
        }
    }
    assert!(there.len() >= LINES_MIN, "{there:?}");
    let explained = rows(PAGE).into_iter().filter(|cells| LEVELS.contains(&cells[0].as_str()));
    let mut told = BTreeSet::new();
    for cells in explained {
        if cells.len() != 3 || cells[2].len() < 10 {
            wrong.push(format!("{PAGE}: a row has level, line and meaning: {cells:?}"));
        }
        told.insert(format!("{}: {}", cells[0], code(&cells[1])));
    }
    wrong.extend(differences(PAGE, &there, &told));
    none(&wrong, "a line that nobody can read up on is no use at three in the morning");
}

#[test]
fn every_metric_is_explained() {
    const PAGE: &str = "host/docs/METRICS.md";
    // A metric is a name with its help behind it.
    let source = file("host/src/signs/metrics.rs");
    let shipped = source.split("#[cfg(test)]").next().unwrap();
    let texts: Vec<&str> = shipped.split('"').collect();
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let names = texts.windows(3).filter(|three| {
        is_name(three[0]) && three[1].trim() == "," && three[2].starts_with(|first: char| first.is_ascii_uppercase())
    });
    let there: BTreeSet<String> = names.map(|three| format!("tribunal_{}", three[0])).collect();
    assert!(there.len() >= METRICS_MIN, "{there:?}");
    let told =
        rows(PAGE).into_iter().map(|cells| code(&cells[0]).to_owned()).filter(|name| name.starts_with("tribunal_"));
    let told: BTreeSet<String> = told
        .map(|name| {
            // What Prometheus adds for kind and unit.
            let bare = |end: &str| name.strip_suffix(end).filter(|bare| there.contains(*bare));
            let bare = bare("_total").or_else(|| bare("_seconds")).or_else(|| bare("_info"));
            bare.unwrap_or(&name).to_owned()
        })
        .collect();
    none(&differences(PAGE, &there, &told), "what is measured is told");
}

#[test]
fn what_is_deployed_on_kubernetes_is_yaml_with_a_configuration_that_is_right() {
    let page = file("host/deploy/kubernetes.yaml");
    let objects: Vec<serde_json::Value> =
        page.split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect();
    let kinds: Vec<&str> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ConfigMap", "StatefulSet", "NetworkPolicy"]);
    let text = objects[0]["data"]["tribunal.toml"].as_str().unwrap();
    let config = tribunal::config::Config::from_toml(text, std::path::Path::new("/etc/tribunal/tribunal.toml"));
    let config = config.unwrap_or_else(|errors| panic!("{errors}"));
    let pod = &objects[1]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    // What the configuration names is what is mounted, and what the probes ask is open.
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mounted =
        |path: &std::path::Path| mounts.iter().any(|mount| path.starts_with(mount["mountPath"].as_str().unwrap()));
    assert!(mounted(&config.teleport.identity_file) && mounted(config.ledger_dir.as_ref().unwrap()));
    let port = container["ports"][0]["containerPort"].as_u64().unwrap();
    assert_eq!(config.health_listen.map(|listen| u64::from(listen.port())), Some(port));
    for (probe, path) in [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
    }
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 5);
    let beat = |key: &str| container["livenessProbe"][key].as_u64().unwrap();
    assert!(beat("periodSeconds") * beat("failureThreshold") >= 60, "a busy loop is no dead one");
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
}

#[test]
fn the_exit_codes_of_the_page_are_those_of_the_program() {
    let page = file("host/docs/OPERATING.md");
    let (_, table) = page.split_once("## Exit codes").unwrap();
    for command in tribunal::cli::args::Cli::command().get_subcommands().map(clap::Command::get_name) {
        assert!(table.contains(&format!("| `tribunal {command}` |")), "`{command}` is missing");
    }
    let source = file("host/src/cli.rs");
    for code in [
        "EXIT_OK: u8 = 0",
        "EXIT_ERROR: u8 = 1",
        "EXIT_USAGE: u8 = 2",
        "EXIT_UNKNOWN: u8 = 2",
        "EXIT_UNEXPECTED: u8 = 3",
    ] {
        assert!(source.contains(code), "`{code}` has changed: so has the page");
    }
}

#[test]
fn phrases_are_found_where_they_stand() {
    let text = r#"
        info!("One");
        tracing::warn!(%error, why = "no phrase", "Two; with \"quotes\"");
        error!(
            x = call("no phrase", |a| { a }),
            "Three, \
             in two lines"
        );
        // info!("In a comment");
        other_info!("Of another macro");
        warn!(%error, "Named {x}" = 3);
        #[cfg(test)]
        info!("In a test");
    "#;
    let found: Vec<_> = logged(text).into_iter().map(Result::ok).collect();
    let of = |level: &str, phrase: &str| Some((level.to_owned(), phrase.to_owned()));
    let expected = [
        of("info", "One"),
        of("warn", "Two; with \"quotes\""),
        of("warn", "Named {x}"),
        of("error", "Three, in two lines"),
    ];
    assert_eq!(found, expected);
    assert!(logged("info!(text);")[0].is_err());
}
