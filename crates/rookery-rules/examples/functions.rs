//! The table of functions as JSON, one line for each: what the reference page is written from.

use std::rc::Rc;

use rookery_rules::functions::{FAMILIES, Status};
use rookery_rules::{Invalid, Map, Value, encode_json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for family in FAMILIES {
        for function in family.functions {
            let (status, reason) = match function.status {
                Status::Present => ("present", ""),
                Status::Different(how) => ("different", how),
                Status::Absent(why) => ("absent", why),
            };
            let mut row = Map::default();
            row.put("name".into(), function.name.into())?;
            row.put("family".into(), family.title.en.into())?;
            row.put("family_zh".into(), family.title.zh.into())?;
            row.put("arguments_min".into(), Value::Int(function.arguments_min as i128))?;
            row.put("arguments_max".into(), Value::Int(function.arguments_max as i128))?;
            row.put("status".into(), status.into())?;
            row.put("reason".into(), reason.into())?;
            let examples = function.examples.iter().map(|(expression, result)| {
                let mut example = Map::default();
                example.put("expression".into(), (*expression).into())?;
                example.put("result".into(), (*result).into())?;
                Ok(Value::Map(Rc::new(example)))
            });
            let examples = examples.collect::<Result<_, rookery_rules::EvalError>>()?;
            row.put("examples".into(), Value::array(examples)?)?;
            let mut out = Vec::new();
            encode_json(&Value::Map(Rc::new(row)), Invalid::Refuse, 1 << 20, &mut out)?;
            println!("{}", String::from_utf8(out)?);
        }
    }
    Ok(())
}
