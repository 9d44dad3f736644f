//! What was sampled, as a table and as a picture.

use std::fmt::Write as _;

/// What a process used in a second, and what it did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) second: u64,
    pub(crate) memory_kib: u64,
    pub(crate) handles: usize,
    pub(crate) queue_age_millis: u64,
    pub(crate) meetings: u64,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 110.0;
const MARGIN: f64 = 70.0;

pub(crate) fn csv(samples: &[Sample]) -> String {
    let mut table = "second,memory_kib,handles,queue_age_millis,meetings\n".to_owned();
    for sample in samples {
        let Sample {
            second,
            memory_kib,
            handles,
            queue_age_millis,
            meetings,
        } = sample;
        writeln!(
            table,
            "{second},{memory_kib},{handles},{queue_age_millis},{meetings}"
        )
        .unwrap();
    }
    table
}

/// A name with its unit, and what of a sample it is.
pub(crate) type Curve = (&'static str, fn(&Sample) -> f64);

/// What is drawn: first what is to stay as it is.
#[expect(clippy::cast_precision_loss, reason = "a picture is not that exact")]
pub(crate) fn curves() -> [Curve; 4] {
    [
        ("memory, MiB", |it| it.memory_kib as f64 / 1024.0),
        ("open files", |it| it.handles as f64),
        ("oldest task, ms", |it| it.queue_age_millis as f64),
        ("meetings a second", |it| it.meetings as f64),
    ]
}

/// A curve for each of what was sampled, one below the other, each from zero up.
pub(crate) fn svg(samples: &[Sample]) -> String {
    let height = (HEIGHT + 30.0) * 4.0 + 20.0;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" stroke-linejoin=\"round\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        WIDTH + MARGIN + 20.0
    );
    let mut top = 20.0;
    for (name, value) in curves() {
        let values: Vec<f64> = samples.iter().map(value).collect();
        curve(&mut picture, name, &values, top);
        top += HEIGHT + 30.0;
    }
    let last = samples.last().map_or(0, |sample| sample.second);
    writeln!(
        picture,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{last} s</text>\n</svg>",
        WIDTH + MARGIN,
        height - 15.0
    )
    .unwrap();
    picture
}

fn curve(picture: &mut String, name: &str, values: &[f64], top: f64) {
    let most = values.iter().copied().fold(1.0, f64::max);
    let bottom = top + HEIGHT;
    writeln!(
        picture,
        "<text x=\"{MARGIN}\" y=\"{}\">{name}</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most:.0}</text>\n\
         <text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\n\
         <path d=\"M{MARGIN} {top}V{bottom}H{}\" fill=\"none\" stroke=\"grey\"/>",
        top - 5.0,
        MARGIN - 8.0,
        top + 10.0,
        MARGIN - 8.0,
        WIDTH + MARGIN
    )
    .unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a picture is not that exact")]
    let points = values.iter().enumerate().map(|(position, value)| {
        let across = position as f64 / values.len().max(2) as f64;
        format!(
            "{:.1},{:.1}",
            MARGIN + across * WIDTH,
            bottom - value / most * HEIGHT
        )
    });
    writeln!(
        picture,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#1f6feb\" stroke-width=\"1.5\"/>",
        points.collect::<Vec<_>>().join(" ")
    )
    .unwrap();
}
