//! What the resolver of the contracts answers (RFC 1035 §4): once for all ways to ask it.

/// How many records a name has with many, and how many strings each.
pub(super) const MANY: usize = 40;
const STRINGS: usize = 5;
/// The longest string.
const STRING: [u8; 255] = [b'x'; 255];

/// The text of each of the [`MANY`] records.
pub(super) fn long_text() -> String {
    "x".repeat(STRING.len() * STRINGS)
}

const FAILING: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
const REFUSING: u8 = 5;

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;

/// The answer to a question in as many bytes as there may be: if it is longer, its beginning, which says so (RFC 2181
/// §9). `None` is no answer at all.
pub fn zone(question: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    let (name, kind) = asked(question)?;
    let answer = match name.as_str() {
        "silent.example.com" => return None,
        "rubbish.example.com" => return Some(vec![0xff; 40]),
        "failing.example.com" => Answer::code(FAILING),
        "refusing.example.com" => Answer::code(REFUSING),
        "cut.example.com" => return Some(Answer::default().message(question, true)),
        _ => records(&name, kind),
    };
    let whole = answer.message(question, false);
    Some(if whole.len() > max_bytes {
        Answer::default().message(question, true)
    } else {
        whole
    })
}

/// The records of a name.
fn records(name: &str, kind: u16) -> Answer {
    match (name, kind) {
        ("_atproto.texts.example.com", TXT) => Answer::of([
            text(&[b"did=did:plc:", b"ana", b""]),
            text(&[b"v=spf1 -all"]),
            text(&[b"not \xff UTF-8"]),
            text(&["a\nb \u{1f5d3}".as_bytes()]),
            text(&[b""]),
        ]),
        ("long.example.com", TXT) => Answer::of(vec![text(&[&STRING[..]; STRINGS]); MANY]),
        // Longer than a message can be, which only a resolver over HTTPS could send.
        ("longest.example.com", TXT) => Answer::of(vec![text(&[&STRING[..]; STRINGS]); 2 * MANY]),
        ("_caldavs._tcp.example.com", SRV) => Answer::of([
            service([2, 65_535, 8443], b"\x05dav-1\x07example\x03com\0"),
            service([3, 5, 0], b"\x04_dav\x07example\x03com\0"),
            // `example.com` of the question, which begins at 12: nobody should write so (RFC 2782), and some do.
            service([1, 0, 443], b"\xc0\x1a"),
            // What no host can be called.
            service([4, 0, 443], b"\x05a.b/c\x07example\x03com\0"),
            service([5, 0, 443], b"\x02\xff \0"),
        ]),
        ("_caldav._tcp.example.com", SRV) => Answer::of([service([0, 0, 0], b"\0")]),
        ("alias.example.com", TXT) => {
            let end = name_of("end.example.com");
            let text = text(&[b"the text of another name"]).1;
            Answer {
                code: 0,
                records: vec![(None, CNAME, end.clone()), (Some(end), TXT, text)],
            }
        }
        // Another name, for one that is not there.
        ("lost.example.com", _) => Answer {
            code: NO_SUCH_NAME,
            records: vec![(None, CNAME, name_of("unknown.example.com"))],
        },
        ("localhost", A) => Answer::of([(A, vec![127, 0, 0, 1])]),
        ("private.example.com", A) => Answer::of([(A, vec![10, 0, 0, 1])]),
        ("mixed.example.com", A) => {
            Answer::of([(A, vec![93, 184, 215, 14]), (A, vec![10, 0, 0, 1])])
        }
        ("mapped.example.com", AAAA) => {
            let address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1];
            Answer::of([(AAAA, address.to_vec())])
        }
        (
            "localhost"
            | "private.example.com"
            | "mixed.example.com"
            | "mapped.example.com"
            | "empty.example.com"
            | "_atproto.texts.example.com"
            | "alias.example.com",
            _,
        ) => Answer::default(),
        _ => Answer::code(NO_SUCH_NAME),
    }
}

/// A type, and data.
type Record = (u16, Vec<u8>);

fn text(strings: &[&[u8]]) -> Record {
    let mut data = Vec::new();
    for string in strings {
        data.push(u8::try_from(string.len()).unwrap_or(u8::MAX));
        data.extend_from_slice(string);
    }
    (TXT, data)
}

/// Priority, weight and port, and the target as it is written.
fn service(numbers: [u16; 3], target: &[u8]) -> Record {
    let mut data: Vec<u8> = numbers.into_iter().flat_map(u16::to_be_bytes).collect();
    data.extend_from_slice(target);
    (SRV, data)
}

/// A name as a message has it.
fn name_of(text: &str) -> Vec<u8> {
    let mut name = Vec::new();
    for label in text.split('.') {
        name.push(u8::try_from(label.len()).unwrap_or_default());
        name.extend_from_slice(label.as_bytes());
    }
    name.push(0);
    name
}

/// The name that is asked about, in lower case, and the type of records.
fn asked(question: &[u8]) -> Option<(String, u16)> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(std::str::from_utf8(question.get(at..at + length)?).ok()?);
        at += length;
    }
    let kind: [u8; 2] = question.get(at..at + 2)?.try_into().ok()?;
    Some((labels.join(".").to_lowercase(), u16::from_be_bytes(kind)))
}

#[derive(Default)]
struct Answer {
    code: u8,
    /// Whose they are, if not the name's that was asked about; type and data.
    records: Vec<(Option<Vec<u8>>, u16, Vec<u8>)>,
}

impl Answer {
    fn code(code: u8) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let records = records.into_iter();
        Self {
            code: 0,
            records: records.map(|(kind, data)| (None, kind, data)).collect(),
        }
    }

    fn message(&self, question: &[u8], is_cut: bool) -> Vec<u8> {
        /// A response to a question that asks for recursion, which is to be had.
        const RESPONSE: [u8; 2] = [0x81, 0x80];
        const CUT: u8 = 0x02;
        /// Where the name of the question begins.
        const OF_QUESTION: &[u8] = &[0xc0, 12];
        const INTERNET: [u8; 2] = [0, 1];
        const TTL_SECS: u32 = 60;

        let name = question.get(12..).unwrap_or_default();
        let end = name.iter().position(|byte| *byte == 0).unwrap_or_default();
        let id = question.get(..2).unwrap_or_default();
        let [high, low] = RESPONSE;
        let flags = [high | if is_cut { CUT } else { 0 }, low | self.code];
        let count = u16::try_from(self.records.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        let mut message = [id, &flags, &[0, 1], &count, &[0; 4]].concat();
        // With type and class.
        message.extend_from_slice(name.get(..end + 5).unwrap_or_default());
        for (owner, kind, data) in &self.records {
            message.extend_from_slice(owner.as_deref().unwrap_or(OF_QUESTION));
            message.extend_from_slice(&kind.to_be_bytes());
            message.extend_from_slice(&INTERNET);
            message.extend_from_slice(&TTL_SECS.to_be_bytes());
            let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(data);
        }
        message
    }
}
