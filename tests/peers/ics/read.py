"""Reads files, a list of texts as JSON on the standard input, and prints what they say, a line of JSON each."""

import json
import sys
from datetime import timezone

from icalendar import Calendar


def moment(value):
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def person(property):
    return {"address": str(property), "name": property.params.get("CN")}


def optional(event, name):
    return str(event[name]) if name in event else None


def listed(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def read(text):
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    return {
        "method": str(calendar["METHOD"]),
        "components": len(list(calendar.walk())),
        "properties": len(event.property_items(recursive=False)) - 2,
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "stamp": moment(event["DTSTAMP"].dt),
        "start": moment(event["DTSTART"].dt),
        "end": moment(event["DTEND"].dt),
        "summary": str(event["SUMMARY"]),
        "description": optional(event, "DESCRIPTION"),
        "location": optional(event, "LOCATION"),
        "url": str(event["URL"]),
        "status": str(event["STATUS"]),
        "transparency": str(event["TRANSP"]),
        "organizer": person(event["ORGANIZER"]),
        "attendees": [
            person(attendee)
            | {name.lower(): attendee.params[name] for name in ["ROLE", "PARTSTAT", "RSVP"]}
            for attendee in listed(event.get("ATTENDEE"))
        ],
    }


for text in json.load(sys.stdin):
    print(json.dumps(read(text)), flush=True)
