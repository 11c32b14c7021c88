//! `hocon_to_json [FILE]`: reads HOCON, writes JSON; `--origins` adds files and lines.

use std::collections::HashMap;
use std::io::Read as _;

use rookery_hocon::{FileIncludes, parse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has_origins = arguments.iter().any(|argument| argument == "--origins");
    let file = arguments.iter().find(|argument| !argument.starts_with("--"));
    let (text, source) = match file {
        Some(path) => (std::fs::read_to_string(path)?, path.clone()),
        None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            (text, "standard input".to_owned())
        }
    };
    let variables: HashMap<String, String> = std::env::vars().collect();
    let document = parse(&text, &source, &mut FileIncludes::new(variables))?;
    println!("{}", if has_origins { document.to_json_with_origins() } else { document.to_json() });
    Ok(())
}
