//! Generates all cases anew; what changes is to be read before it is committed.

#[path = "../cases.rs"]
mod cases;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for name in cases::names() {
        cases::project(&name).write()?;
    }
    Ok(())
}
