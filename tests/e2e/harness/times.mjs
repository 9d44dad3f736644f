// Moments that are far enough ahead for any host, and the windows that scenarios offer.
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** A midnight in UTC that is two to three days ahead. */
const FIRST_DAY = (Math.floor(Date.now() / DAY) + 3) * DAY

/** The moment so many minutes after that midnight. */
export const at = (minutes) => new Date(FIRST_DAY + minutes * MINUTE).toISOString()

/** The window of an offer: from an hour of that day on, for so many minutes. */
export const window = (hour, minutes) => ({ start: at(hour * 60), end: at(hour * 60 + minutes) })

/** Room for exactly one meeting of half an hour. */
export const half = (hour) => ({ ...window(hour, 30), durations: [30] })

export const WEEK = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
