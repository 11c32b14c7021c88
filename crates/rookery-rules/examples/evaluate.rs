//! Nanoseconds per evaluation: `cargo run --release -p rookery-rules --example evaluate`.
//!
//! Where the system says how long the thread really ran (Linux), that is what counts.

use std::hint::black_box;
use std::time::Instant;

use rookery_rules::{Column, Context, Event, Outcome, Record, Template, World, compile};

const PAYLOAD: &str = r#"{"line":3,"device":"press-7","t":81.5,"unit":"C","seq":123456,"ok":true}"#;
const ROUNDS: u32 = 200_000;

/// Nanoseconds that this thread has run.
fn cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sql = r#"SELECT payload.t AS t, payload.device AS device, clientid FROM "line/3/#" WHERE payload.t > "#;
    let matches = compile(&format!("{sql}80"))?;
    let fails = compile(&format!("{sql}90"))?;
    let plain = compile(r#"SELECT * FROM "line/3/#" WHERE clientid = 'other'"#)?;
    let topic = Template::parse("alarm/${device}")?;
    let payload = Template::parse(r#"{"who":"${clientid}","t":${t}}"#)?;
    let message = Record::new(Event::MessagePublish)
        .with(Column::ClientId, "press-7")
        .with(Column::Topic, "line/3/press")
        .with(Column::Payload, PAYLOAD);
    let mut out = Vec::with_capacity(4096);

    let time = |name: &str, once: &mut dyn FnMut(&Context<'_>)| {
        for _ in 0..ROUNDS / 10 {
            once(&Context::new(&message, World::at(0, 1)));
        }
        let (start, cpu) = (Instant::now(), cpu_ns());
        for _ in 0..ROUNDS {
            once(&Context::new(&message, World::at(0, 1)));
        }
        let ns = match (cpu, cpu_ns()) {
            (Some(before), Some(after)) => (after - before) as f64,
            _ => start.elapsed().as_nanos() as f64,
        };
        println!("{:>8.0} ns  {name}", ns / f64::from(ROUNDS));
    };
    time("WHERE on a column, false", &mut |context| {
        let _ = black_box(plain.evaluate(context));
    });
    time("WHERE on a JSON field, false; payload decoded", &mut |context| {
        let _ = black_box(fails.evaluate(context));
    });
    time("WHERE on a JSON field, true; SELECT; topic and payload of a republish", &mut |context| {
        out.clear();
        if let Ok(Outcome::Row(row)) = matches.evaluate(context) {
            let _ = topic.render(&row, 65_535, &mut out);
            let _ = payload.render(&row, 1 << 20, &mut out);
        }
        black_box(&out);
    });
    time("ten rules on that message: nine false, one true with a republish", &mut |context| {
        out.clear();
        for _ in 0..9 {
            let _ = black_box(fails.evaluate(context));
        }
        if let Ok(Outcome::Row(row)) = matches.evaluate(context) {
            let _ = topic.render(&row, 65_535, &mut out);
            let _ = payload.render(&row, 1 << 20, &mut out);
        }
        black_box(&out);
    });
    Ok(())
}
