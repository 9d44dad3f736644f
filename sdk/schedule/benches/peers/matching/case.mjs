// The case that all match, made from a seed: 30 local days of New York over its change of clocks, with 336 candidates.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Numbers below a limit, the same for the same seed: a linear congruential generator with the constants of Knuth. */
function chance(seed) {
  let state = BigInt(seed);
  return (limit) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 33n) % BigInt(limit));
  };
}

export function makeCase(seed) {
  const below = chance(seed);
  // Midnight in New York, a Sunday fourteen days before the clocks go forward.
  const now = Date.UTC(2026, 1, 22, 5);
  const days = 30;
  const event = () => {
    const start = now + below(days * 24 * 60) * MINUTE;
    return [start, start + (5 + 5 * below(5)) * MINUTE];
  };
  // Between ten and three in New York, whatever its clocks say.
  const meeting = (_, index) => {
    const start = now + below(days) * DAY + (10 * 60 + below(5 * 60)) * MINUTE;
    return [`booking-${index}`, [start, start + 30 * MINUTE]];
  };
  return {
    seed,
    now,
    first: "2026-02-22",
    last: "2026-03-23",
    days,
    minutes: 30,
    hours: ["09:00", "17:00"],
    host: { zone: "America/New_York", events: Array.from({ length: 1000 }, event) },
    guest: { zone: "Europe/London", events: Array.from({ length: 1000 }, event) },
    prefers: ["14:00", "17:00"],
    rules: {
      margin_minutes: 5,
      notice_minutes: 36 * 60,
      per_day: 2,
      per_week: 5,
      meetings: Array.from({ length: 20 }, meeting),
      moving: "booking-7",
    },
  };
}
