//! `rookery-loadgen`: one run of the load generator from the command line.
//!
//! `rookery-loadgen [CONFIG.json] [--key value]… [--progress]`: every key of the
//! configuration is an option (`--payload-bytes 64`); the report goes to standard output.

use std::process::ExitCode;

use rookery_bench::{BenchConfig, Progress, run};
use serde_json::{Map, Value};

/// Reads a value as JSON where it is JSON, as text where it is not.
fn value(key: &str, text: &str) -> Value {
    match key {
        "addresses" | "source_addresses" => {
            Value::Array(text.split(',').map(|part| Value::String(part.to_owned())).collect())
        }
        "protocol" | "client_id_prefix" | "username" | "password" | "topic_prefix"
        | "share_name" | "tls_ca_file" | "tls_cert_file" | "tls_key_file" | "tls_server_name"
        | "tls_version" | "websocket_path" => Value::String(text.to_owned()),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

fn configuration() -> Result<(BenchConfig, bool), String> {
    let mut keys = Map::new();
    let mut shows_progress = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--progress" {
            shows_progress = true;
        } else if let Some(option) = argument.strip_prefix("--") {
            let key = option.replace('-', "_");
            let text = arguments.next().ok_or_else(|| format!("--{option} needs a value"))?;
            let value = value(&key, &text);
            keys.insert(key, value);
        } else {
            let text = std::fs::read_to_string(&argument)
                .map_err(|error| format!("{argument}: {error}"))?;
            let read =
                serde_json::from_str(&text).map_err(|error| format!("{argument}: {error}"))?;
            let Value::Object(object) = read else {
                return Err(format!("{argument}: a JSON object is needed"));
            };
            keys.extend(object);
        }
    }
    let config = BenchConfig::from_json(&Value::Object(keys).to_string());
    Ok((config.map_err(|error| error.to_string())?, shows_progress))
}

fn main() -> ExitCode {
    let (config, shows_progress) = match configuration() {
        Ok(read) => read,
        Err(message) => {
            eprintln!("rookery-loadgen: {message}");
            return ExitCode::from(2);
        }
    };
    let mut show = |progress: Progress| {
        if shows_progress && let Ok(line) = serde_json::to_string(&progress) {
            eprintln!("{line}");
        }
        true
    };
    match run(&config, &mut show) {
        Ok(report) => {
            println!("{}", report.to_json());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("rookery-loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}
