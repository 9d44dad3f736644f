//! The contract of `Random`.

use huddle_ports::Random;

use super::Broken;

/// More than platforms give at once.
const MANY: usize = 200_000;

/// Bytes that are never all zero, whatever the source.
const SOME: usize = 32;

/// Checks that a source fills all that it is given, and never twice in the same way. Whether anybody can predict it is
/// not to be seen.
pub fn random(random: &dyn Random) -> Result<(), Broken> {
    random.fill(&mut []);
    let [one, other] = [(), ()].map(|()| {
        let mut bytes = vec![0; MANY];
        random.fill(&mut bytes);
        bytes
    });
    if one == other {
        return Err(Broken("the same bytes came twice".into()));
    }
    let mut stretches = one.chunks(SOME);
    match stretches.position(|bytes| bytes.iter().all(|byte| *byte == 0)) {
        None => Ok(()),
        Some(index) => {
            let start = index * SOME;
            Err(Broken(format!("the bytes from {start} on are all zero")))
        }
    }
}
