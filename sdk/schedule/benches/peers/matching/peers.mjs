// How each peer is asked to match a case: `prepare` makes what it takes of the case, which is not timed; `free` finds
// the slots, each with its start in milliseconds and the guest's local time of day.
import { createRequire } from "node:module";
import { DateTime, Interval } from "luxon";
import slotCalculator from "slot-calculator";
import "./rrule.mjs";

const { computeBookingLimits, filterSlotsByLimits, getAvailableSlots } = await import("@thebookingkit/core");
const require = createRequire(import.meta.url);
const { dependencies } = require("./package.json");
const named = (name, more = "") => `${name} ${dependencies[name]}${more}`;

const everyEvent = (thisCase) => [...thisCase.host.events, ...thisCase.guest.events];
/** The time of day in an ISO string. */
const timeOfDay = (text) => text.slice(11, 16);

const booking = ([start, end]) => ({ startsAt: new Date(start), endsAt: new Date(end), status: "confirmed" });

const bookingkitInput = (thisCase) => ({
  rules: [
    {
      rrule: "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
      startTime: thisCase.hours[0],
      endTime: thisCase.hours[1],
      timezone: thisCase.host.zone,
    },
  ],
  bookings: everyEvent(thisCase).map(booking),
  range: { start: new Date(`${thisCase.first}T00:00:00Z`), end: new Date(`${thisCase.last}T23:59:59Z`) },
  zone: thisCase.guest.zone,
  options: { duration: thisCase.minutes, now: new Date(thisCase.now) },
});

const bookingkitSlots = ({ rules, bookings, range, zone, options }) =>
  getAvailableSlots(rules, [], bookings, range, zone, options).map(({ startTime, localStart }) => ({
    start: Date.parse(startTime),
    local: timeOfDay(localStart),
  }));

export const peers = [
  {
    name: named("@thebookingkit/core"),
    rules: "all",
    prepare(thisCase) {
      const { margin_minutes, notice_minutes, per_day, per_week, meetings, moving } = thisCase.rules;
      const input = bookingkitInput(thisCase);
      const standing = meetings.filter(([id]) => id !== moving).map(([, event]) => booking(event));
      Object.assign(input.options, { bufferBefore: margin_minutes, bufferAfter: margin_minutes });
      return {
        ...input,
        bookings: [...input.bookings, ...standing],
        standing,
        notice: { minNoticeMinutes: notice_minutes },
        caps: { maxBookingsPerDay: per_day, maxBookingsPerWeek: per_week },
      };
    },
    free(input) {
      const slots = bookingkitSlots(input).map((slot) => ({ ...slot, date: new Date(slot.start) }));
      // Given caps, `filterSlotsByLimits` counts the slots that it offers as if they were booked.
      const noticed = filterSlotsByLimits(
        slots.map((slot) => ({ ...slot, start: slot.date })),
        input.standing,
        input.notice,
        input.options.now,
      );
      return noticed
        .filter(({ date }) => computeBookingLimits(input.standing, input.caps, date).canBook)
        .map(({ date, local }) => ({ start: date.getTime(), local }));
    },
  },
  { name: named("@thebookingkit/core"), rules: "plain", prepare: bookingkitInput, free: bookingkitSlots },
  {
    name: named("luxon", ", naive"),
    rules: "plain",
    prepare: (thisCase) => ({
      ...thisCase,
      busy: everyEvent(thisCase).map(([start, end]) =>
        Interval.fromDateTimes(DateTime.fromMillis(start), DateTime.fromMillis(end)),
      ),
    }),
    /** What is written first: every candidate against every event. */
    free({ first, last, hours, host, guest, minutes, busy }) {
      const found = [];
      const until = DateTime.fromISO(last, { zone: host.zone });
      for (let day = DateTime.fromISO(first, { zone: host.zone }); day <= until; day = day.plus({ days: 1 })) {
        if (day.weekday > 5) continue;
        const at = (time) => DateTime.fromISO(`${day.toISODate()}T${time}`, { zone: host.zone });
        const [opens, closes] = hours.map(at);
        for (const slot of Interval.fromDateTimes(opens, closes).splitBy({ minutes })) {
          if (slot.length("minutes") < minutes || busy.some((event) => event.overlaps(slot))) continue;
          found.push({ start: slot.start.toMillis(), local: slot.start.setZone(guest.zone).toFormat("HH:mm") });
        }
      }
      return found;
    },
  },
  {
    name: named("slot-calculator"),
    rules: "plain",
    differs: "its slots are counted anew from the end of what is busy, not from the start of the window",
    prepare(thisCase) {
      const moment = (millis) => new Date(millis).toISOString();
      const midnight = (date, days) => DateTime.fromISO(date, { zone: thisCase.host.zone }).plus({ days }).toISO();
      const [from, to] = thisCase.hours;
      return {
        from: midnight(thisCase.first, 0),
        to: midnight(thisCase.last, 1),
        duration: thisCase.minutes,
        outputTimezone: thisCase.guest.zone,
        availability: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"].map((text) => ({
          day: { text, locale: "en" },
          from,
          to,
          timezone: thisCase.host.zone,
        })),
        unavailability: everyEvent(thisCase).map(([from, to]) => ({ from: moment(from), to: moment(to) })),
      };
    },
    free: (input) =>
      slotCalculator
        .getSlots(input)
        .availableSlots.map(({ from }) => ({ start: Date.parse(from), local: timeOfDay(from) })),
  },
];
