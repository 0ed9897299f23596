"""Reads a notification with Python's email package and prints what it has found as JSON."""

import email
import email.policy
import json
import quopri
import sys


def fields(message):
    return {name: " ".join(str(value).split()) for name, value in message.items()}


def defects(message):
    return [repr(d) for part in message.walk() for d in part.defects]


def status(part):
    if part.get_content_type() == "message/delivery-status":
        return [fields(block) for block in part.get_payload()]
    # The package does not know the type of RFC 6533 and takes it for a message.
    octets = part.get_payload(0).as_bytes()
    if part["Content-Transfer-Encoding"] == "quoted-printable":
        octets = quopri.decodestring(octets)
    blocks = octets.decode("utf-8", "replace").replace("\r\n", "\n").strip().split("\n\n")
    return [fields(email.message_from_string(block)) for block in blocks]


def returned(part):
    kind, encoding = part.get_content_type(), part["Content-Transfer-Encoding"]
    if kind == "message/rfc822":
        octets = part.get_payload(0).as_bytes()
    elif part.get_content_maintype() == "message":
        octets = part.get_payload(0).as_bytes()
        if encoding == "quoted-printable":
            octets = quopri.decodestring(octets)
    else:
        octets = part.get_payload(decode=True)
    return email.message_from_bytes(octets, policy=email.policy.SMTPUTF8)


with open(sys.argv[1], "rb") as file:
    message = email.message_from_bytes(file.read(), policy=email.policy.SMTPUTF8)
parts = list(message.iter_parts())
third = returned(parts[2])
json.dump({
    "header": fields(message),
    "type": message.get_content_type(),
    "report": message.get_param("report-type"),
    "parts": [part.get_content_type() for part in parts],
    "descriptions": [part["Content-Description"] for part in parts],
    "text": parts[0].get_content(),
    "status": status(parts[1]),
    "returned": fields(third),
    "body": third.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n"),
    "defects": defects(message),
}, sys.stdout)
