"""Starts a real mail server on loopback: `serve.py plain|starttls|tls [CERTIFICATE KEY]`.

Prints one line of JSON once it answers, {"port": …}, then a line for each message that it takes, and ends when its own
input ends. Where there is TLS, only the user `huddle` with the password `secret` may send. What stands before the @ of a
recipient says what becomes of it: `later` is answered 451, `never` 550, and at `drop` the connection is closed.
"""

import email
import email.policy
import json
import socket
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


def part(message):
    return {
        "type": message.get_content_type(),
        "method": message.get_param("method"),
        "text": message.get_content(),
    }


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "later":
            return "451 4.3.0 not now"
        if name == "never":
            return f"550 5.1.1 {address} is not here"
        if name == "drop":
            server.transport.close()
            return "421 gone"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        defects = [repr(it) for part in message.walk() for it in part.defects]
        taken = {
            "envelope": {"from": envelope.mail_from, "to": envelope.rcpt_tos},
            "greeting": session.host_name,
            "defects": defects,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "parts": [part(it) for it in message.walk() if not it.is_multipart()],
        }
        print(json.dumps(taken), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data == LoginPassword(b"huddle", b"secret")
    return AuthResult(success=known, handled=False)


def main():
    kind, files = sys.argv[1], sys.argv[2:]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = {}
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        options = {"authenticator": authenticate, "auth_required": True}
        options["ssl_context" if kind == "tls" else "tls_context"] = context
        # What is spoken within TLS from the start is not known to be to the part that logs in.
        options["auth_require_tls"] = kind == "starttls"
        options["require_starttls"] = kind == "starttls"
    controller = Controller(Handler(), hostname="127.0.0.1", port=port, ready_timeout=60, **options)
    controller.start()
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.read()
    controller.stop()


if __name__ == "__main__":
    main()
