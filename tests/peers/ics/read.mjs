// Reads files, a list of texts as JSON on the standard input, and prints what they say, a line of JSON each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The packages lie where they were installed, which is not beside this file.
const { default: ICAL } = await import(createRequire(`${process.argv[2]}/package.json`).resolve("ical.js"));

const moment = (time) => time.toJSDate().toISOString().replace(".000Z", "Z");
const person = (property) => ({ address: property.getFirstValue(), name: property.getFirstParameter("cn") });
const count = (component) => 1 + component.getAllSubcomponents().reduce((sum, part) => sum + count(part), 0);

function read(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
  const [event] = calendar.getAllSubcomponents("vevent");
  const value = (name) => event.getFirstPropertyValue(name);
  return {
    method: calendar.getFirstPropertyValue("method"),
    components: count(calendar),
    properties: event.getAllProperties().length,
    uid: value("uid"),
    sequence: value("sequence"),
    stamp: moment(value("dtstamp")),
    start: moment(value("dtstart")),
    end: moment(value("dtend")),
    summary: value("summary"),
    description: value("description"),
    location: value("location"),
    url: value("url"),
    status: value("status"),
    transparency: value("transp"),
    organizer: person(event.getFirstProperty("organizer")),
    attendees: event.getAllProperties("attendee").map((attendee) => ({
      ...person(attendee),
      ...Object.fromEntries(["role", "partstat", "rsvp"].map((name) => [name, attendee.getFirstParameter(name)])),
    })),
  };
}

for (const text of JSON.parse(readFileSync(0, "utf8"))) console.log(JSON.stringify(read(text)));
