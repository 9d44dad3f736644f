//! Generates the golden cases anew; what changes is to be read before it is committed.

#[path = "../golden/cases.rs"]
mod cases;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for name in cases::names() {
        cases::project(&name).write()?;
    }
    Ok(())
}
