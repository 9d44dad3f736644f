//! What the data model asks for beyond canonical CBOR: <https://atproto.com/specs/data-model>.

use super::{LINK, Reader};
use crate::varint::varint;

/// Whether this can be the `$type` of a map.
pub(super) fn is_type(name: &str, map: &[u8]) -> bool {
    !name.is_empty() && (name != "blob" || is_blob(map))
}

/// Whether a map is a blob: these four keys, and no others.
fn is_blob(map: &[u8]) -> bool {
    read_blob(Reader::new(map)).is_some()
}

fn read_blob(mut reader: Reader<'_>) -> Option<()> {
    let mut map = reader.map().ok()?;
    if map.left() != 4 || map.next_key(&mut reader).ok()? != Some(b"ref") {
        return None;
    }
    (reader.peek().ok()? == LINK[0]).then_some(())?;
    reader.skip().ok()?;
    if map.next_key(&mut reader).ok()? != Some(b"size") || reader.integer().ok()? < 1 {
        return None;
    }
    if map.next_key(&mut reader).ok()? != Some(b"$type") || reader.text().is_err() {
        return None;
    }
    let has_mime_type = map.next_key(&mut reader).ok()? == Some(b"mimeType");
    (has_mime_type && !reader.text().ok()?.is_empty()).then_some(())
}

/// Whether these bytes are a CID of version 1 and nothing more, of whatever codec and hash.
#[inline]
pub(super) fn is_cid(bytes: &[u8]) -> bool {
    match bytes {
        // Nearly every one there is.
        [1, 0x55 | 0x71, 0x12, 0x20, digest @ ..] if digest.len() == 32 => true,
        [1, rest @ ..] => is_multihash_with_codec(rest).is_some(),
        _ => false,
    }
}

/// The longest digest that a multihash is read with.
const MAX_DIGEST: u64 = 64;

fn is_multihash_with_codec(bytes: &[u8]) -> Option<()> {
    let (_codec, rest) = varint(bytes)?;
    let (_function, rest) = varint(rest)?;
    let (size, digest) = varint(rest)?;
    (size <= MAX_DIGEST && size == digest.len() as u64).then_some(())
}
